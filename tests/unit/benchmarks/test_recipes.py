"""Every benchmark runs from its start to its file, with few images and a blink of time; README shows the results."""

import importlib
import json
from types import ModuleType

import pytest
import torch
from scipy.stats import binom

from genai_utils.data import text
from genai_utils.data.images import Images, fashion_mnist
from genai_utils.models import vae as library
from tools.notebooks import ROOT

TEST = fashion_mnist("test")
FEW = Images(TEST.pixels[:300], TEST.labels[:300], TEST.classes, "a few")
LINE = "To be, or not to be, that is the question. " * 30
SMALL = {
    "gan": {"N_SAMPLES": 500},
    "vae": {"N_SAMPLES": 500, "IWAE_IMAGES": 5, "IWAE_DRAWS": 3},
    "pixels": {},
    "diffusion": {"N_SAMPLES": 500, "KINDS": torch.arange(10).repeat_interleave(50)},
    "gpt": {"LENGTHS": (4,)},
    "run_overhead": {},
}
BLINK = {"gpt": ("--peer-iterations", "3"), "run_overhead": ("--steps", "5")}
TOO_LARGE = {"pytorch-examples-dcgan"}  # a single step takes ten seconds


@pytest.fixture
def bench(monkeypatch):
    """Modules of the benchmarks, by name."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


@pytest.fixture
def script(request, monkeypatch, bench) -> ModuleType:
    """A benchmark, made small."""
    module = bench(request.param)
    for setting, small in SMALL[request.param].items():
        monkeypatch.setattr(module, setting, small)
    if hasattr(module, "fashion_mnist"):
        monkeypatch.setattr(module, "fashion_mnist", lambda split, full: FEW)
    monkeypatch.setattr(text, "shakespeare", lambda split: LINE)
    return module


def ran(script, output, recipes, seeds="1"):
    """What is in the file after a run."""
    blink = BLINK.get(script.__name__, ("--core-seconds", "0.2"))
    script.main(script.CONTEST, [*blink, "--seeds", seeds, "--output", str(output), "--recipes", *recipes])
    return json.loads(output.read_text())


@pytest.mark.parametrize("script", SMALL, indirect=True)
def test_a_benchmark_runs_its_recipes_and_writes_and_shows_what_it_found(script, tmp_path, capsys):
    recipes = sorted(set(script.CONTEST.recipes) - TOO_LARGE, key=list(script.CONTEST.recipes).index)
    found = ran(script, tmp_path / "result.json", recipes)
    assert [row["recipe"] for row in found["runs"]] == recipes
    assert found["made"]["torch"] == torch.__version__
    shown = capsys.readouterr().out.splitlines()
    assert all(any(line.startswith(f"| {script.CONTEST.recipes[name][0]} |") for line in shown) for name in recipes)


@pytest.mark.parametrize("script", ["pixels"], indirect=True)
def test_a_benchmark_goes_on_where_it_stopped(script, tmp_path):
    runs = [ran(script, tmp_path / "result.json", ["ours"], seeds)["runs"] for seeds in ("1", "1", "2")]
    assert [len(rows) for rows in runs] == [1, 1, 2]
    assert runs[1] == runs[0] == runs[2][:1]


@pytest.mark.parametrize("script", ["gpt"], indirect=True)
def test_a_part_of_the_time_of_the_peer_needs_a_run_of_the_peer(script, tmp_path):
    with pytest.raises(ValueError, match="nanogpt took: add that to --recipes"):
        ran(script, tmp_path / "result.json", ["ours"])


@pytest.mark.parametrize("script", ["gan"], indirect=True)
def test_a_twin_gets_the_steps_of_the_other_and_a_later_run_says_when_it_was_made(script, tmp_path, capsys):
    output, ((name, twin),) = tmp_path / "result.json", script.CONTEST.twins.items()
    older = {"made": {"date": "1999-12-31", "hardware": "abacus", "python": "2", "torch": "0"}, "anchors": {}}
    rows = [{"recipe": twin, "seed": seed, "budget": 0.2, "steps": steps} for seed, steps in ((0, 2), (1, 4))]
    output.write_text(json.dumps(older | {"runs": [row | {"ms_per_step": 1.0} for row in rows]}))
    *before, row = ran(script, output, [name])["runs"]
    assert row["steps"] == 3
    assert before == [row | {"ms_per_step": 1.0} for row in rows]
    assert row["made"]["torch"] == torch.__version__
    last = capsys.readouterr().out.splitlines()[-1]
    assert "1999-12-31: abacus" in last
    assert f'"{script.CONTEST.recipes[name][0]}" on {row["made"]["date"]}' in last


@pytest.mark.parametrize("script", ["run_overhead"], indirect=True)
def test_a_loop_in_a_run_ends_with_the_weights_of_the_bare_one(script, tmp_path):
    runs = ran(script, tmp_path / "result.json", ["gpt", "dcgan"])["runs"]
    assert [row["same_weights"] for row in runs] == [True, True]
    assert all(row["bare_ms"] > 0 and row["run_ratio"] > 0 and row["kept_ratio"] > 0 for row in runs)


@pytest.mark.parametrize(("n", "first"), [(1, 1), (5, 1), (6, 1), (9, 2), (20, 6)])
def test_the_interval_holds_the_median_as_often_as_it_says(n, first, bench):
    low, high = bench("run_overhead").interval([float(value) for value in range(n, 0, -1)])
    assert (low, high) == (first, n + 1 - first)
    assert n < 6 or 1 - 2 * binom.cdf(first - 1, n, 0.5) >= 0.95 > 1 - 2 * binom.cdf(first, n, 0.5)


def test_a_summary_has_the_mean_the_spread_and_the_lead_over_runs_with_the_same_seeds(bench):
    peer = [{"recipe": "peer", "seed": seed, "nats": nats} for seed, nats in ((0, 4.0), (1, 6.0), (2, 99.0))]
    ours = [{"recipe": "ours", "seed": seed, "nats": nats} for seed, nats in ((0, 3.0), (1, 2.0))]
    found = bench("contest").summary(ours, peer)
    expected = {"seeds": 2, "nats": 2.5, "nats_sd": 0.5**0.5, "nats_least": 2.0, "nats_lead": 2.5, "nats_ratio": 2.0}
    assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_a_table_leaves_out_what_was_not_measured(bench):
    columns = {"nats": "{nats:.1f} ± {nats_sd:.1f}", "lead": "{nats_lead:.1f}"}
    summaries = [bench("contest").summary([{"nats": 3.0}], [])]
    assert bench("contest").markdown(columns, summaries) == "| nats | lead |\n|---|---|\n| 3.0 |  |"


def test_the_tables_of_the_readme_are_those_of_the_results(bench):
    tables = bench("tables")
    readme, made = tables.README.read_text(encoding="utf-8"), tables.tables()
    assert tables.filled(readme, made) == readme, "run python benchmarks/tables.py"
    assert {place[2] for place in tables.MARKED.finditer(readme)} == set(made)


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
