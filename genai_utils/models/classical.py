"""The first generators: tables of pixels, Gaussians with their principal axes, a mixture by EM, a hidden Markov model.

All compute in float64 and give log probabilities in nats. None needs a gradient step: fitting is a formula, or EM.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from genai_utils.checks import between, finite_tensors, fits, of_type, whole
from genai_utils.models.shapes import (
    IMAGE,
    check_axes,
    check_examples,
    check_filled,
    check_ids,
    check_labels,
    check_real,
)

LOG_2PI = math.log(2 * math.pi)
LEVELS = 256  # of a byte


class PixelTables:
    """Independent pixels: for each position a table of how often each level occurs.

    Args: probabilities: (d, levels), rows sum to one.
    """

    def __init__(self, probabilities: Tensor):
        self.probabilities = _distributions(probabilities, "probabilities")

    @classmethod
    def fit(cls, pixels: Tensor, levels: int = 256, smoothing: float = 1.0) -> PixelTables:
        """Count.  pixels: (n, d), 0 ... levels - 1.  smoothing: added to each count, so that nothing is impossible."""
        whole(1, levels=levels)
        between(0, 1e9, smoothing=smoothing)
        check_symbols(pixels, levels)
        fits(positions=pixels.shape[1], levels=levels)
        counts = torch.stack([column.bincount(minlength=levels) for column in pixels.long().unbind(dim=1)])
        return cls((counts.double() + smoothing) / (len(pixels) + levels * smoothing))

    def log_prob(self, pixels: Tensor) -> Tensor:
        """Log probability of pictures (n, d) of whole levels: (n,)."""
        check_symbols(pixels, self.probabilities.shape[1])
        return self.probabilities.log().gather(1, pixels.T.long()).sum(dim=0)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw pictures: (n, d), int64."""
        fits(n=n, positions=len(self.probabilities))
        return torch.multinomial(self.probabilities, n, replacement=True, generator=generator).T


class GaussianPCA:
    """A Gaussian, known by its principal axes.

    Args: mean: (d,).  variances: (d,), along the axes, > 0.  axes: (d, d), orthonormal columns.
    """

    def __init__(self, mean: Tensor, variances: Tensor, axes: Tensor):
        finite_tensors("(...)", mean=mean, variances=variances, axes=axes)
        check_axes(mean=(mean, "d"), variances=(variances, "d"), axes=(axes, "d d"))
        if not (variances > 0).all():
            flat = int((variances <= 0).sum())
            raise ValueError(f"variances must be > 0, got {flat} that are not; give floor > 0, or more examples")
        self.mean, self.variances, self.axes = mean.double(), variances.double(), axes.double()

    @classmethod
    def fit(cls, x: Tensor, rank: int | None = None, floor: float = 0.0) -> GaussianPCA:
        """The likeliest Gaussian.

        Args:
            x: (n, d).
            rank: keep that many variances and give the other axes their mean (probabilistic PCA); None keeps all.
            floor: added to each variance.

        Source: Tipping & Bishop 1999, J. R. Statist. Soc. B 61, 611-622, section 3.2. Equation (gauss.ppca).
        """
        _check_examples(x)
        between(0, 1e9, floor=floor)
        x = x.double()
        centered = x - x.mean(dim=0)
        variances, axes = torch.linalg.eigh(centered.T @ centered / len(x))  # in ascending order
        variances, axes = variances.flip(0), axes.flip(1)
        if rank is not None:
            whole(0, rank=rank)
            between(0, len(variances), rank=rank)
            variances = torch.cat([variances[:rank], variances[rank:].mean().expand(len(variances) - rank)])
        return cls(x.mean(dim=0), variances + floor, axes)

    @property
    def covariance(self) -> Tensor:
        """Of the pixels: (d, d)."""
        return (self.axes * self.variances) @ self.axes.T

    def whiten(self, x: Tensor) -> Tensor:
        """Coordinates along the axes in standard deviations, largest variance first: N(0, I) if the Gaussian holds."""
        finite_tensors("(...)", x=x)
        check_axes(x=(x, f"... {len(self.mean)}"))
        return (x.double() - self.mean) @ self.axes / self.variances.sqrt()

    def unwhiten(self, z: Tensor) -> Tensor:
        """The inverse of `whiten`; fewer than d columns stand for the first axes, with the others at their mean."""
        finite_tensors("(n, k)", z=z)
        k = z.shape[1]
        between(0, len(self.mean), columns_of_z=k)
        return self.mean + (z.double() * self.variances[:k].sqrt()) @ self.axes[:, :k].T

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (n, d): (n,). Equation (gauss.log-density)."""
        return standard_normal(self.whiten(x)) - 0.5 * self.variances.log().sum()

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw: (n, d)."""
        fits(n=n, d=len(self.mean))
        return self.unwhiten(torch.randn(n, len(self.mean), generator=generator, dtype=torch.float64))


