"""Autoregressive models of images: the exact probability of every picture, one pixel after the other in reading order.

Read from top to bottom: convolutions that look only back, what all pixel models share, the plain PixelCNN with its
blind spot, the gated one without. Pictures are (n, h, w) int64 grey levels 0 to levels - 1, see `to_levels`;
probabilities are in nats.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils.checks import between, fits, looks, of_type, one_of, shaped, tensors, trusted, whole
from genai_utils.models.shapes import (
    axes_of,
    check_axes,
    check_layer,
    check_logits,
    check_odd,
    check_real,
    check_temperature,
    sizes,
)

WAVES = 4  # numbers that stand for a grey level at the input
BATCH = 20  # pictures that are judged at once: few enough for the logits of all levels to stay in the cache
NextPixel = Callable[[int, int], Tensor]  # row and column of the next pixel to its logits, (n, levels)


def to_levels(pixels: Tensor, levels: int) -> Tensor:
    """Bytes to grey levels 0 to levels - 1, equally many bytes for each: the first bits of every byte.

    Args: pixels: uint8, any shape.  levels: a power of two, 2 to 256.  Returns: int64, same shape.
    Raises: TypeError for pixels that are no bytes, ValueError for other levels.
    """
    tensors("(...)", pixels=pixels)
    whole(2, levels=levels)
    one_of((2, 4, 8, 16, 32, 64, 128, 256), levels=levels)
    if pixels.dtype is not torch.uint8:
        raise TypeError(f"pixels must be uint8, got {pixels.dtype}; use fashion_mnist().pixels")
    return pixels.long() // (256 // levels)


# --- looking only back ------------------------------------------------------------------------------------------------


class MaskedConv2d(nn.Conv2d):
    """Convolution that sees the rows above and the pixels to the left; its own pixel only where `sees_itself`.

    What would be masked below the middle row is not stored. Keeps height and width.
    Args: size: of the whole kernel, odd.  sees_itself: False is mask A, for the first layer; True is mask B.
    Source: van den Oord, Kalchbrenner & Kavukcuoglu 2016, arXiv:1601.06759, section 3.4. Equation (pixel.mask).
    """

    mask: Tensor

    def __init__(self, inputs: int, outputs: int, size: int, sees_itself: bool):
        check_odd(size=size)
        fits(inputs=inputs, outputs=outputs, size=size, rows=size)
        super().__init__(inputs, outputs, (size // 2 + 1, size))
        self.reach = size // 2
        mask = torch.ones(self.reach + 1, size)
        mask[-1, self.reach + sees_itself :] = 0
        self.register_buffer("mask", mask, persistent=False)

    def padded(self, x: Tensor) -> Tensor:
        """Add zeros above, left and right of x, (n, inputs, h, w).  Raises: as `forward`."""
        check_layer(self, x=(x, f"n {self.in_channels} h w"))
        return F.pad(x, (self.reach, self.reach, self.reach, 0))

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w).  Raises: TypeError, ValueError: other axes or numbers, or NaN."""
        return F.conv2d(self.padded(x), self.weight * self.mask, self.bias)


class Seen:
    """What one masked convolution has seen of pictures that are still being drawn: zeros, filled in place by place.

    Args: look: the layer, whose kernel is cut where its mask begins, once.  n, height, width: of the pictures.
    Raises: TypeError, ValueError: no such layer or sizes; later places that are not there, or NaN.
    """

    def __init__(self, look: MaskedConv2d, n: int, height: int, width: int):
        of_type(MaskedConv2d, look=look)
        fits(n=n, height=height, width=width, inputs=look.in_channels)
        self.n, self.height, self.width = n, height, width
        self.reach = look.reach
        # Pictures with margins, channels last: the window of a kernel lies in memory as the kernel does.
        self.inputs = look.weight.new_zeros(n, height + self.reach, width + 2 * self.reach, look.in_channels)
        self.seen = int(look.mask.sum()) * look.in_channels
        self.kernel, self.bias = look.weight.movedim(1, -1).flatten(1)[:, : self.seen].contiguous(), look.bias

    def write(self, x: Tensor, i: int, j: int) -> None:
        """Fill in x, (n, inputs, h, w), from row i and column j on."""
        if looks():
            check_axes(x=(x, f"{self.n} {self.inputs.shape[3]} h w"))
            self._check_place(i, j, x.shape[2], x.shape[3])
        top, left = i + self.reach, j + self.reach
        self.inputs[:, top : top + x.shape[2], left : left + x.shape[3]] = x.movedim(1, -1)

    def at(self, i: int, j: int) -> Tensor:
        """The layer's output at one place, (n, outputs): a matrix product, faster than so small a convolution."""
        if looks():
            self._check_place(i, j, 1, 1)
        window = self.inputs[:, i : i + self.reach + 1, j : j + 2 * self.reach + 1].flatten(1)
        return F.linear(window[:, : self.seen], self.kernel, self.bias)

    def _check_place(self, i: int, j: int, rows: int, columns: int) -> None:
        whole(0, i=i, j=j)
        between(0, self.height - rows, i=i)
        between(0, self.width - columns, j=j)


