"""Is a price running away? Recursive tests for explosive growth, and what they need to be believed.

A path is a series of (log) prices; an array of paths has them in its rows, shape (paths, n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from genai_utils import checks


def minimum_window(n: int) -> int:
    """Steps in the shortest window that is tried. Equation (bubble.window).

    Raises: ValueError: the series is too short for any window.
    Source: Phillips, Shi & Yu 2015, doi:10.1111/iere.12132, section 4.
    """
    checks.whole(0, n=n)
    window = int((0.01 + 1.8 / math.sqrt(n)) * n) if n > 0 else 0
    if not 2 < window < n:
        raise ValueError(f"n = {n} prices are too few to look for a bubble; give 12 or more")
    return window


@dataclass(frozen=True)
class Exuberance:
    """The statistics of paths, one for each last day; day i of them is price number `window` + i.

    from_start: windows that begin with the series, (..., n - window).
    best: the largest of all beginnings. Equation (bubble.bsadf).
    """

    window: int
    from_start: np.ndarray
    best: np.ndarray

    @property
    def sadf(self) -> np.ndarray:
        """The largest of the windows that begin with the series, shape (...)."""
        return self.from_start.max(axis=-1)

    @property
    def gsadf(self) -> np.ndarray:
        """The largest of all windows, shape (...). Equation (bubble.gsadf)."""
        return self.best.max(axis=-1)

    @checks.representable
    def thresholds(self, level: float = 0.95) -> np.ndarray:
        """What `best` must exceed for a day to be dated, if these paths have no bubble: (n - window,).

        The quantile of the SADF of a history that ends on that day, as Phillips, Shi & Yu 2015 propose. Of the
        histories without a bubble, `best` exceeds it in 1 - level on the first day, later in fewer (at 0.95 in about
        one of a hundred); over all days more than 1 - level of them get a date.
        """
        checks.share("[0, 1]", level=level)
        return np.quantile(np.maximum.accumulate(self.from_start, axis=-1), level, axis=0)


@checks.representable
def exuberance(prices: np.ndarray, window: int | None = None) -> Exuberance:
    """Test every window of every path for explosive growth, by running sums.

    Args: prices: (..., n), not constant; log prices as a rule.  window: steps of the shortest one, 3 or more; by
        default `minimum_window(n)`.
    Raises: ValueError: a price is not finite, a path does not move in some window, or is too short.
    Source: Phillips, Shi & Yu 2015; equations (bubble.adf) and (bubble.bsadf).
    """
    paths = checks.array("prices", prices, "(..., n)")
    window = minimum_window(paths.shape[-1]) if window is None else window
    checks.whole(0, window=window)
    if not 2 < window < paths.shape[-1]:
        raise ValueError(f"window must have at least 3 steps and fewer than the {paths.shape[-1]} prices, got {window}")
    sums = _running_sums(paths)
    ends = range(window, paths.shape[-1])
    from_start, best = np.empty((2, *paths.shape[:-1], len(ends)))
    for day, end in enumerate(ends):
        ratios = _ratios(sums[..., end : end + 1] - sums[..., : end - window + 1], end - np.arange(end - window + 1))
        from_start[..., day], best[..., day] = ratios[..., 0], ratios.max(axis=-1)
    if not np.isfinite(best).all():
        raise ValueError("prices without any movement in a window have no statistic; are they constant or rounded?")
    return Exuberance(window, from_start, best)


def _running_sums(paths: np.ndarray) -> np.ndarray:
    """Sums of x, x², d, d² and x·d over the first 0, 1, 2 … steps, for level x and step d: (5, ..., n)."""
    x = (paths - paths.mean(axis=-1, keepdims=True))[..., :-1]
    d = np.diff(paths, axis=-1)
    sums = np.cumsum(np.stack([x, x * x, d, d * d, x * d]), axis=-1)
    return np.concatenate([np.zeros_like(sums[..., :1]), sums], axis=-1)


def _ratios(sums: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Slope over its standard error in windows with these sums and numbers of steps. Equation (bubble.adf)."""
    x, xx, d, dd, xd = sums
    spread, joint = xx - x * x / steps, xd - x * d / steps
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = joint / spread
        noise = (dd - d * d / steps - slope * joint) / (steps - 2)
        return slope / np.sqrt(noise / spread)


def random_walks(n: int, *, paths: int, seed: int) -> np.ndarray:
    """Prices without any bubble, whose steps are all alike: (paths, n), steps N(1/n, 1).

    The drift of 1/n is that of Phillips, Shi & Yu 2015: too small to matter, too large to call zero.
    """
    checks.whole(0, seed=seed)
    checks.fits(paths=paths, n=n)
    steps = np.random.default_rng(seed).standard_normal((paths, n)) + 1.0 / n
    return np.cumsum(steps, axis=1)


@checks.representable
def wild_walks(prices: np.ndarray, *, paths: int, seed: int) -> np.ndarray:
    """Bubble-free prices, as calm and as wild as these at each time: (paths, n). Equation (bubble.wild-bootstrap).

    Args: prices: one path, (n,).
    Source: Harvey, Leybourne, Sollis & Taylor 2016, doi:10.1016/j.jempfin.2015.09.002.
    """
    checks.whole(0, seed=seed)
    steps = np.diff(checks.array("prices", prices))
    checks.fits(paths=paths, prices=len(steps) + 1)
    drawn = np.random.default_rng(seed).standard_normal((paths, len(steps))) * steps
    return np.concatenate([np.zeros((paths, 1)), np.cumsum(drawn, axis=1)], axis=1)