class ByteGaussian:
    """A bell curve over pictures of bytes: black and white take its tails, so that probabilities sum to one.

    A density gives mass to levels that no picture has. Here byte 0 takes all below 1/256, byte 255 all above 255/256.
    Two models have that in common. `log_prob` and `sample`: each pixel follows from the bytes before it, these at the
    centers of their intervals; exact. `log_prob_whole` and `sample_whole`: the picture is drawn whole, then cut to
    [0, 1] and rounded; a bound. For pixels that do not know of each other both are the same, and exact.
    Args: mean: (d,), black is 0 and white 1.  covariance: (d, d), positive definite.
    """

    def __init__(self, mean: Tensor, covariance: Tensor):
        finite_tensors("(...)", mean=mean, covariance=covariance)
        if not mean.numel():
            raise ValueError(f"mean must hold a number a pixel, got shape {tuple(mean.shape)}")
        check_axes(mean=(mean, "d"), covariance=(covariance, "d d"))
        self.mean = mean.double()
        self.root, failed = torch.linalg.cholesky_ex(covariance.double())
        if failed:
            raise ValueError("covariance must be positive definite; give floor > 0, or more examples")

    def log_prob(self, pixels: Tensor) -> Tensor:
        """Log probability of pictures (n, d) of bytes, pixel by pixel: (n,), in nats. Equation (prob.tails)."""
        self._check(pixels)
        center = (pixels.double() + 0.5) / LEVELS
        z = torch.linalg.solve_triangular(self.root, (center - self.mean).T, upper=False).T  # given the bytes before
        half = 0.5 / LEVELS / self.root.diagonal()
        low = torch.where(pixels == 0, -math.inf, z - half)
        high = torch.where(pixels == LEVELS - 1, math.inf, z + half)
        return _log_normal_between(low, high).sum(dim=1)

    def log_prob_whole(self, pixels: Tensor, draws: int = 1, *, generator: torch.Generator | None = None) -> Tensor:
        """Log of an unbiased estimate of the probability of pictures (n, d) drawn whole: (n,); too low on average.

        Walks through the pixels, draws each within the interval of its byte, and multiplies the probabilities of the
        intervals.  draws: walks a picture, whose products are averaged; more come closer.
        Source: Genz 1992, doi:10.1080/10618600.1992.10477010, section 2, with random numbers; econometricians call it
        the simulator of Geweke, Hajivassiliou and Keane (GHK). Equation (prob.whole).
        """
        self._check(pixels)
        fits(draws=draws, n=len(pixels), d=len(self.mean))
        low = torch.where(pixels == 0, -math.inf, pixels.double() / LEVELS).T
        high = torch.where(pixels == LEVELS - 1, math.inf, (pixels.double() + 1) / LEVELS).T
        walks = [self._walk(low, high, torch.rand(low.shape, generator=generator).double()) for _ in range(draws)]
        return torch.logsumexp(torch.stack(walks), dim=0) - math.log(draws)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw pictures, a pixel after the other: (n, d), uint8."""
        noise = self._noise(n, generator)
        z, levels = torch.empty_like(noise), torch.empty_like(noise)
        for i, row in enumerate(self.root):
            expected = self.mean[i] + row[:i] @ z[:i]
            levels[i] = _levels(expected + row[i] * noise[i])
            z[i] = ((levels[i] + 0.5) / LEVELS - expected) / row[i]
        return levels.T.byte()

    def sample_whole(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw pictures whole, cut to [0, 1] and rounded: (n, d), uint8."""
        return _levels(self.mean + (self.root @ self._noise(n, generator)).T).byte()

    def _walk(self, low: Tensor, high: Tensor, u: Tensor) -> Tensor:
        """The sum of log probabilities along one walk for each picture; low, high, u: (d, n)."""
        z, total = torch.empty_like(u), torch.zeros_like(u[0])
        for i, row in enumerate(self.root):
            expected = self.mean[i] + row[:i] @ z[:i]
            ends = (low[i] - expected) / row[i], (high[i] - expected) / row[i]
            total += _log_normal_between(*ends)
            z[i] = _normal_between(*ends, u[i])
        return total

    def _noise(self, n: int, generator: torch.Generator | None) -> Tensor:
        fits(n=n, d=len(self.mean))
        return torch.randn(len(self.mean), n, generator=generator, dtype=torch.float64)

    def _check(self, pixels: Tensor) -> None:
        check_symbols(pixels, LEVELS)
        check_axes(pixels=(pixels, f"n {len(self.mean)}"))