class LookBack(nn.Conv2d):
    """Convolution without a mask whose kernel ends at its own row, and at its own pixel if `right` is 0.

    Args: up, left, right: how many places it reaches in each direction, in steps of `dilation`. Keeps height and width.
    """

    def __init__(self, inputs: int, outputs: int, up: int, left: int, right: int, dilation: int = 1):
        whole(0, up=up, left=left, right=right)
        whole(1, dilation=dilation)
        fits(inputs=inputs, outputs=outputs, up=up + 1, columns=left + right + 1)
        super().__init__(inputs, outputs, (up + 1, left + right + 1), dilation=dilation)
        self.pad = (left * dilation, right * dilation, up * dilation, 0)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w).  Raises: TypeError, ValueError: other axes or numbers, or NaN."""
        check_layer(self, x=(x, f"n {self.in_channels} h w"))
        return F.conv2d(F.pad(x, self.pad), self.weight, self.bias, dilation=self.dilation)


def shifted(x: Tensor, down: int = 0, right: int = 0) -> Tensor:
    """Move maps (..., h, w) down or to the right; zeros come in, and what leaves is lost."""
    whole(0, down=down, right=right)
    tensors("(..., h, w)", x=x)
    between(0, x.shape[-2], down=down)
    between(0, x.shape[-1], right=right)
    return F.pad(x, (right, 0, down, 0))[..., : x.shape[-2], : x.shape[-1]]


# --- what all pixel models share --------------------------------------------------------------------------------------


class PixelModel(nn.Module, ABC):
    """Exact probability of grey pictures: p(x) = product over pixels of p(pixel | pixels before it).

    Args: levels: grey levels, 2 to 256.  shape: height and width.  width: channels.
    A subclass says in `context` what is known at each pixel. Grey levels enter as cosines and leave as cosines, so that
    levels that lie close start as alike. Equation (pixel.chain).
    """

    def __init__(self, levels: int, shape: tuple[int, int], width: int):
        super().__init__()
        _check_levels(levels)
        fits(width=width, levels=levels)
        self.levels, self.shape = levels, sizes(2, shape=shape)
        self.embed = nn.Embedding.from_pretrained(waves(levels, WAVES), freeze=False)
        self.place = nn.Parameter(torch.zeros(width, *self.shape))
        last = nn.Conv2d(width, levels, 1)
        last.weight.data.copy_(waves(levels, width)[..., None, None] / width**0.5)
        self.head = nn.Sequential(nn.SiLU(), nn.Conv2d(width, width, 1), nn.SiLU(), last)

    @abstractmethod
    def context(self, embedded: Tensor) -> Tensor:
        """What is known at each pixel: (n, WAVES, h, w) to (n, width, h, w), blind to the pixel and all after it."""

    def forward(self, x: Tensor) -> Tensor:
        """Logits of each pixel given those before it: (n, h, w) int64 to (n, levels, h, w).

        Raises: ValueError for another shape or levels out of range, TypeError for numbers that are not whole.
        """
        self._check(x)
        with trusted():
            return self.head(self.context(self.embed(x).movedim(-1, 1)))

    @torch.no_grad()
    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log-probability of each picture, in nats: (n, h, w) int64 to (n,), <= 0.  Errors as in `forward`."""
        axes_of(pictures=(x, "n h w"))
        parts = [F.cross_entropy(self(part).float(), part, reduction="none").sum((1, 2)) for part in x.split(BATCH)]
        return -torch.cat(parts)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        *,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
        given: Tensor | None = None,
        cached: bool = True,
    ) -> Tensor:
        """Draw pictures, (n, h, w) int64, pixel by pixel.

        Args: temperature: of the logits, 1e-6 to 1e6; generator: on the device of the model; given: the first rows of
        each picture, (n, rows, w) int64, which are kept and continued; cached: keep what the layers saw at earlier
        pixels, if the model can (`PixelCNN`), so that a picture costs one pass of the network and not one a pixel.
        """
        check_temperature(temperature)
        of_type(bool, cached=cached)
        x, done = self._begun(n, given)
        with trusted():
            logits_at = self._remembering(x, done) if cached else self._from_scratch(x)
            for i in range(done, self.shape[0]):
                for j in range(self.shape[1]):
                    x[:, i, j] = draw(logits_at(i, j) / temperature, generator)
        return x

    def _from_scratch(self, x: Tensor) -> NextPixel:
        return lambda i, j: self(x)[:, :, i, j]

    def _remembering(self, x: Tensor, done: int) -> NextPixel:
        """The next step with a memory, for pictures x whose first `done` rows are drawn; here without one."""
        return self._from_scratch(x)

    def _begun(self, n: int, given: Tensor | None) -> tuple[Tensor, int]:
        """Pictures whose first rows are given and whose others are 0, and how many rows are done."""
        fits(n=n, levels=self.levels)
        if given is not None:
            check_axes(given=(given, f"{n} rows {self.shape[1]}"))
        x = torch.zeros(n, *self.shape, dtype=torch.long, device=self.place.device)
        rows = 0 if given is None else given.shape[1]
        if given is not None:
            x[:, :rows] = given
            self._check(x)
        return x, rows

    def _check_embedded(self, embedded: Tensor) -> None:
        check_layer(self, embedded=(embedded, f"n {WAVES} {self.shape[0]} {self.shape[1]}"))

    def _check(self, x: Tensor) -> None:
        check_real(pictures=x)
        if x.is_floating_point():
            raise TypeError(f"pictures must be whole grey levels, got {x.dtype}; use to_levels(pixels, {self.levels})")
        if x.ndim != 3 or tuple(x.shape[1:]) != self.shape:
            wanted = ", ".join(map(str, self.shape))
            raise ValueError(f"pictures must be (n, {wanted}), got {tuple(x.shape)}; use data.fashion_mnist().pixels")
        if x.numel() and not 0 <= int(x.min()) <= int(x.max()) < self.levels:
            found = f"{int(x.min())} to {int(x.max())}"
            raise ValueError(f"grey levels must lie in 0 to {self.levels - 1}, got {found}; use to_levels")


