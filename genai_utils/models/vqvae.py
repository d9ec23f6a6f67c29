"""Vector-quantized autoencoder: pictures become small maps of discrete codes, and a prior learns to write such maps.

Read from top to bottom: quantization and its losses, counting codes, the codebook, the autoencoder, the prior. A code
map is (n, h, w) int64; the vectors between encoder and decoder are (n, width, h, w).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils.checks import between, finite_tensors, fits, of_type, share, tensors, trusted, whole
from genai_utils.models.pixelcnn import MaskedConv2d, Seen
from genai_utils.models.shapes import (
    IMAGE,
    check_alike,
    check_axes,
    check_examples,
    check_filled,
    check_ids,
    check_labels,
    check_layer,
    check_logits,
    check_temperature,
    explained,
    sizes,
)

# --- quantization -----------------------------------------------------------------------------------------------------


def nearest_codes(z: Tensor, codebook: Tensor) -> Tensor:
    """Number of the codebook vector nearest to each vector; the first one in a tie.

    Args: z: (..., d); codebook: (codes, d).  Returns: (...) int64.  Always in float32: in bfloat16 neighbours tie.
    Raises: ValueError when the vectors have another size.
    Source: van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937, equation 1. Equation (vq.quantize).
    """
    fits(codes=check_axes(codebook=(codebook, "codes d"), z=(z, "... d"))["codes"])
    with torch.autocast(z.device.type, enabled=False):
        flat, book = z.detach().float().reshape(-1, z.shape[-1]), codebook.detach().float()
        distances = torch.addmm(0.5 * book.square().sum(1), flat, book.T, alpha=-1)  # up to |z|^2 / 2, alike for all
    return distances.argmin(1).view(z.shape[:-1])


def straight_through(z: Tensor, quantized: Tensor) -> Tensor:
    """The quantized vectors going forward, the identity going backward: z receives their gradient unchanged.

    Args: z, quantized: the same shape.  Returns: that shape; no gradient reaches `quantized`.
    Source: Bengio, Leonard & Courville 2013, arXiv:1308.3432, section 4; van den Oord et al. 2017, arXiv:1711.00937,
    section 3.2. Equation (vq.straight-through).
    """
    check_alike(z=z, quantized=quantized)
    return z + (quantized - z).detach()


def codebook_loss(z: Tensor, quantized: Tensor) -> Tensor:
    """Mean squared distance that only the codebook may close: |sg(z) - e|^2.

    Args: z, quantized: the same shape.  Returns: scalar, >= 0.
    Source: van den Oord et al. 2017, arXiv:1711.00937, equation 3, second term. Equation (vq.loss).
    """
    check_alike(z=z, quantized=quantized)
    check_filled(z=z)
    return F.mse_loss(quantized, z.detach())


def commitment_loss(z: Tensor, quantized: Tensor) -> Tensor:
    """Mean squared distance that only the encoder may close: |z - sg(e)|^2; the paper weighs it with 0.25.

    Args: z, quantized: the same shape.  Returns: scalar, >= 0.
    Source: van den Oord et al. 2017, arXiv:1711.00937, equation 3, third term. Equation (vq.loss).
    """
    check_alike(z=z, quantized=quantized)
    check_filled(z=z)
    return F.mse_loss(z, quantized.detach())


# --- counting codes ---------------------------------------------------------------------------------------------------


def code_shares(codes: Tensor, size: int) -> Tensor:
    """Share of each code among all that occur: (size,) float64, sums to 1.

    Args: codes: int64 of any shape, 0 to size - 1.  Raises: ValueError for codes outside, or none.
    """
    fits(size=size)
    check_ids(size, codes=codes)
    if not codes.numel():
        raise ValueError(f"codes must lie in 0 to {size - 1}, got none")
    return torch.bincount(codes.flatten(), minlength=size).double() / codes.numel()


def entropy_bits(codes: Tensor, size: int) -> float:
    """Entropy of the code shares in bits: 0 when one code is used, log2 size when all are used equally.

    Args: as `code_shares`.  Source: Shannon 1948.
    """
    return float(torch.special.entr(code_shares(codes, size)).sum() / math.log(2))


def code_perplexity(codes: Tensor, size: int) -> float:
    """How many codes are in use, were all used equally: 2 to the entropy, between 1 and size.

    Args: as `code_shares`.  Source: van den Oord et al. 2017, arXiv:1711.00937, its code. Equation (vq.perplexity).
    """
    return 2.0 ** entropy_bits(codes, size)


def used(codes: Tensor, size: int) -> int:
    """Number of codes that occur at least once.  Args: as `code_shares`."""
    return int((code_shares(codes, size) > 0).sum())


# --- codebook ---------------------------------------------------------------------------------------------------------


class Quantized(NamedTuple):
    """What a codebook makes of vectors: the vectors with their straight-through gradient, and the codes."""

    vectors: Tensor
    codes: Tensor


class Codebook(nn.Module):
    """A codebook that follows the vectors it stands for as a moving average, without a gradient.

    Args: size: number of codes; width: entries of a vector; decay: of the moving averages.
    Input (n, width, h, w); output `Quantized` with vectors of that shape and codes (n, h, w).
    With several processes each follows its own part of the batch.
    Source: van den Oord et al. 2017, arXiv:1711.00937, appendix A.1. Equation (vq.ema).
    """

    vectors: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, size: int = 128, width: int = 32, decay: float = 0.99):
        super().__init__()
        fits(size=size, width=width)
        share("[0, 1]", decay=decay)
        self.size, self.decay = size, decay
        self.register_buffer("vectors", torch.randn(size, width))
        self.register_buffer("counts", torch.ones(size))
        self.register_buffer("sums", self.vectors.clone())

    def forward(self, z: Tensor) -> Quantized:
        """Replace each vector by the nearest of the codebook."""
        check_axes(z=(z, f"n {self.vectors.shape[1]} ..."))
        with trusted():
            codes = nearest_codes(z.movedim(1, -1), self.vectors)
            return Quantized(straight_through(z, self.lookup(codes).to(z.dtype)), codes)

    def lookup(self, codes: Tensor) -> Tensor:
        """Vectors of a code map: (n, h, w) -> (n, width, h, w)."""
        tensors("(n, ...)", codes=codes)
        with explained(self.size, codes=codes):
            return F.embedding(codes, self.vectors).movedim(-1, 1)

    @torch.no_grad()
    def update(self, z: Tensor, codes: Tensor) -> None:
        """Move each code towards the mean of the vectors that chose it.  z: (n, width, h, w), codes: (n, h, w)."""
        check_axes(z=(z, f"n {self.vectors.shape[1]} ..."))
        check_alike(z=z[:, 0], codes=codes)
        with explained(self.size, codes=codes):
            chosen = F.one_hot(codes.flatten(), self.size).float()
        self.counts.lerp_(chosen.sum(0), 1 - self.decay)
        self.sums.lerp_(chosen.T @ _rows(z), 1 - self.decay)
        self.vectors.copy_(self.sums / self.counts.clamp(min=1e-5).unsqueeze(1))

    @torch.no_grad()
    def start(self, z: Tensor) -> None:
        """Begin where the data are: put each code onto a vector of z (n, width, h, w), none twice if there are enough.

        Without it the vectors are standard normal, wherever the encoder puts its own.
        Source: how k-means begins; Zeghidour et al. 2021, arXiv:2107.03312, section III-C, begin where k-means ends.
        """
        check_axes(z=(z, f"n {self.vectors.shape[1]} ..."))
        pool = _rows(z)
        if not len(pool):
            raise ValueError(f"z must hold vectors to draw from, got {tuple(z.shape)}")
        order = torch.randperm(len(pool), device=pool.device)
        drawn = pool[order[torch.arange(self.size, device=pool.device) % len(pool)]]
        self.vectors.copy_(drawn)
        self.sums.copy_(drawn)
        self.counts.fill_(1.0)

    @torch.no_grad()
    def restart(self, z: Tensor, below: float = 0.1) -> int:
        """Put each dead code onto a vector of the batch drawn at random; returns how many were dead.

        Args: z: (n, width, h, w).  below: dead is what is chosen less often than this share of an equal part.
        Source: the random restarts of Dhariwal et al. 2020, arXiv:2005.00341, section 3.1.
        """
        between(0, math.inf, below=below)
        check_axes(z=(z, f"n {self.vectors.shape[1]} ..."))
        dead = self.counts < below * self.counts.mean()
        pool = _rows(z)
        if not len(pool):
            raise ValueError(f"z must hold vectors to draw from, got {tuple(z.shape)}")
        drawn = pool[torch.randint(len(pool), (int(dead.sum()),), device=pool.device)]
        self.vectors[dead] = self.sums[dead] = drawn
        self.counts[dead] = 1.0
        return len(drawn)


def _rows(z: Tensor) -> Tensor:
    """(n, width, h, w) -> (n h w, width) in float32."""
    return z.detach().float().movedim(1, -1).flatten(0, -2)


# --- autoencoder ------------------------------------------------------------------------------------------------------


class Pass(NamedTuple):
    """One pass through a `VQVAE`: reconstructed images, the encoder's vectors, the chosen ones, and their codes."""

    images: Tensor
    z: Tensor
    quantized: Tensor
    codes: Tensor


