"""how-to-use says of a `checkpoint=` that "the same cell goes on where it was": tried on the loops with schedules."""

import ast
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import genai_utils as gu
from genai_utils.models import autoencoder, gpt
from genai_utils.run import Run, schedule
from tools.lint_chapters import code
from tools.notebooks import ROOT

IDS, STEPS = torch.arange(400) % 7, 6
PICTURES = torch.rand(200, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def loop(chapter: str, *names: str, **given: Any) -> Callable[..., Any]:
    """The last of some functions and classes of a chapter, among what is given."""
    tree = ast.parse(code((ROOT / "book" / "chapters" / f"{chapter}.md").read_text(encoding="utf-8")))
    tree.body = [node for node in tree.body if getattr(node, "name", None) in names]
    found: dict[str, Any] = {"gu": gu, "torch": torch, "nn": nn, "math": math, **given}
    exec(compile(tree, chapter, "exec"), found)
    return found[names[-1]]


GIVEN = {"gpt": gpt, "schedule": schedule, "cross_entropy": cross_entropy}


def transformer() -> nn.Module:
    model = gpt.sized(7, 64, 1, 2, 8)
    return loop("transformers", "fit", **GIVEN)(model, IDS, STEPS, gpt.optimizers(model))[0]


def gru_beside_the_transformer() -> nn.Module:
    model = loop("transformers", "GRU")(7)
    return loop("transformers", "fit", **GIVEN)(model, IDS, STEPS, [torch.optim.AdamW(model.parameters(), 3e-3)])[0]


def gru_of_language_models() -> nn.Module:
    given = {"UPDATES": 4 * STEPS, "windows": IDS.unfold(0, 257, 2), "alphabet": "abcdefg"}
    return loop("language-models", "CharGRU", "train_gru", **given)(0)[0]


def autoencoder_with_bends() -> nn.Module:
    pictures = type("Pictures", (), {"images": PICTURES})
    return loop("autoencoders", "fit", ae=autoencoder, STEPS=STEPS, train=pictures)(2)[0]


@pytest.mark.parametrize(
    "train", [transformer, gru_beside_the_transformer, gru_of_language_models, autoencoder_with_bends]
)
def test_a_loop_with_a_schedule_goes_on_where_it_stopped(train, tmp_path, monkeypatch):
    straight = seeded(train)
    monkeypatch.setattr(gu, "Run", partial(Run, checkpoint=tmp_path / "run", checkpoint_every=2))
    with monkeypatch.context() as patch:
        patch.setattr(Run, "step", stopping_at(3, Run.step))
        with pytest.raises(InterruptedError):
            seeded(train)
    resumed = seeded(train)
    assert all(torch.equal(straight[key], value) for key, value in resumed.items())


def seeded(train: Callable[[], nn.Module]) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return train().state_dict()


def stopping_at(at: int, step: Callable[..., None]) -> Callable[..., None]:
    """A step of the run that breaks off in the middle of one."""

    def stepping(run: Run, *args: Any) -> None:
        step(run, *args)
        if run.done == at:
            raise InterruptedError

    return stepping