class ClassGaussians:
    """A Gaussian for each class of images, drawn along its largest axes alone: what generates without a network.

    The variance of the other axes is left out, so it draws smudges without grain, and has no density.
    Args: gaussians: one a class, of images (784 numbers).  rank: axes that are drawn.
    """

    def __init__(self, gaussians: Sequence[GaussianPCA], rank: int):
        of_type((list, tuple), gaussians=gaussians)
        of_type(GaussianPCA, **{f"gaussians[{i}]": gaussian for i, gaussian in enumerate(gaussians)})
        whole(1, rank=rank)
        self.gaussians, self.rank = gaussians, rank

    @classmethod
    def fit(cls, images: Tensor, labels: Tensor, rank: int = 50) -> ClassGaussians:
        """The likeliest for images (n, 1, 28, 28) in [-1, 1] and their labels (n,), 0 to classes - 1, none empty."""
        check_examples(images)
        _check_examples(images.flatten(1))
        check_axes(images=(images, "n ..."), labels=(labels, "n"))
        check_ids(len(images), labels=labels)
        kinds = [images[labels == kind].flatten(1) for kind in range(int(labels.max()) + 1)]
        return cls([GaussianPCA.fit(kind, floor=1e-9) for kind in kinds], rank)  # some pixels of a class never change

    def sample(self, n: int, *, labels: Tensor | None = None, generator: torch.Generator | None = None) -> Tensor:
        """Draw images: (n, 1, 28, 28) float32 in [-1, 1].  labels: (n,) int64, or each drawn at random, all alike."""
        fits(n=n, rank=self.rank)
        if labels is None:
            labels = torch.randint(len(self.gaussians), (n,), generator=generator)
        check_labels(labels, len(self.gaussians), n)
        z = torch.randn(n, self.rank, generator=generator)
        images = torch.empty(n, *IMAGE)
        for kind, gaussian in enumerate(self.gaussians):
            images[labels == kind] = gaussian.unwhiten(z[labels == kind]).float().unflatten(1, IMAGE)
        return images.clamp(-1, 1)


