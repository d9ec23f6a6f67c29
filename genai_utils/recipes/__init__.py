"""What made the shipped weights, one file a family: `python -m genai_utils.recipes NAME` trains a model again."""

from genai_utils._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
