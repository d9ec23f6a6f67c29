"""WaveNet, small: sound as a row of 256 levels, each predicted from those before it by dilated causal convolutions.

Read from top to bottom: mu-law, the layer, the network, writing with memory. Levels are (n, t) int64. What comes before
the first level of a recording is silence, so that every prediction sees a whole window of `receptive_field` levels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genai_utils.checks import fits, looks, of_type, tensors, trusted, whole
from genai_utils.models.shapes import (
    axes_of,
    check_axes,
    check_filled,
    check_labels,
    check_layer,
    check_logits,
    check_real,
    check_temperature,
    explained,
)

LEVELS = 256
SILENCE = LEVELS // 2  # the level of a sample that is 0


# --- mu-law -----------------------------------------------------------------------------------------------------------


def mu_law(samples: Tensor) -> Tensor:
    """Level of each sample, 0 to 255: fine steps near silence, coarse ones where it is loud.

    Args: samples: float, any shape, in [-1, 1].  Returns: int64 of that shape.  Raises: ValueError for samples outside.
    Source: ITU-T G.711; van den Oord et al. 2016, arXiv:1609.03499, section 2.2. Equation (wave.mu-law).
    """
    axes_of(samples=(samples, "..."))
    if samples.numel() and not samples.abs().max() <= 1:
        raise ValueError(f"samples must lie in [-1, 1], got up to {samples.abs().max()}; divide int16 by 32768")
    mu = LEVELS - 1
    squeezed = samples.sign() * torch.log1p(mu * samples.abs()) / math.log1p(mu)
    return ((squeezed + 1) / 2 * mu + 0.5).floor().long()


def inverse_mu_law(levels: Tensor) -> Tensor:
    """Sample in the middle of each level: (...) int64, 0 to 255 -> (...) float32 in [-1, 1].

    Raises: ValueError for other levels.  Source: as `mu_law`. Equation (wave.mu-law).
    """
    check_real(levels=levels)
    if levels.numel() and not 0 <= levels.min() <= levels.max() < LEVELS:
        raise ValueError(f"levels must lie in 0 to {LEVELS - 1}, got {float(levels.min())} to {float(levels.max())}")
    mu = LEVELS - 1
    squeezed = 2 * levels.float() / mu - 1
    return squeezed.sign() * torch.expm1(squeezed.abs() * math.log1p(mu)) / mu


# --- the network ------------------------------------------------------------------------------------------------------


class GatedLayer(nn.Module):
    """A convolution over two moments `dilation` apart, tanh times sigmoid, added to what came in.

    Args: width: channels of the signal; dilation: in samples.
    Source: van den Oord et al. 2016, arXiv:1609.03499, sections 2.3 and 2.4. Equation (wave.gate).
    """

    def __init__(self, width: int, dilation: int):
        super().__init__()
        fits(width=width, rows=width)
        whole(1, dilation=dilation)
        self.dilation = dilation
        self.two_moments = nn.Linear(2 * width, 2 * width)
        self.back = nn.Linear(width, width)

    def forward(self, x: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """(n, t, width), what a label adds (n, 1, 2 width) or 0 -> signal, gated values (n, t - dilation, width).

        Raises: TypeError, ValueError: other axes or numbers, or NaN.
        """
        self._check(label, x=x)
        with trusted():
            return self.at(x[:, : -self.dilation], x[:, self.dilation :], label)

    def at(self, past: Tensor, now: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """The same, from the signal `dilation` samples ago and the signal now, each (n, t, width)."""
        self._check(label, past=past, now=now)
        content, gate = (self.two_moments(torch.cat((past, now), dim=2)) + label).chunk(2, dim=2)
        gated = content.tanh() * gate.sigmoid()
        return now + self.back(gated), gated

    def _check(self, label: Tensor, **signals: Tensor) -> None:
        if not looks():
            return
        check_real(label=label)
        width = self.back.in_features
        given = {name: (signal, f"n t {width}") for name, signal in signals.items()}
        check_layer(self, **given, **({"label": (label, f"n 1 {2 * width}")} if label.ndim else {}))


class WaveNet(nn.Module):
    """Exact probability of a row of levels, one after the other, given those before it, and optionally a label.

    Args: levels: of a sample; width: channels; dilations: of the layers, in order; labels: how many kinds, 0 for none;
        head: channels of the last hidden layer.
    Source: van den Oord et al. 2016, arXiv:1609.03499. Equation (wave.receptive-field).
    """

    def __init__(
        self,
        levels: int = LEVELS,
        width: int = 32,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256),
        labels: int = 0,
        head: int = 128,
    ):
        super().__init__()
        of_type((tuple, list), dilations=dilations)
        whole(0, labels=labels)
        fits(levels=levels, width=width, dilations=len(dilations))
        fits(levels=levels, head=head)
        fits(labels=max(1, labels), width=width, dilations=max(1, len(dilations)))
        self.levels, self.labels = levels, labels
        self.embed = nn.Embedding(levels, width)
        self.tell = nn.Embedding(labels, len(dilations) * 2 * width) if labels else None
        self.layers = nn.ModuleList([GatedLayer(width, dilation) for dilation in dilations])
        self.mix = nn.Linear(len(dilations) * width, head)
        last = nn.Linear(head, levels)
        self.head = nn.Sequential(nn.ReLU(), last)
        with torch.no_grad():
            self.embed.weight.copy_(smooth(levels, width))
            last.weight.copy_(smooth(levels, head) / math.sqrt(3 * head))
            last.bias.zero_()
            if self.tell is not None:
                self.tell.weight.mul_(0.1)

    @property
    def silence(self) -> int:
        """The level in the middle."""
        return self.levels // 2

    @property
    def receptive_field(self) -> int:
        """How many levels before it a prediction sees: 1 + the sum of the dilations."""
        return 1 + sum(layer.dilation for layer in self._gated())

    def forward(self, levels: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits of the level that follows each whole window: (n, t), (n,) -> (n, t - receptive_field + 1, levels).

        Raises: ValueError when there is no whole window, or labels are missing or not wanted.
        """
        tensors("(n, t, ...)", levels=levels)
        length = levels.shape[1] - self.receptive_field + 1
        if length < 1:
            raise ValueError(f"a window has {self.receptive_field} levels, got only {levels.shape[1]}; use log_prob")
        with explained(self.levels, levels=levels):
            x, seen = self.embed(levels), list[Tensor]()
        told = self._told(len(levels), labels)
        with trusted():
            for layer, label in zip(self._gated(), told, strict=True):
                x, gated = layer(x, label)
                seen.append(gated[:, -length:])
            return self.head(self.mix(torch.cat(seen, dim=2)))

    def log_prob(self, levels: Tensor, labels: Tensor | None = None) -> Tensor:
        """Log-probability of each level given those before it, in nats: (n, t), (n,) -> (n, t), <= 0.

        Silence goes before the first level. The sum over t is the log-probability of the row.
        """
        check_axes(levels=(levels, "n t"))
        check_filled(levels=levels)
        logits = self(F.pad(levels, (self.receptive_field, -1), value=self.silence), labels)
        return -F.cross_entropy(logits.float().movedim(2, 1), levels.long(), reduction="none")

    @torch.no_grad()
    def sample(
        self,
        n: int,
        length: int,
        *,
        labels: Tensor | None = None,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Write rows of levels after silence: (n, length) int64.

        Args: labels: (n,) int64; temperature: of the logits, 1e-6 to 1e6; generator: on the device of the model.
        Each layer keeps its last `dilation` inputs, so that a level costs one step of each layer and not a window.
        Source: Paine et al. 2016, arXiv:1611.09482.
        """
        fits(n=n, length=length)
        check_temperature(temperature)
        told, written = self._told(n, labels), []
        level = torch.full((n,), self.silence, device=self.embed.weight.device)
        with trusted():
            layers = list(zip(self._gated(), self._memory_of_silence(n, told), told, strict=True))
            for t in range(length):
                logits = self._next(self.embed(level)[:, None], t, layers)
                check_logits(logits)
                level = torch.multinomial((logits / temperature).softmax(1), 1, generator=generator)[:, 0]
                written.append(level)
        return torch.stack(written, dim=1)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _gated(self) -> list[GatedLayer]:
        return [layer for layer in self.layers if isinstance(layer, GatedLayer)]

    def _told(self, n: int, labels: Tensor | None) -> list[Tensor]:
        """What a label adds in each layer: (n, 1, 2 width) each; a zero each for a network that is told none."""
        check_labels(labels, self.labels, n)
        if self.tell is None:
            return [self.mix.weight.new_zeros(())] * len(self.layers)
        return list(self.tell(labels)[:, None].chunk(len(self.layers), dim=2))

    def _memory_of_silence(self, n: int, told: list[Tensor]) -> list[Tensor]:
        """The last `dilation` inputs of each layer, (n, dilation, width), when there was only silence so far."""
        x = self.embed.weight[self.silence].expand(n, 1, -1)
        memory = []
        for layer, label in zip(self._gated(), told, strict=True):
            memory.append(x.repeat(1, layer.dilation, 1))
            x, _ = layer.at(x, x, label)
        return memory

    def _next(self, x: Tensor, t: int, layers: list[tuple[GatedLayer, Tensor, Tensor]]) -> Tensor:
        """Logits (n, levels) at time t from its embedding (n, 1, width).

        layers: each with its memory, which receives what the layer gets, and with what it is told.
        """
        seen = []
        for layer, queue, label in layers:
            place = slice(t % layer.dilation, t % layer.dilation + 1)
            past, queue[:, place] = queue[:, place].clone(), x
            x, gated = layer.at(past, x, label)
            seen.append(gated)
        return self.head(self.mix(torch.cat(seen, dim=2)))[:, 0]


def smooth(levels: int, width: int, waves: int = 16) -> Tensor:
    """Random vectors, alike for neighboring levels: (levels, width), of standard deviation 1.

    A network that starts from them need not learn first that level 130 lies between 129 and 131. They are sums of
    `waves` cosines over the levels, the k-th with random amplitudes of size 1 / k.
    """
    whole(2, levels=levels)
    fits(levels=levels, width=width, waves=waves)
    k = torch.arange(1, waves + 1)
    cosines = torch.cos(math.pi * k * (torch.arange(levels)[:, None] + 0.5) / levels)
    vectors = cosines @ (torch.randn(waves, width) / k[:, None])
    return vectors / vectors.std()


def excerpts(rows: Sequence[Tensor], context: int, length: int, silence: int = SILENCE) -> tuple[Tensor, Tensor]:
    """Cut rows of levels, or samples, into pieces to train on, each with what came before it, silence in the beginning.

    Args: rows: (t,) each, t >= length; context: levels before each piece, the receptive field; length: of it; silence:
        the value that goes before the beginning, 0 for samples.
    Returns: pieces (n, context + length) and the number of the row that each comes from, (n,).  The last piece of a row
    ends with the row, and so repeats some of the piece before.  Raises: ValueError for a row shorter than `length`.
    """
    of_type((tuple, list), rows=rows)
    tensors("(t)", **{f"rows[{number}]": row for number, row in enumerate(rows)})
    whole(0, context=context)
    whole(0, silence=silence)
    fits(context=max(1, context), length=length)
    if not rows:
        raise ValueError("rows must hold at least one row of levels, got none")
    if short := [len(row) for row in rows if len(row) < length]:
        raise ValueError(f"every row must have at least {length} levels, got one of {min(short)}; lower `length`")
    pieces, numbers = [], []
    for number, row in enumerate(rows):
        padded = F.pad(row, (context, 0), value=silence)
        starts = [*range(0, len(row) - length, length), len(row) - length]
        pieces += [padded[start : start + context + length] for start in starts]
        numbers += [number] * len(starts)
    return torch.stack(pieces), torch.tensor(numbers)