class GaussianMixture:
    """A mixture of k Gaussians, improved by EM one `step` at a time.

    Args: weights: (k,), sum to one.  means: (k, d).  covariances: (k, d, d), positive definite.
    """

    def __init__(self, weights: Tensor, means: Tensor, covariances: Tensor):
        finite_tensors("(...)", weights=weights, means=means, covariances=covariances)
        self.weights = _distributions(weights, "weights")
        self.means, self.covariances = means.double(), covariances.double()
        check_axes(weights=(weights, "k"), means=(means, "k d"))
        if self.covariances.shape != (*self.means.shape, self.means.shape[1]):
            shapes = f"{tuple(means.shape)} and {tuple(covariances.shape)}"
            raise ValueError(f"means must be (k, d) and covariances (k, d, d), got {shapes}")
        self.roots, failed = torch.linalg.cholesky_ex(self.covariances)
        if failed.any():
            worst = int(failed.argmax())
            raise ValueError(f"component {worst} has collapsed: its covariance is singular; give floor > 0")

    @classmethod
    def start(cls, x: Tensor, components: int, generator: torch.Generator | None = None) -> GaussianMixture:
        """Where EM begins: random examples as means, the covariance of all of x (n, d), equal weights."""
        _check_examples(x)
        whole(1, components=components)
        between(1, len(x), components=components)
        chosen = torch.randperm(len(x), generator=generator)[:components]
        covariance = torch.cov(x.double().T, correction=0).view(x.shape[1], x.shape[1])
        return cls(torch.full((components,), 1 / components), x[chosen], covariance.expand(components, -1, -1))

    def log_joint(self, x: Tensor) -> Tensor:
        """Log density of x (n, d) together with each component: (n, k)."""
        finite_tensors("(...)", x=x)
        check_axes(x=(x, f"n {self.means.shape[1]}"))
        apart = (x.double().unsqueeze(1) - self.means).transpose(0, 1)  # (k, n, d)
        z = torch.linalg.solve_triangular(self.roots, apart.transpose(1, 2), upper=False)  # (k, d, n)
        log_scale = self.roots.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        return self.weights.log() - log_scale + standard_normal(z.permute(2, 0, 1))

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (n, d): (n,)."""
        return torch.logsumexp(self.log_joint(x), dim=1)

    def responsibilities(self, x: Tensor) -> Tensor:
        """Probability that x (n, d) came from each component: (n, k). Equation (gmm.responsibility)."""
        return torch.softmax(self.log_joint(x), dim=1)

    def step(self, x: Tensor, floor: float = 0.0, diagonal: bool = False) -> GaussianMixture:
        """One step of EM; with floor 0 the likelihood of x cannot fall.

        Args: x: (n, d).  floor: added to each variance.  diagonal: covariances without correlation.
        Source: Dempster, Laird & Rubin 1977, J. R. Statist. Soc. B 39, 1-38. Equation (gmm.m-step).
        """
        between(0, 1e9, floor=floor)
        of_type(bool, diagonal=diagonal)
        check_filled(x=x)
        r = self.responsibilities(x)
        share = r.sum(dim=0)  # (k,): how many examples each component answers for
        means = (r.T @ x.double()) / share.unsqueeze(1)
        apart = x.double().unsqueeze(1) - means  # (n, k, d)
        covariances = torch.einsum("nk,nki,nkj->kij", r, apart, apart) / share.view(-1, 1, 1)
        if diagonal:
            covariances = covariances * torch.eye(x.shape[1])
        return GaussianMixture(share / len(x), means, covariances + floor * torch.eye(x.shape[1]))

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw: (n, d)."""
        fits(n=n, d=self.means.shape[1])
        chosen = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        z = torch.randn(n, self.means.shape[1], generator=generator, dtype=torch.float64)
        return self.means[chosen] + torch.einsum("nij,nj->ni", self.roots[chosen], z)


