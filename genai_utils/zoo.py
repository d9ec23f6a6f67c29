"""Trained weights that ship with the package: safetensors files with a checksum, a model card and a recipe each."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from safetensors.torch import load as load_safetensors
from torch import nn

WEIGHTS = Path(__file__).with_name("weights")


@dataclass(frozen=True)
class Entry:
    """One shipped model.

    builder: "module:function", called without arguments for the untrained model.  seconds: what the recipe in its card
    took, in CPU seconds of one core.
    """

    builder: str
    sha256: str
    seconds: float

    def build(self) -> nn.Module:
        """The model before its weights are loaded; its module is imported only now."""
        module, name = self.builder.split(":")
        build: Callable[[], nn.Module] = getattr(import_module(f"genai_utils.{module}"), name)
        return build()


ENTRIES = {
    "dcgan": Entry("models.gan:Generator", "c633e8467638d60ff7868a1ca57256609d2a4e470021586492ad1cd5d3aa98ed", 688),
    "fashion-classifier": Entry(
        "metrics.classifier:FashionClassifier", "f7efe61b6dc2e97a54cadddc8f0aba8ad59242308f867e446cb5c1556225a70f", 234
    ),
    "vae": Entry("models.vae:VAE", "a9b8686b4e9d6a1f828da3b92b03687cabf4f63df1bb92e56c9174064d89eb8e", 95),
    "vae-maps": Entry(
        "models.vae:latent_maps", "85314d5e58cb0ce8f7c49dea6856eeb093dcd99909987d1301f917b9aa29bf71", 146
    ),
    "vqvae": Entry("models.vqvae:VQVAE", "87a7b83444a222f5c11f7b8e940e1a9082bbdb94ecd933f3e23ad157ba727331", 147),
    "vqvae-prior": Entry(
        "models.vqvae:captioned_prior", "d537c56029da397025e0c6805e817f310919ba00f92aaa8608843eceffaad3e1", 318
    ),
}


def names() -> list[str]:
    """Names of the models that ``load`` knows."""
    return sorted(ENTRIES)


def load(name: str) -> nn.Module:
    """A trained model, in eval mode, on the CPU, in float32, with gradients off for its parameters.

    Raises: KeyError: unknown name.  FileNotFoundError: no weights.  ValueError: the file is not the one we shipped.
    """
    entry = _entry(name)
    model = entry.build()
    model.load_state_dict(load_safetensors(_verified(WEIGHTS / f"{name}.safetensors", entry.sha256)))
    return model.eval().requires_grad_(False)


def seconds(name: str) -> float:
    """CPU seconds of one core that training the model took. Raises KeyError for an unknown name."""
    return _entry(name).seconds


def card(name: str) -> str:
    """The model card in Markdown: data, recipe, quality, licence, limits. Raises KeyError for an unknown name."""
    _entry(name)
    return (WEIGHTS / f"{name}.md").read_text(encoding="utf-8")


def _entry(name: str) -> Entry:
    if name not in ENTRIES:
        near = difflib.get_close_matches(name, ENTRIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names())}"
        raise KeyError(f"no model named {name!r} in the zoo; {hint}")
    return ENTRIES[name]


def _verified(path: Path, expected: str) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"weights {path} are missing; reinstall genai-utils")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(f"weights {path} have sha256 {found}, expected {expected}; reinstall genai-utils")
    return content
