"""The stored training runs of small GPTs, and the tool that makes them."""

import csv
from dataclasses import asdict

import pytest
import torch

from genai_utils.data.text import encode, shakespeare, shakespeare_alphabet
from genai_utils.models import gpt
from genai_utils.records import scaling
from tools import measure_scaling

TEXT = encode(shakespeare("train")[:3_000], shakespeare_alphabet())
TEST = encode(shakespeare("validation")[:3_000], shakespeare_alphabet())


def test_the_grid_is_whole_and_every_run_of_it_has_the_seeds_of_the_others():
    grid = scaling.scaling_runs()
    seeds = {row.seed for row in grid}
    cells = {(row.size, row.steps) for row in grid}
    assert cells == {(size, steps) for size in measure_scaling.SIZES for steps in measure_scaling.STEPS}
    assert len(seeds) >= 2
    assert len(grid) == len(seeds) * len(cells)


def test_each_variant_was_run_and_changes_one_choice_only():
    for variant in measure_scaling.VARIANTS:
        runs = scaling.scaling_runs(variant)
        assert {(row.size, row.steps) for row in runs} == {("medium", 160)}
        assert len({row.seed for row in runs}) == len(runs) >= 2


def test_the_stored_sizes_are_those_of_the_models():
    for row in scaling.scaling_runs():
        layers, heads, width = measure_scaling.SIZES[row.size]
        config = gpt.Config(len(shakespeare_alphabet()), measure_scaling.CONTEXT, layers, heads, width)
        assert (row.layers, row.width) == (layers, width)
        assert row.parameters == sum(p.numel() for p in gpt.GPT(config).parameters())
        assert row.flops == pytest.approx(3 * gpt.forward_flops(config) * row.tokens)
        assert row.tokens == row.steps * measure_scaling.BATCH * measure_scaling.CONTEXT


def test_an_unknown_variant_is_refused_and_the_known_ones_are_named():
    with pytest.raises(ValueError, match=r"no run of variant 'best'; there are .*GELU"):
        scaling.scaling_runs("best")


@pytest.mark.parametrize(
    ("variant", "field", "value"),
    [
        ("learned positions", "positions", "learned"),
        ("no positions", "positions", "none"),
        ("LayerNorm", "norm", "layer"),
        ("GELU", "activation", "gelu"),
        ("no QK-norm", "qk_norm", False),
        ("GPT-2 start", "init", "gpt2"),
        ("GPT-2 start", "tied", False),
        ("GPT-2 0.003", "tied", True),
        ("AdamW 0.003", "norm", "rms"),
    ],
)
def test_a_variant_has_the_choice_of_its_name(variant, field, value):
    config = measure_scaling.config_of(variant, gpt.Config(5))
    assert getattr(config, field) == value


def test_only_the_variants_of_the_optimizer_train_without_muon():
    model = gpt.GPT(gpt.Config(5, 8, 1, 2, 16))
    for variant in ("ours", "GELU", "GPT-2 start"):
        assert [type(one).__name__ for one in measure_scaling.optimizers_of(variant, model)] == ["Muon", "AdamW"]
    for variant, rates in (("AdamW 0.001", {1e-3, 4e-3}), ("GPT-2 0.003", {3e-3})):
        (adamw,) = measure_scaling.optimizers_of(variant, model)
        assert type(adamw).__name__ == "AdamW"
        assert {group["lr"] for group in adamw.param_groups} == rates
        assert sum(len(group["params"]) for group in adamw.param_groups) == len(list(model.parameters()))


def test_the_tool_writes_rows_that_the_loader_reads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(measure_scaling, "SIZES", {"medium": (1, 2, 16)})
    monkeypatch.setattr(measure_scaling, "STEPS", (2, 3))
    monkeypatch.setattr(measure_scaling, "VARIANTS", ("GELU",))
    monkeypatch.setattr(measure_scaling, "shakespeare", lambda split: shakespeare(split)[:3_000])
    table = tmp_path / "scaling.csv"
    monkeypatch.setattr("sys.argv", ["measure_scaling.py", "--seeds", "3", "--output", str(table)])
    measure_scaling.main()
    monkeypatch.setattr(scaling, "TABLE", table)
    runs = scaling.scaling_runs(None)
    assert [(row.variant, row.steps, row.seed) for row in runs] == [("ours", 2, 3), ("ours", 3, 3), ("GELU", 3, 3)]
    assert all(5 < row.bits < 7 for row in runs)  # a few steps: hardly better than knowing the alphabet
    with table.open(newline="", encoding="utf-8") as file:
        assert next(csv.reader(file)) == list(asdict(runs[0]))
    assert capsys.readouterr().out.count("Row(") == 3


def test_bits_are_those_of_a_model_that_knows_nothing():
    blank = gpt.GPT(gpt.Config(len(shakespeare_alphabet()), 64, 1, 2, 16))
    torch.nn.init.zeros_(blank.head.weight)
    assert measure_scaling.bits(blank, TEST) == pytest.approx(torch.tensor(67.0).log2().item(), abs=1e-4)


def test_training_repeats_with_its_seed_and_lowers_the_loss():
    def trained(seed):
        torch.manual_seed(seed)
        model = gpt.GPT(gpt.Config(len(shakespeare_alphabet()), 64, 1, 2, 16))
        judged = measure_scaling.train(model, measure_scaling.optimizers_of("ours", model), TEXT, 25, seed)
        return measure_scaling.bits(judged, TEST)

    assert trained(0) == trained(0) != trained(1)
    assert trained(0) < 5.5
