"""Helpers of the course "Generative AI: Gold Mine or Bubble?"; import as `gu`.

Subpackages (`gu.data`, `gu.metrics`, `gu.show`, ...) load when first used: importing the package costs nothing.
"""

from genai_utils._lazy import attach

__version__ = "0.1.0"
COURSE = f"gold-mine-or-bubble {__version__}"  # tells this package from others of its name: the first cell compares it

__getattr__, __dir__, __all__ = attach(__name__, Run="run", budget="device", start="session")
