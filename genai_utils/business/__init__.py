"""Business models as code: what an answer costs, what it earns, and when a plan breaks."""

from genai_utils._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
