"""Write with the shipped GPT: a transformer that runs in the page, character by character, without a kernel."""

from __future__ import annotations

from dataclasses import asdict
from types import NoneType

import traitlets

from genai_utils import zoo
from genai_utils.checks import between, of_type, whole
from genai_utils.data.text import encode, shakespeare_alphabet
from genai_utils.models.gpt import GPT, Config
from genai_utils.models.quantization import eight_bits
from genai_utils.models.sampling import Decoding
from genai_utils.show.explorers.kit import Explorer

SIZES = ("vocabulary", "context", "layers", "heads", "width")
MOST = 550_000  # weights that a notebook can carry


class GPTExplorer(Explorer, script="gpt"):
    """Let a character GPT write on, and see which characters it weighs before each.

    The matrices are stored with eight bits a weight and one scale a row. The shipped model lies on that grid, so the
    page computes what PyTorch does; one of your own is rounded. The random numbers depend on the seed and the place in
    the text alone: same prompt, settings and seed give the same text. Equations (gpt.causal), (gpt.rotary).

    Args:
        prompt: what to start from, at least one character.  temperature, top_k, top_p, seed: where the controls stand
            at first; see `models.sampling.Decoding`.
        model, alphabet: a GPT of your own and its characters, in order; by default the zoo's `gpt`.
        inside: show below one head at work on the prompt: queries, keys, scores, shares and values of each character,
            once the reader has guessed where it looks. Equation (gpt.attention).
    Raises: ValueError: a character is not in the alphabet, or the page cannot compute such a model or settings.
    """

    weights = traitlets.Bytes().tag(sync=True)
    numbers = traitlets.Bytes().tag(sync=True)
    sizes: traitlets.Dict[str, int] = traitlets.Dict().tag(sync=True)
    alphabet = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    prompt = traitlets.Unicode().tag(sync=True)
    temperature = traitlets.Float().tag(sync=True)
    top_k = traitlets.Int().tag(sync=True)
    top_p = traitlets.Float().tag(sync=True)
    seed = traitlets.Int().tag(sync=True)
    inside = traitlets.Bool().tag(sync=True)

    def __init__(
        self,
        prompt: str = "MACBETH:\n",
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        model: GPT | None = None,
        alphabet: str | None = None,
        inside: bool = False,
    ) -> None:
        of_type((GPT, NoneType), model=model)
        of_type(bool, inside=inside)
        whole(0, seed=seed)
        network, alphabet = model or _shipped(), alphabet or shakespeare_alphabet()
        check_model(network.config, alphabet)
        if not len(encode(prompt, alphabet)):
            raise ValueError("prompt must have at least one character: the model continues a text")
        check_settings(temperature, top_k, top_p)
        weights, numbers = packed(network)
        super().__init__(
            weights=weights,
            numbers=numbers,
            sizes={name: getattr(network.config, name) for name in SIZES},
            alphabet=alphabet,
            note=describe(network, trained=None if model else zoo.seconds("gpt")),
            prompt=prompt,
            temperature=temperature,
            top_k=top_k or len(alphabet),
            top_p=top_p or 1.0,
            seed=seed,
            inside=inside,
        )

    def __repr__(self) -> str:
        return f"GPTExplorer: a GPT of {len(self.weights):,} weights writes on after {self.prompt!r}"


def check_model(config: Config, alphabet: str) -> None:
    """Say why the page cannot compute a model.  Raises: ValueError."""
    wanted = asdict(Config(**{name: getattr(config, name) for name in SIZES}))
    if other := {name: value for name, value in asdict(config).items() if value != wanted[name]}:
        raise ValueError(f"the page computes the variations { ({name: wanted[name] for name in other}) }, got {other}")
    if len(alphabet) != config.vocabulary:
        raise ValueError(f"alphabet has {len(alphabet)} characters, the model {config.vocabulary} tokens; give its own")


def check_settings(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Say which of the settings no slider can show.  Raises: ValueError."""
    between(0, 2, temperature=temperature)
    Decoding(temperature, top_k, top_p)  # says which of them cannot be


def packed(model: GPT) -> tuple[bytes, bytes]:
    """All matrices, int8; and the scales of their rows and the gains of the norms, float32: in the model's order.

    Raises: ValueError: too many weights for a notebook.
    """
    weights, numbers = [], []
    for value in model.state_dict().values():
        if value.dim() == 2:
            whole, value = eight_bits(value)
            weights.append(whole.numpy().tobytes())
        numbers.append(value.numpy().astype("<f4").tobytes())
    if sum(map(len, weights)) > MOST:
        raise ValueError(f"a notebook carries at most {MOST:,} weights, the model has {sum(map(len, weights)):,}")
    return b"".join(weights), b"".join(numbers)


def describe(model: GPT, trained: float | None) -> str:
    """Size and training of a model in a sentence or two.  trained: CPU seconds of the shipped one, None for others."""
    config, size = model.config, sum(weight.numel() for weight in model.parameters())
    shape = f"{config.layers} layers of width {config.width}, {config.heads} heads each"
    text = f"A GPT of {size:,} weights ({shape}). It sees at most the last {config.context} characters."
    if trained is None:
        return text
    how = f"It read seven plays of Shakespeare for {trained / 60:.0f} minutes on one processor core."
    return f"{text} {how} It knows their spelling and manner, not what is true."


def _shipped() -> GPT:
    model = zoo.load("gpt")
    assert isinstance(model, GPT)
    return model
