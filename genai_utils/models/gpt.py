"""GPT: a transformer that predicts the next token from those before it, as GPT-2 has it and with what came since.

Shapes: tokens (batch, time), integers in 0..vocabulary - 1; logits (batch, time, vocabulary), those at t made of the
tokens up to and including t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import NoneType
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from genai_utils.checks import between, fits, looks, of_type, one_of, sound, tensors, trusted, whole
from genai_utils.models.shapes import check_axes, check_layer, check_one_format, explained

POSITIONS, NORMS, ACTIVATIONS = ("rotary", "learned", "none"), ("rms", "layer"), ("relu2", "gelu")
STARTS = ("idle", "gpt2")


@dataclass(frozen=True)
class Config:
    """Shape of a GPT, and which of the variations it has. The defaults are what trains fastest here; see `gpt2_config`.

    Args:
        context: the longest past, in tokens.  width: of a token's vector, heads times an even number.
        positions: "rotary" turns queries and keys (Su et al. 2021, arXiv:2104.09864), "learned" adds a vector for each
            place, "none" leaves order to the causal mask.
        norm: "rms" (Zhang & Sennrich 2019, arXiv:1910.07467) or "layer".  activation: "relu2" (So et al. 2021,
            arXiv:2109.08668) or "gelu".  bias: of the matrices and norms.
        qk_norm: queries and keys have length sqrt(head). Henry et al. 2020, arXiv:2010.04245, make it 1 and learn a
            scale instead of dividing scores by sqrt(head); here the division stays.
        tied: the last matrix is the embedding.
        init: "idle": blocks begin by adding nothing; "gpt2": all matrices small (Radford et al. 2019, section 2.3).
    Raises: TypeError, ValueError: a size that is no whole number of 1 or more, or an unknown variation.
    """

    vocabulary: int
    context: int = 64
    layers: int = 4
    heads: int = 4
    width: int = 128
    positions: Literal["rotary", "learned", "none"] = "rotary"
    norm: Literal["rms", "layer"] = "rms"
    activation: Literal["relu2", "gelu"] = "relu2"
    qk_norm: bool = True
    bias: bool = False
    tied: bool = False
    init: Literal["idle", "gpt2"] = "idle"

    def __post_init__(self) -> None:
        sizes = ("vocabulary", "context", "layers", "heads", "width")
        whole(1, **{name: getattr(self, name) for name in sizes})
        one_of(POSITIONS, positions=self.positions)
        one_of(NORMS, norm=self.norm)
        one_of(ACTIVATIONS, activation=self.activation)
        one_of(STARTS, init=self.init)
        of_type(bool, qk_norm=self.qk_norm, bias=self.bias, tied=self.tied)
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be divisible by twice the heads, got {self.width} for {self.heads} heads")


def gpt2_config(config: Config) -> Config:
    """The same sizes with the choices of GPT-2 (Radford et al. 2019), which are also those of GPT-3."""
    of_type(Config, config=config)
    return replace(
        config, positions="learned", norm="layer", activation="gelu", qk_norm=False, bias=True, tied=True, init="gpt2"
    )


class Cache:
    """Keys and values of the tokens read so far, so that the next one need not compute them again.

    `length` tokens are held, config.context at most, for as many sequences, on the device and in the number format that
    the first tokens come with.
    """

    def __init__(self, config: Config):
        of_type(Config, config=config)
        self.layers = [LayerCache(config.context) for _ in range(config.layers)]

    @property
    def length(self) -> int:
        """How many tokens have been read."""
        return self.layers[0].length


class LayerCache:
    """Keys and values of one layer: (batch, heads, room, head) each, of which `length` are filled."""

    keys: Tensor
    values: Tensor

    def __init__(self, room: int):
        whole(1, room=room)
        self.room, self.length = room, 0

    def insert(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add those of the next tokens, (batch, heads, time, head) each, and return all that are held.

        Raises: ValueError: another batch than before, or no room; other axes, or NaN.  TypeError: no numbers.
        """
        if looks():
            check_axes(k=(k, "batch heads time head"), v=(v, "batch heads time head"))
        if not self.length:
            self.keys, self.values = (new.new_empty(*new.shape[:2], self.room, new.shape[3]) for new in (k, v))
        if k.shape[:2] != self.keys.shape[:2] or self.length + k.shape[2] > self.room:
            held = f"{tuple(self.keys.shape)} of which {self.length} are filled"
            raise ValueError(f"k must go into a cache of {held}, got {tuple(k.shape)}; give another cache")
        start, self.length = self.length, self.length + k.shape[2]
        self.keys[:, :, start : self.length], self.values[:, :, start : self.length] = k, v
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]


