"""What the reader sees: figures, claims with verdicts, explorers."""

from genai_utils.show.claims import claim
from genai_utils.show.plots import animation, figure

__all__ = ["animation", "claim", "figure"]
