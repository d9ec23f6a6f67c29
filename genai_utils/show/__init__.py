"""What the reader sees: figures, claims with verdicts, rows of results, sliders, explorers."""

from genai_utils.show.claims import claim
from genai_utils.show.plots import animation, figure
from genai_utils.show.results import result
from genai_utils.show.sliders import sliders

__all__ = ["animation", "claim", "figure", "result", "sliders"]