class VQVAE(nn.Module):
    """Autoencoder whose bottleneck is a map of 7 x 7 codes; patches of 4 x 4 pixels become channels, and back.

    Args: codes: size of the codebook; width: entries of its vectors; channels: of the convolutions.
    Input (n, 1, 28, 28) in [-1, 1]; output `Pass`.  Raises ValueError on images of another shape.
    Source: van den Oord et al. 2017, arXiv:1711.00937, section 4.1, made small: all convolutions work on 7 x 7 places.
    """

    shape = (7, 7)

    def __init__(self, codes: int = 128, width: int = 32, channels: int = 64):
        super().__init__()
        fits(codes=codes, width=width)
        fits(width=width, channels=channels, places=9)
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(16, channels, 3, padding=1),
            Residual(channels), nn.ReLU(), nn.Conv2d(channels, width, 1),
        )  # fmt: skip
        self.codebook = Codebook(codes, width)
        self.decoder = nn.Sequential(
            nn.Conv2d(width, channels, 3, padding=1),
            Residual(channels), nn.ReLU(), nn.Conv2d(channels, 16, 3, padding=1), nn.PixelShuffle(4),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Pass:
        """Encode, quantize, decode; the gradient of the images reaches the encoder straight through."""
        check_examples(x, IMAGE, self)
        check_filled(x=x)
        with trusted():
            z = self.encoder(x).float()
            vectors, codes = self.codebook(z)
            return Pass(self.decoder(vectors), z, self.codebook.lookup(codes), codes)

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """Codes of images: (n, 1, 28, 28) in [-1, 1] -> (n, 7, 7) int64."""
        check_examples(x, IMAGE, self)
        check_filled(x=x)
        finite_tensors("(...)", x=x)
        return torch.cat([self.codebook(self.encoder(batch).float()).codes for batch in x.split(500)])

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Images of codes: (n, 7, 7) int64 -> (n, 1, 28, 28) in [-1, 1]."""
        check_axes(codes=(codes, "n 7 7"))
        check_filled(codes=codes)
        images = [self.decoder(self.codebook.lookup(batch)) for batch in codes.split(500)]
        return torch.cat(images).float().clamp(-1, 1)


class Residual(nn.Module):
    """x + a small correction: a 3 x 3 convolution to half the channels and a 1 x 1 convolution back."""

    def __init__(self, channels: int):
        super().__init__()
        whole(2, channels=channels)
        fits(channels=channels, rows=channels, places=9)
        half = channels // 2
        self.net = nn.Sequential(
            nn.ReLU(), nn.Conv2d(channels, half, 3, padding=1), nn.ReLU(), nn.Conv2d(half, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> the same shape.  Raises: TypeError, ValueError: other axes or numbers, or NaN."""
        check_layer(self, x=(x, f"n {_outputs(self.net)} h w"))
        return x + self.net(x)


def _outputs(net: nn.Sequential) -> int:
    last = net[-1]
    assert isinstance(last, nn.Conv2d)
    return last.out_channels


def loss(x: Tensor, out: Pass, beta: float = 0.25) -> Tensor:
    """What encoder and decoder minimise: squared error of the pixels, and beta times the commitment.

    Args: x: (n, 1, 28, 28) in [-1, 1]; out: the pass of x; beta: weight.  Returns: scalar, >= 0.
    The codebook has no term here: `Codebook.update` moves it.
    Source: van den Oord et al. 2017, arXiv:1711.00937, equation 3 and appendix A.1. Equation (vq.loss).
    """
    between(0, 1e9, beta=beta)
    of_type(Pass, out=out)
    check_alike(x=x, images=out.images)
    check_filled(x=x)
    return F.mse_loss(out.images, x) + beta * commitment_loss(out.z, out.quantized)


# --- prior ------------------------------------------------------------------------------------------------------------


class CausalBlock(nn.Module):
    """Residual block of the prior: narrow, look up and left, widen."""

    def __init__(self, width: int):
        super().__init__()
        whole(2, width=width)
        fits(width=width, rows=width)
        self.before = nn.Sequential(nn.ReLU(), nn.Conv2d(width, width // 2, 1), nn.ReLU())
        self.look = MaskedConv2d(width // 2, width // 2, 3, sees_itself=True)
        self.after = nn.Sequential(nn.ReLU(), nn.Conv2d(width // 2, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) -> the same shape.  Raises: TypeError, ValueError: other axes or numbers, or NaN."""
        check_layer(self, x=(x, f"n {_outputs(self.after)} h w"))
        with trusted():
            return x + self.after(self.look(self.before(x)))


class CodePrior(nn.Module):
    """Exact probability of a code map, one code after the other in reading order, given those before it.

    Args: codes: size of the codebook; shape: of the map; width: channels; blocks: residual blocks; labels: kinds of
    label that a map may be captioned with, 0 for none. As in a plain PixelCNN some codes above and to the right
    stay unseen, and with few blocks the farthest ones too: the sum is exact, but does not use all that is known.
    Source: van den Oord et al. 2016, arXiv:1601.06759 and 2017, arXiv:1711.00937, section 3.3. Equation (vq.prior).
    """

    def __init__(
        self, codes: int = 128, shape: tuple[int, int] = (7, 7), width: int = 64, blocks: int = 4, labels: int = 0
    ):
        super().__init__()
        whole(2, width=width)
        fits(width=width, rows=width, places=49)
        whole(0, blocks=blocks, labels=labels)
        fits(blocks=max(1, blocks), width=width, rows=width)
        fits(codes=codes, width=width)
        fits(labels=max(1, labels), width=width)
        self.codes, self.shape, self.labels = codes, sizes(2, shape=shape), labels
        self.embed = nn.Embedding(codes, width // 2)
        self.place = nn.Parameter(torch.zeros(width, *self.shape))
        self.caption = nn.Embedding(max(labels, 1), width)
        self.first = MaskedConv2d(width // 2, width, 7, sees_itself=False)
        self.blocks = nn.ModuleList([CausalBlock(width) for _ in range(blocks)])
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(width, codes, 1))

    def forward(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits of each code given the codes before it, and the label: (n, h, w), (n,) -> (n, codes, h, w)."""
        check_axes(codes=(codes, "n {} {}".format(*self.shape)))
        with explained(self.codes, codes=codes):
            known = self.embed(codes)
        captions = self._captions(len(codes), labels)
        with trusted():
            x = self.first(known.movedim(-1, 1)) + self.place + captions
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    @torch.no_grad()
    def log_prob(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        """Exact log-probability of code maps, in nats; without labels, of the mixture of all captions in equal parts.

        Args: codes: (n, h, w); labels: (n,) int64 or None.  Returns: (n,), <= 0; divide by -log 2 for bits.
        """
        check_axes(codes=(codes, "n {} {}".format(*self.shape)))
        if self.labels and labels is None:
            captions = [torch.full((len(codes),), k, device=codes.device) for k in range(self.labels)]
            each = torch.stack([self.log_prob(codes, caption) for caption in captions])
            return each.logsumexp(0) - math.log(self.labels)
        check_labels(labels, self.labels, len(codes))
        logits = [self(*batch) for batch in _batches(codes, labels)]
        return -F.cross_entropy(torch.cat(logits).float(), codes.long(), reduction="none").sum((1, 2))

    @torch.no_grad()
    def sample(
        self,
        n: int,
        *,
        labels: Tensor | None = None,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw code maps: (n, h, w) int64; without labels, each with a caption drawn at random.

        Args: labels: (n,) int64; temperature: of the logits, 1e-6 to 1e6; generator: on the device of the model.
        What the layers computed for earlier places is kept, so that a map costs one forward pass and not one a place.
        """
        fits(n=n, codes=self.codes)
        check_temperature(temperature)
        if self.labels and labels is None:
            labels = torch.randint(self.labels, (n,), generator=generator, device=self.place.device)
        (height, width), captions = self.shape, self._captions(n, labels)
        codes = torch.zeros(n, height, width, dtype=torch.long, device=self.place.device)
        seen = [Seen(look, n, height, width) for look in self._looks()]
        with trusted():
            for i in range(height):
                for j in range(width):
                    logits = self._logits_at(i, j, seen, captions) / temperature
                    check_logits(logits)
                    codes[:, i, j] = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
                    seen[0].write(self.embed(codes[:, i, j])[..., None, None], i, j)
        return codes

    def _looks(self) -> list[MaskedConv2d]:
        """The layers that look at other places, in order."""
        return [layer for layer in self.modules() if isinstance(layer, MaskedConv2d)]

    def _logits_at(self, i: int, j: int, seen: list[Seen], captions: Tensor) -> Tensor:
        """Logits (n, codes) at one place; `seen` holds what the layers saw, and receives what they see here."""
        x = seen[0].at(i, j)[..., None, None] + self.place[:, i : i + 1, j : j + 1] + captions
        blocks = [block for block in self.blocks if isinstance(block, CausalBlock)]
        for block, inputs in zip(blocks, seen[1:], strict=True):
            inputs.write(block.before(x), i, j)
            x = x + block.after(inputs.at(i, j)[..., None, None])
        return self.head(x)[:, :, 0, 0]

    def _captions(self, n: int, labels: Tensor | None) -> Tensor:
        """What a label adds at every place: (n, width, 1, 1)."""
        check_labels(labels, self.labels, n)
        known = torch.zeros(n, dtype=torch.long, device=self.place.device) if labels is None else labels
        return self.caption(known)[:, :, None, None]


def _batches(codes: Tensor, labels: Tensor | None, size: int = 500) -> list[tuple[Tensor, Tensor | None]]:
    parts = codes.split(size)
    return list(zip(parts, [None] * len(parts) if labels is None else labels.split(size), strict=True))
