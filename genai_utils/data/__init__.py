"""Data sets of the course: images, text, sound, markets, and toys with exact densities."""

from genai_utils._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, Images="images", fashion_mnist="images")