class HMM:
    """A hidden Markov model: a hidden state walks at random, and each state emits a symbol.

    Args: start: (k,).  transition: (k, k), row = from.  emission: (k, symbols).  All rows sum to one.
    Source: Rabiner 1989, Proceedings of the IEEE 77, 257-286.
    """

    def __init__(self, start: Tensor, transition: Tensor, emission: Tensor):
        check_axes(start=(start, "k"), transition=(transition, "k k"), emission=(emission, "k symbols"))
        self.start, self.transition = _distributions(start, "start"), _distributions(transition, "transition")
        self.emission = _distributions(emission, "emission")

    def log_prob(self, symbols: Tensor) -> Tensor:
        """Log probability of sequences (n, time), summed over all hidden paths: (n,). Equation (hmm.forward)."""
        check_symbols(symbols, self.emission.shape[1])
        return _forward(symbols, self.start, self.transition, self.emission)

    def step(self, symbols: Tensor, smoothing: float = 0.0) -> HMM:
        """One step of EM (Baum-Welch): the new tables are expected counts, each row scaled to one.

        A count is parameter x derivative of the log likelihood, so autograd does the backward algorithm.

        Args: symbols: (n, time).  smoothing: added to each expected count.
        Source: Eisner 2016, doi:10.18653/v1/W16-5901. Equation (hmm.counts).
        """
        between(0, 1e9, smoothing=smoothing)
        check_symbols(symbols, self.emission.shape[1])
        if symbols.shape[1] < 2:
            raise ValueError(f"symbols must be two or more in a row, which tell of transitions, got {symbols.shape[1]}")
        tables = [t.clone().requires_grad_() for t in (self.start, self.transition, self.emission)]
        slopes = torch.autograd.grad(_forward(symbols, *tables).sum(), tables)
        counts = [(t * s).detach() + smoothing for t, s in zip(tables, slopes, strict=True)]
        return HMM(*(c / c.sum(dim=-1, keepdim=True) for c in counts))

    def sample(self, n: int, length: int, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw hidden states and symbols, both (n, length), int64."""
        fits(n=n, length=length)
        state, states = _draw(self.start.expand(n, -1), generator), []
        for _ in range(length):
            states.append(state)
            state = _draw(self.transition[state], generator)
        hidden = torch.stack(states, dim=1)
        symbols = torch.empty_like(hidden)
        for k, row in enumerate(self.emission):  # by state: a row for each symbol would take gigabytes
            here = hidden == k
            if here.any():
                symbols[here] = torch.multinomial(row, int(here.sum()), replacement=True, generator=generator)
        return hidden, symbols


def standard_normal(z: Tensor) -> Tensor:
    """Log density of N(0, I), summed over the last axis: (..., d) -> (...)."""
    check_axes(z=(z, "... d"))
    return -0.5 * (z.square() + LOG_2PI).sum(dim=-1)


def check_symbols(symbols: Tensor, kinds: int) -> None:
    """Raise ValueError unless symbols are (n, length) whole numbers from 0 to kinds - 1."""
    whole(1, kinds=kinds)
    check_real(symbols=symbols)
    if symbols.ndim != 2 or symbols.is_floating_point() or not symbols.numel():
        raise ValueError(f"symbols must be whole numbers (n, length), got {symbols.dtype} {tuple(symbols.shape)}")
    low, high = int(symbols.min()), int(symbols.max())  # as int: a byte cannot be compared with 256
    if low < 0 or high >= kinds:
        raise ValueError(f"symbols must be 0 to {kinds - 1}, got {low} to {high}")


def _levels(x: Tensor) -> Tensor:
    """The bytes of numbers whose black is 0 and white 1."""
    return (LEVELS * x).floor().clamp(0, LEVELS - 1)


def _log_normal_between(low: Tensor, high: Tensor) -> Tensor:
    """Log probability of a standard normal number between low and high, with all digits in both tails."""
    flip = low + high > 0
    low, high = torch.where(flip, -high, low), torch.where(flip, -low, high)
    upper = torch.special.log_ndtr(high)
    return upper + torch.log(-torch.expm1(torch.special.log_ndtr(low) - upper))


def _normal_between(low: Tensor, high: Tensor, u: Tensor) -> Tensor:
    """The u-th quantile of a standard normal number that lies between low and high."""
    flip = low + high > 0
    low, high = torch.where(flip, -high, low), torch.where(flip, -low, high)
    log_u = u.clamp(min=1e-9).log()
    below = torch.logaddexp(torch.special.log_ndtr(low), log_u + _log_normal_between(low, high))
    far = high + log_u / high.abs()  # beyond the numbers of float64 the tail is exponential
    z = torch.where(high < -35, far, torch.special.ndtri(below.exp()))
    z = torch.minimum(torch.maximum(z, low), high)
    return torch.where(flip, -z, z)


def _forward(symbols: Tensor, start: Tensor, transition: Tensor, emission: Tensor) -> Tensor:
    """The forward algorithm; rescaled at each step, because a product of 784 probabilities underflows."""
    likely = torch.nn.functional.embedding(symbols.long(), emission.T).unbind(dim=1)  # time x (n, k)
    state, log_prob = start, torch.zeros((), dtype=start.dtype)
    for t, emitted in enumerate(likely):
        joint = (state @ transition if t else state) * emitted
        total = joint.sum(dim=1, keepdim=True)
        state, log_prob = joint / total.clamp(min=1e-300), log_prob + total.log()  # 0/0 where nothing is possible
    return log_prob.squeeze(1)


def _draw(probabilities: Tensor, generator: torch.Generator | None) -> Tensor:
    """One symbol a row: (n, kinds) -> (n,)."""
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(1)


def _distributions(table: Tensor, name: str) -> Tensor:
    """The table in float64, its last axis checked to be probabilities that sum to one."""
    check_real(**{name: table})
    if not table.numel():
        raise ValueError(f"{name} must hold probabilities, got shape {tuple(table.shape)}")
    table = table.double()
    if (table < 0).any() or not torch.allclose(table.sum(dim=-1), torch.ones((), dtype=table.dtype), atol=1e-6):
        least, sums = float(table.min()), float(table.sum(dim=-1).mean())
        raise ValueError(f"{name} must be >= 0 and sum to 1, got at least {least:.3g} and a mean sum of {sums:.3g}")
    return table / table.sum(dim=-1, keepdim=True)


def _check_examples(x: Tensor) -> None:
    check_real(examples=x)
    if x.ndim != 2 or len(x) < 2 or not x.numel():
        raise ValueError(f"examples must be (n, d) with n >= 2, got {tuple(x.shape)}; use images.flatten(1)")
    if not x.isfinite().all():
        raise ValueError("examples must be finite, got NaN or infinity")
