"""Explorers: widgets whose arithmetic runs in the browser, so that they also work on a page without a kernel."""

from genai_utils._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    GPTExplorer="gpt",
    LatentExplorer="latent",
    LatentMap="map",
    PlayTheGame="game",
    ProfitAndLoss="pnl",
    WhatMustBeTrue="capex",
    YourVerdict="verdict",
)
