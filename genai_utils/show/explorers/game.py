"""The explorer "Play the game": optimal discriminator, divergences and the Dirac-GAN, computed in the browser."""

from __future__ import annotations

from genai_utils.show.explorers.kit import Choice, Count, Explorer, Number


class PlayTheGame(Explorer, script="game"):
    """Two panels to touch; no kernel needed, because all numbers come from `game.js`.

    Left: data N(0, data_width^2) against a generator N(mean, width^2), with D* = p/(p+q) and your
    own discriminator sigmoid(steepness * (threshold - x)); values in nats. Equations (gan.value), (gan.optimal-d),
    (gan.jsd), (gan.wasserstein).
    Right: `rounds` rounds of the Dirac-GAN from (start, 0) with step size `step` and R1 strength `r1`; `order` is
    "simultaneous" or "alternating". Equations (gan.dirac-simultaneous), (gan.dirac-alternating), (gan.dirac-r1).
    """

    data_width = Number(1.0, min=0.1)
    mean = Number(2.0)
    width = Number(1.0, min=0.1)
    threshold = Number(0.0)
    steepness = Number(1.0)
    step = Number(0.3, min=0.0)
    r1 = Number(0.0, min=0.0)
    start = Number(1.0, min=0.0)
    rounds = Count(120, min=1)
    order = Choice(["simultaneous", "alternating"], "simultaneous")