class Attention(nn.Module):
    """Each token gathers from those before it what its query asks for. Equations (gpt.attention), (gpt.causal)."""

    def __init__(self, config: Config):
        super().__init__()
        of_type(Config, config=config)
        fits(width=config.width, rows=config.width)
        self.heads, self.qk_norm = config.heads, config.qk_norm
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=config.bias)
        self.out = nn.Linear(config.width, config.width, bias=config.bias)

    def forward(self, x: Tensor, turn: Tensor | None, cache: LayerCache | None = None) -> Tensor:
        """x: (batch, time, width); turn: (time, head / 2, 2), see `rotations`; cache: of the tokens before.

        Raises: TypeError, ValueError: other shapes, another number format than that of the weights, NaN.
        """
        of_type((LayerCache, NoneType), cache=cache)
        q, k, v = self.project(x, turn)
        with trusted():
            if cache is not None:
                k, v = cache.insert(k, v)
            return self.out(attend(q, k, v).transpose(1, 2).flatten(2))

    def project(self, x: Tensor, turn: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (batch, heads, time, head).  Raises: as `forward`."""
        check_layer(self, x=(x, f"batch time {self.out.in_features}"))
        qkv = self.qkv(x).unflatten(2, (3 * self.heads, -1)).transpose(1, 2)
        qk, v = qkv.split([2 * self.heads, self.heads], dim=1)  # queries and keys are treated alike: once for both
        if self.qk_norm:
            qk = F.rms_norm(qk, qk.shape[-1:])
        q, k = (qk if turn is None else rotate(qk, turn)).chunk(2, dim=1)
        return q, k, v


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention: softmax(q k' / sqrt(head)) v, the last query at the last key. Equation (gpt.causal).

    Args: q: (batch, heads, queries, head); k, v: (batch, heads, keys, head), keys >= queries.  Returns: as q.
    Raises: ValueError: other shapes, or NaN.  TypeError: other number formats.
    On a GPU the fused kernel is faster; on a CPU in bf16 it takes twice the time of the formula (benchmarks).
    """
    check_axes(k=(k, "batch heads keys head"), v=(v, "batch heads keys values"))
    check_one_format(q=q, k=k, v=v)
    if q.is_cuda and q.shape == k.shape:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return attention_weights(q, k) @ v


def attention_weights(q: Tensor, k: Tensor) -> Tensor:
    """How much each query takes from each key, (batch, heads, queries, keys); rows sum to 1. Equation (gpt.causal).

    Args: as `attend`.
    """
    size = check_axes(q=(q, "batch heads queries head"), k=(k, "batch heads keys head"))
    check_one_format(q=q, k=k)
    if size["queries"] > size["keys"]:
        raise ValueError(f"k has {size['keys']} keys, fewer than the {size['queries']} queries that look back at them")
    scores = q * q.shape[-1] ** -0.5 @ k.mT
    queries, keys = scores.shape[-2:]
    if queries > 1:
        later = torch.full((queries, keys), -math.inf, dtype=scores.dtype, device=q.device).triu(keys - queries + 1)
        scores = scores + later  # a sum passes its gradient on as it is: cheaper than filling in
    return scores.softmax(-1).to(q.dtype)


def rotations(context: int, head: int, base: float = 1000.0) -> Tensor:
    """Angles of rotary positions, (context, head / 2, 2): cosine and sine of t * base^(-2 i / head). (gpt.rotary).

    Raises: ValueError: head is not even, or base not in [1, 1e9].
    """
    fits(context=context, head=head)
    between(1, 1e9, base=base)
    if head % 2:
        raise ValueError(f"head must be even: its numbers turn in pairs, got {head}")
    angle = torch.arange(context)[:, None] * base ** -(torch.arange(0, head, 2) / head)
    return torch.stack([angle.cos(), angle.sin()], dim=-1)


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn pairs (x_i, x_{i + head/2}) of the vector at place t by t times their angle. Equation (gpt.rotary).

    Args: x: (..., time, head); turn: (time, head / 2, 2).  Returns: as x; lengths do not change.
    """
    size = check_axes(x=(x, "... head"), turn=(turn, "... half 2"))
    if min(x.ndim - 1, turn.ndim - 2) > 0 and turn.shape[-3] not in (1, x.shape[-2]):
        raise ValueError(f"turn must have as many places as x, got {turn.shape[-3]} and {x.shape[-2]}")
    if size["head"] != 2 * size["half"]:
        raise ValueError(
            f"turn and x must have half / head = 1 / 2, got {size['half']} / {size['head']}; see rotations"
        )
    first, second = x.chunk(2, dim=-1)
    cos, sin = turn.to(x.dtype).unbind(-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class Block(nn.Module):
    """A token looks around, then thinks: both steps are added to what it was."""

    def __init__(self, config: Config):
        super().__init__()
        of_type(Config, config=config)
        self.norm1, self.attention, self.norm2 = _norm(config), Attention(config), _norm(config)
        self.up = nn.Linear(config.width, 4 * config.width, bias=config.bias)
        self.down = nn.Linear(4 * config.width, config.width, bias=config.bias)
        self.gelu = config.activation == "gelu"

    def forward(self, x: Tensor, turn: Tensor | None, cache: LayerCache | None = None) -> Tensor:
        """(batch, time, width) to the same; arguments and errors as `Attention`."""
        check_layer(self, x=(x, f"batch time {self.up.in_features}"))
        if isinstance(turn, Tensor):
            sound(turn=turn)
        with trusted():
            x = x + self.attention(self.norm1(x), turn, cache)
            h = self.up(self.norm2(x))
            return x + self.down(F.gelu(h, approximate="tanh") if self.gelu else h.relu() * h)  # relu(h)^2


class GPT(nn.Module):
    """A transformer that reads tokens and scores the next one at every place.

    Raises: ValueError: tokens are not (batch, time), longer than the context or not in the vocabulary (which a GPU says
        in its own words).  TypeError: no whole numbers.
    """

    turn: Tensor | None

    def __init__(self, config: Config):
        super().__init__()
        of_type(Config, config=config)
        fits(vocabulary=config.vocabulary, width=config.width)
        fits(context=config.context, width=config.width)
        fits(width=config.width, four_widths=4 * config.width)
        fits(layers=config.layers, width=config.width, three_widths=3 * config.width)  # a quarter: 4e9 may fit a GPU
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.places = nn.Embedding(config.context, config.width) if config.positions == "learned" else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = _norm(config)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        turn = rotations(config.context, config.width // config.heads) if config.positions == "rotary" else None
        self.register_buffer("turn", turn, persistent=False)
        self._start()

    def forward(self, tokens: Tensor, cache: Cache | None = None, last: bool = False) -> Tensor:
        """Logits of the next token at each place, (batch, time, vocabulary), or at the last place alone (time 1).

        A cache is read and filled.
        """
        of_type((Cache, NoneType), cache=cache)
        x, turn = self._embed(tokens, cache.length if cache else 0)
        with trusted():
            for layer, block in enumerate(self.blocks):
                x = block(x, turn, cache.layers[layer] if cache else None)
            return self.head(self.norm(x[:, -1:] if last else x))

    @torch.no_grad()
    def attention_maps(self, tokens: Tensor) -> Tensor:
        """Who looks at whom: (layers, batch, heads, time, time); a row is a query and sums to 1."""
        x, turn = self._embed(tokens, 0)
        maps = []
        with trusted():
            for block in self.blocks:
                assert isinstance(block, Block)
                q, k, _ = block.attention.project(block.norm1(x), turn)
                maps.append(attention_weights(q, k))
                x = block(x, turn)
        return torch.stack(maps)

    def _embed(self, tokens: Tensor, start: int) -> tuple[Tensor, Tensor | None]:
        tensors("(..., time)", tokens=tokens)
        end = start + tokens.shape[-1]
        if tokens.dim() != 2 or end > self.config.context:
            limit = f"(batch, time) with at most {self.config.context} tokens in all"
            raise ValueError(f"tokens must be {limit}, got {tuple(tokens.shape)} after {start}")
        with explained(self.config.vocabulary, tokens=tokens):
            x = self.tokens(tokens)
        if self.places is not None:
            x = x + self.places(torch.arange(start, end, device=tokens.device))
        return x, self.turn[start:end] if self.turn is not None else None

    def _start(self) -> None:
        """Random matrices, see `Config.init`: a block starts as a copy of its input or close to it."""
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() == 2:
                nn.init.normal_(parameter, std=self._spread(name, parameter.shape[1]))
        if self.config.tied:
            self.head.weight = self.tokens.weight

    def _spread(self, name: str, inputs: int) -> float:
        """Standard deviation with which a matrix starts, see `Config.init`."""
        adds_to_stream = name.endswith(("out.weight", "down.weight"))
        if self.config.init == "gpt2":
            return 0.02 * ((2 * self.config.layers) ** -0.5 if adds_to_stream else 1)
        if adds_to_stream:
            return 0.0
        return {"tokens.weight": 1.0, "places.weight": 1.0, "head.weight": 0.02}.get(name, inputs**-0.5)


def _norm(config: Config) -> nn.Module:
    if config.norm == "rms":
        return nn.RMSNorm(config.width)
    return nn.LayerNorm(config.width, bias=config.bias)


def sized(vocabulary: int, context: int, layers: int, heads: int, width: int) -> GPT:
    """An untrained GPT of these sizes without variations, from plain numbers as the zoo keeps them."""
    return GPT(Config(vocabulary, context, layers, heads, width))


def gpt2_weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of Hugging Face's GPT2LMHeadModel under our names, for `load_state_dict`: our reference in the tests.

    Args: state: its state_dict; its matrices multiply from the right, (in, out), and are turned.
    Raises: ValueError if there are no such weights in it.
    """
    of_type(dict, state=state)
    names = {"wte": "tokens", "wpe": "places", "h": "blocks", "ln_1": "norm1", "ln_2": "norm2", "ln_f": "norm"}
    names |= {"attn": "attention", "c_attn": "qkv", "c_fc": "up", "lm_head": "head"}
    if "transformer.wte.weight" not in state:
        raise ValueError(f"these are not the weights of a GPT2LMHeadModel: {sorted(state)[:3]}")
    ours = {}
    for name, value in state.items():
        parts = name.removeprefix("transformer.").replace("attn.c_proj", "attn.out").replace("mlp.c_proj", "down")
        parts = ".".join(names.get(part, part) for part in parts.replace("mlp.", "").split("."))
        ours[parts] = value.T if ".c_" in name and value.dim() == 2 else value
    return ours


def optimizers(
    model: nn.Module, muon: float = 0.02, adamw: float = 4e-3, decay: float = 0.0, iterations: int = 5
) -> tuple[Optimizer, Optimizer]:
    """Muon for the matrices of the blocks, AdamW for embedding, head, norms and biases, at these rates.

    Args: model: a GPT, ours or one with its blocks in `blocks`.  decay: weight decay of Muon.  iterations: of Newton
        and Schulz, by which Muon makes a step's singular values alike; fewer are faster and less exact.
    Raises: RuntimeError: torch is older than 2.9 and has no Muon.
    Source: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/.
    """
    of_type(nn.Module, model=model)
    if not isinstance(blocks := getattr(model, "blocks", None), nn.Module):
        raise ValueError(f"model must hold its blocks as `blocks`, got {type(model).__name__} without them")
    between(0, 1e9, muon=muon, adamw=adamw, decay=decay)
    whole(1, iterations=iterations)
    between(1, 99, iterations=iterations)
    if not hasattr(torch.optim, "Muon"):
        raise RuntimeError(f"Muon needs torch 2.9 or newer, this is {torch.__version__}; pip install -U torch")
    matrices = [p for p in blocks.parameters() if p.dim() == 2]
    rest = [p for p in model.parameters() if not any(p is matrix for matrix in matrices)]
    return (
        torch.optim.Muon(matrices, lr=muon, momentum=0.95, weight_decay=decay, ns_steps=iterations),
        torch.optim.AdamW(rest, lr=adamw, betas=(0.9, 0.95), weight_decay=0.0),
    )


def windows(tokens: Tensor, length: int) -> Tensor:
    """All passages of `length` tokens of a text, one a row: a view (n - length + 1, length) of tokens (n,)."""
    whole(1, length=length)
    tensors("(...)", tokens=tokens)
    if tokens.dim() != 1 or len(tokens) < length:
        raise ValueError(f"tokens must be (n,) with n >= {length}, the length, got {tuple(tokens.shape)}")
    return tokens.unfold(0, length, 1)


@torch.no_grad()
def log_probs(model: GPT, tokens: Tensor, batch: int = 64) -> Tensor:
    """Log probability of each token after the first, nats, the text being read in pieces of a context.

    Args: tokens: (n,), n >= 2.  batch: pieces side by side.
    Returns: (n - 1,); the first token of a piece is predicted from the last of the piece before alone.
    """
    of_type(GPT, model=model)
    whole(1, batch=batch)
    windows(tokens, 2)
    context = model.config.context
    end = (len(tokens) - 1) // context * context
    pieces = list(tokens[: end + 1].unfold(0, context + 1, context).split(batch)) if end else []
    if end < len(tokens) - 1:
        pieces.append(tokens[None, end:])
    scores = [model(piece[:, :-1]).float().log_softmax(-1) for piece in pieces]
    found = [p.gather(-1, piece[:, 1:, None]).flatten() for p, piece in zip(scores, pieces, strict=True)]
    return torch.cat(found)


def forward_flops(config: Config, time: int | None = None) -> float:
    """Multiplications and additions of the matrices for one of `time` tokens read at once. Equation (gpt.flops).

    2 for each weight of a matrix, and in each layer 2 * 2 * width for each of the `time` keys: those that the mask
    hides are multiplied too. Norms and activations are left out. Training takes three times as much.
    """
    of_type(Config, config=config)
    if time is not None:
        whole(1, time=time)
    t, weights = time or config.context, 12 * config.layers * config.width**2 + config.vocabulary * config.width
    return 2 * weights + 4 * config.layers * config.width * t


def training_flops(config: Config, time: int | None = None) -> float:
    """The same for a step of training: back through a product are two products. Equation (gpt.training-flops)."""
    return 3 * forward_flops(config, time)


def decoding_bytes(config: Config, past: int, batch: int = 1, item: int = 4) -> int:
    """What must be read to write one token each in `batch` texts, with `past` tokens in the cache of each.

    The matrices once for all texts, keys and values of each text; `item`: bytes of a number. Equation (gpu.mbu).
    """
    of_type(Config, config=config)
    whole(0, past=past)
    whole(1, batch=batch, item=item)
    weights = 12 * config.layers * config.width**2 + config.vocabulary * config.width
    return item * (weights + batch * 2 * config.layers * config.width * past)
