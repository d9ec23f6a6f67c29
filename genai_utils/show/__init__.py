"""What the reader sees: answers, figures, claims with verdicts, rows of results, sliders, explorers."""

from genai_utils._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__, animation="plots", answer="answers", claim="claims", figure="plots", result="results", sliders="controls"
)
