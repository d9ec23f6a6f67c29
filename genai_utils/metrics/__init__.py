"""Metrics of the course: how good are generated samples, how likely does a model find data?"""

from genai_utils._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