def _check_levels(levels: int) -> None:
    between(2, 256, levels=levels)


def waves(levels: int, count: int) -> Tensor:
    """Cosines over the grey levels, slowest first, without the constant: (levels, count)."""
    fits(levels=levels, count=count)
    phase = (torch.arange(levels) + 0.5) / levels
    return torch.cos(math.pi * phase[:, None] * torch.arange(1, count + 1))


def draw(logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """One level for each row of logits: (n, levels) to (n,) int64."""
    shaped("(n, levels)", logits=logits)
    check_logits(logits)
    reached = logits.float().softmax(1).cumsum(1)
    u = torch.rand(len(logits), 1, generator=generator, device=logits.device) * reached[:, -1:]
    return torch.searchsorted(reached, u, right=True)[:, 0].clamp(max=logits.shape[1] - 1)


# --- the plain one ----------------------------------------------------------------------------------------------------


class PixelCNN(PixelModel):
    """A stack of masked convolutions: one of mask A, then residual blocks of mask B.

    It has a blind spot: some pixels above and to the right never reach a pixel, however many blocks there are.
    Args: levels, shape, width: as `PixelModel`; blocks: residual blocks; first, size: kernels of masks A and B.
    Source: van den Oord, Kalchbrenner & Kavukcuoglu 2016, arXiv:1601.06759, section 3.
    """

    def __init__(
        self,
        levels: int = 2,
        shape: tuple[int, int] = (28, 28),
        width: int = 32,
        blocks: int = 4,
        first: int = 7,
        size: int = 3,
    ):
        super().__init__(levels, shape, width)
        whole(0, blocks=blocks)
        fits(blocks=max(1, blocks), width=width, rows=width)
        check_odd(first=first, size=size)
        self.first = MaskedConv2d(WAVES, width, first, sees_itself=False)
        self.blocks = nn.ModuleList([MaskedConv2d(width, width, size, sees_itself=True) for _ in range(blocks)])

    def context(self, embedded: Tensor) -> Tensor:
        """What is known at each pixel, see `PixelModel`.  Raises: TypeError, ValueError: as of a layer."""
        self._check_embedded(embedded)
        with trusted():
            h = self.first(embedded) + self.place
            for look in self.blocks:
                h = h + look(F.silu(h))
        return h

    def _remembering(self, x: Tensor, done: int) -> NextPixel:
        """What the layers saw at earlier pixels is kept: nothing is computed twice."""
        seen = self._seen(x, done)

        def logits_at(i: int, j: int) -> Tensor:
            if (i, j) > (done, 0):  # the pixel before this one has been drawn by now
                row, column = divmod(i * self.shape[1] + j - 1, self.shape[1])
                seen[0].write(self.embed(x[:, row, column])[..., None, None], row, column)
            return self._logits_at(i, j, seen)

        return logits_at

    def _looks(self) -> list[MaskedConv2d]:
        """The blocks' convolutions, in order."""
        return [look for look in self.blocks if isinstance(look, MaskedConv2d)]

    def _seen(self, x: Tensor, rows: int) -> list[Seen]:
        """What all layers see of the rows that are done."""
        seen = [Seen(layer, len(x), *self.shape) for layer in (self.first, *self._looks())]
        known = self.embed(x[:, :rows]).movedim(-1, 1)
        seen[0].write(known, 0, 0)
        if rows:
            h = self.first(known) + self.place[:, :rows]
            for look, inputs in zip(self._looks(), seen[1:], strict=True):
                inputs.write(F.silu(h), 0, 0)
                h = h + look(F.silu(h))
        return seen

    def _logits_at(self, i: int, j: int, seen: list[Seen]) -> Tensor:
        """Logits (n, levels) of one pixel; `seen` receives what the layers see there."""
        h = seen[0].at(i, j) + self.place[:, i, j]
        for inputs in seen[1:]:
            inputs.write(F.silu(h)[..., None, None], i, j)
            h = h + inputs.at(i, j)
        for layer in self.head:
            h = F.linear(h, layer.weight.flatten(1), layer.bias) if isinstance(layer, nn.Conv2d) else layer(h)
        return h


# --- the gated one ----------------------------------------------------------------------------------------------------


class GatedBlock(nn.Module):
    """One layer of two stacks: `down` looks at all rows above, `along` at the pixels to the left and at `down`.

    Each stack is cut where it may not look: nothing is masked, and no earlier pixel is missed. Unlike in the paper the
    down stack has no gate, which is cheaper.
    Source: van den Oord et al. 2016, arXiv:1606.05328, section 2.2, figure 2. Equation (pixel.gate).
    """

    def __init__(self, width: int, size: int = 3, dilation: int = 1):
        super().__init__()
        check_odd(size=size)
        fits(width=width, dilation=dilation)
        reach = size // 2
        self.down = LookBack(width, width, reach, reach, reach, dilation)
        self.along = LookBack(width, 2 * width, 0, reach, 0, dilation)
        self.link = nn.Conv2d(width, 2 * width, 1)

    def forward(self, v: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Both stacks, each (n, width, h, w), one layer on.  Raises: as `LookBack`."""
        axes = f"n {self.down.in_channels} rows columns"
        check_layer(self, v=(v, axes), h=(h, axes))
        with trusted():
            v = v + self.down(F.silu(v))
            return v, h + gate(self.along(h) + self.link(v))


def gate(x: Tensor) -> Tensor:
    """The tanh of half of the channels, let through by the sigmoid of the other: (n, 2c, h, w) to (n, c, h, w)."""
    if check_axes(x=(x, "n channels ..."))["channels"] % 2:
        raise ValueError(f"x must have an even number of channels, got {tuple(x.shape)}")
    value, door = x.chunk(2, dim=1)
    return value.tanh() * door.sigmoid()


class GatedPixelCNN(PixelModel):
    """Two stacks of convolutions and no blind spot.

    Args: levels, shape, width: as `PixelModel`; first: kernel of the first layer; size: of the others; dilations: of
    each block.
    Source: van den Oord et al. 2016, arXiv:1606.05328, section 2.
    """

    def __init__(
        self,
        levels: int = 2,
        shape: tuple[int, int] = (28, 28),
        width: int = 32,
        first: int = 7,
        size: int = 3,
        dilations: tuple[int, ...] = (1, 2, 4, 1),
    ):
        super().__init__(levels, shape, width)
        check_odd(first=first, size=size)
        of_type((tuple, list), dilations=dilations)
        reach = first // 2
        self.down = LookBack(WAVES, width, reach, reach, reach)
        self.along = LookBack(WAVES, width, 0, reach, 0)
        self.blocks = nn.ModuleList([GatedBlock(width, size, dilation) for dilation in dilations])

    def context(self, embedded: Tensor) -> Tensor:
        """What is known at each pixel, see `PixelModel`.  Raises: TypeError, ValueError: as of a layer."""
        self._check_embedded(embedded)
        with trusted():
            v = self.down(shifted(embedded, down=1)) + self.place
            h = self.along(shifted(embedded, right=1)) + v
            for block in self.blocks:
                v, h = block(v, h)
        return h
