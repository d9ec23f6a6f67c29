"""What was written down and what was measured: facts, forecasts, results, runs of scaling, claims. Needs no torch."""

from genai_utils._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, Claim="claims", fact="facts")
