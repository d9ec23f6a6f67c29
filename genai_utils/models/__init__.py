"""Models, one family a file: read each from top to bottom."""

from genai_utils._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, size="shapes")
