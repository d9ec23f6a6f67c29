"""The benchmarks run: each script from its start to its file, with few images and a blink of time for each recipe."""

import importlib
import json
from types import ModuleType

import pytest
import torch

from genai_utils.data import text
from genai_utils.data.images import Images, fashion_mnist
from genai_utils.models import vae as library
from tools.notebooks import ROOT

TEST = fashion_mnist("test")
FEW = Images(TEST.pixels[:300], TEST.labels[:300], TEST.classes, "a few")
LINE = "To be, or not to be, that is the question. " * 30
BLINK = ("--core-seconds", "0.5")
SMALL = {
    "gan": {"N_SAMPLES": 500, "anchors": lambda *images: {}},
    "vae": {"N_SAMPLES": 500, "IWAE_IMAGES": 5, "IWAE_DRAWS": 3},
    "pixels": {},
    "gpt": {"PEER_STEPS": 1, "LENGTHS": (4,)},
}
TOO_LARGE = {"pytorch-examples-dcgan"}  # a single step takes ten seconds


@pytest.fixture
def script(request, monkeypatch) -> ModuleType:
    """A benchmark, made small."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = importlib.import_module(request.param)
    for setting, small in SMALL[request.param].items():
        monkeypatch.setattr(module, setting, small)
    if hasattr(module, "fashion_mnist"):
        monkeypatch.setattr(module, "fashion_mnist", lambda split, full: FEW)
    monkeypatch.setattr(text, "shakespeare", lambda split: LINE)
    return module


@pytest.mark.parametrize("script", SMALL, indirect=True)
def test_a_benchmark_runs_its_recipes_and_writes_what_it_found(script, monkeypatch, tmp_path):
    recipes, output = sorted(set(script.RECIPES) - TOO_LARGE), tmp_path / "result.json"
    budget = () if script.__name__ == "gpt" else BLINK
    arguments = ["--seeds", "1", "--output", str(output), "--recipes", *recipes]
    monkeypatch.setattr("sys.argv", [script.__name__, *budget, *arguments])
    script.main()
    found = json.loads(output.read_text())
    assert sorted(row["recipe"] for row in found["runs"]) == recipes
    assert found["torch"] == torch.__version__


@pytest.mark.parametrize("script", ["vae", "pixels"], indirect=True)
def test_a_benchmark_goes_on_where_it_stopped(script, monkeypatch, tmp_path):
    output = tmp_path / "result.json"
    for seeds in ("1", "1", "2"):
        arguments = [*BLINK, "--seeds", seeds, "--output", str(output), "--recipes", "ours"]
        monkeypatch.setattr("sys.argv", [script.__name__, *arguments])
        before = json.loads(output.read_text())["runs"] if output.exists() else []
        script.main()
        after = json.loads(output.read_text())["runs"]
        assert after[: len(before)] == before and len(after) == int(seeds)


@pytest.mark.parametrize("script", ["vae"], indirect=True)
def test_training_by_the_score_alone_has_the_gradient_of_the_likelihood(script):
    logits = torch.linspace(-6, 6, 2 * 784, dtype=torch.float64).view(2, 1, 28, 28).requires_grad_()
    x = FEW.images[:2].double()
    scored = script.ScoredBernoulli()
    (ours,) = torch.autograd.grad(scored.log_prob(logits, x).sum(), logits)
    (reference,) = torch.autograd.grad(library.bernoulli_log_likelihood(logits, x).sum(), logits)
    torch.testing.assert_close(ours, reference)
    value = scored.eval().log_prob(logits, x)
    torch.testing.assert_close(value, library.bernoulli_log_likelihood(logits, x))