@checks.representable
def explosive_paths(n: int, *, start: int, end: int, root: float, level: float, paths: int, seed: int) -> np.ndarray:
    """Random walks with a known bubble: (paths, n); `root` each step from start to end, then back. (bubble.explosive).

    Args: start: last price before the bubble.  end: last price in it.  root: above 1 it explodes.
        level: where the walks begin, in standard deviations of a step.
    Raises: ValueError: not 0 <= start < end < n.
    Source: the first process of Phillips, Shi & Yu 2015, section 5.
    """
    checks.whole(0, seed=seed)
    checks.whole(-1, start=start, end=end)
    checks.fits(paths=paths, n=n)
    checks.finite(root=root, level=level)
    if not 0 <= start < end < n:
        raise ValueError(f"a bubble needs 0 <= start < end < n, got start {start}, end {end}, n {n}")
    shocks = np.random.default_rng(seed).standard_normal((paths, n))
    prices = level + np.cumsum(shocks, axis=1)
    for step in range(start + 1, end + 1):
        prices[:, step] = root * prices[:, step - 1] + shocks[:, step]
    prices[:, end + 1 :] = prices[:, start : start + 1] + np.cumsum(shocks[:, end + 1 :], axis=1)
    return prices


@checks.representable
def fair_bubbles(
    n: int, *, rate: float, burst: float, bubble: float, paths: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Prices with a bubble at which nobody gains on average, and what their holders gained above interest.

    Price = value + bubble. The value takes steps N(0, 1) and pays its interest as dividends; the bubble grows by
    (1 + rate) / (1 - burst) each step until it bursts, for good. Equation (value.bubble).
    Args: rate: interest of a step.  burst: chance of bursting in a step, 0..1 exclusive of 1.  bubble: the first.
    Returns: prices, up to a constant, and cumulated gains, each (paths, n); the gains are 0 on average.
    Raises: ValueError: a negative rate or bubble, or burst out of its range.
    Source: Blanchard & Watson 1982, NBER working paper 945.
    """
    checks.at_least(0.0, rate=rate, bubble=bubble)
    checks.share("[0, 1)", burst=burst)
    checks.whole(0, seed=seed)
    checks.whole(1, n=n)
    checks.fits(paths=paths, n=n)
    random = np.random.default_rng(seed)
    value = np.cumsum(random.standard_normal((paths, n)), axis=1)
    alive = np.cumprod(random.random((paths, n - 1)) >= burst, axis=1)
    grown = np.full((paths, n), float(bubble))
    grown[:, 1:] *= alive * ((1.0 + rate) / (1.0 - burst)) ** np.arange(1.0, n)
    gains = np.diff(value) + np.diff(grown) - rate * grown[:, :-1]
    return value + grown, np.concatenate([np.zeros((paths, 1)), np.cumsum(gains, axis=1)], axis=1)


@dataclass(frozen=True)
class Quantile:
    """A quantile of simulated numbers, and the range that chance leaves for it (95 %)."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        checks.finite(value=self.value, low=self.low, high=self.high)

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@checks.representable
def quantile(simulated: np.ndarray, level: float = 0.95) -> Quantile:
    """A critical value with its Monte Carlo error: the ranks that a binomial count would reach.

    Args: simulated: (paths,).
    Raises: ValueError: level is not between 0 and 1, or too few numbers were simulated to bound it.
    """
    checks.between(0.0, 1.0, level=level)
    ordered = np.sort(checks.array("simulated", simulated))
    around = 1.96 * math.sqrt(len(ordered) * level * (1 - level)) if 0 < level < 1 else math.nan
    ranks = [len(ordered) * level - around, len(ordered) * level + around]
    if not (ranks[0] >= 1 and ranks[1] <= len(ordered)):
        raise ValueError(f"{len(ordered)} simulated numbers cannot bound the quantile at level {level}; simulate more")
    low, high = ordered[math.floor(ranks[0]) - 1], ordered[math.ceil(ranks[1]) - 1]
    return Quantile(float(np.quantile(ordered, level)), float(low), float(high))


def wild_p_value(prices: np.ndarray, *, draws: int, seed: int) -> float:
    """Share of wild walks at least as exuberant as the path, itself counted: small means more than wildness.

    Args: prices: one path, (n,).
    """
    path = checks.array("prices", prices)
    checks.fits(draws=draws, prices=len(path))
    seen = exuberance(path).gsadf
    return (1 + int((exuberance(wild_walks(path, paths=draws, seed=seed)).gsadf >= seen).sum())) / (1 + draws)


def episodes(above: np.ndarray, *, shortest: int = 1) -> list[tuple[int, int]]:
    """First and last index of each run of True that has at least `shortest` of them.

    Args: above: booleans, (n,).
    """
    checks.whole(1, shortest=shortest)
    marks = checks.array("above", above, least=0).astype(bool).astype(int)
    edges = np.diff(np.concatenate([[0], marks, [0]]))
    runs = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1, strict=True)
    return [(int(first), int(last)) for first, last in runs if last - first + 1 >= shortest]
