from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from genai_utils.models import gan, gpt
from genai_utils.run import Run, memory

SMALL = gpt.Config(vocabulary=67, context=32, layers=3, heads=2, width=64)
VARIATIONS = [
    SMALL,
    replace(SMALL, norm="layer"),
    replace(SMALL, activation="gelu"),
    replace(SMALL, qk_norm=False),
    replace(SMALL, positions="none", layers=1),
    gpt.gpt2_config(SMALL),
    replace(SMALL, vocabulary=1000, heads=8),
]
BATCH, TIME = 4, 32


def gpt_loss(model: gpt.GPT, batch: int = BATCH, time: int = TIME) -> torch.Tensor:
    tokens = torch.arange(batch * time).view(batch, time) % 60
    return cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())


@pytest.mark.parametrize("batch", [2, 4])
@pytest.mark.parametrize("config", VARIATIONS)
def test_the_predicted_activations_of_a_gpt_are_those_that_autograd_keeps(config, batch):
    model = gpt.GPT(config)
    measured = memory.saved(lambda: gpt_loss(model, batch), model)
    assert memory.gpt_activations(config, batch, TIME) == pytest.approx(measured, rel=0.003)


@pytest.mark.parametrize("config", VARIATIONS)
def test_the_predicted_activations_of_recomputed_blocks_are_inputs_and_the_inside_of_one(config):
    model = gpt.GPT(config)
    x, turn = model._embed(torch.zeros(BATCH, TIME, dtype=torch.long), 0)
    inside = memory.saved(lambda: model.blocks[0](x.detach().requires_grad_(), turn), model)
    memory.recompute(model.blocks)
    outside = memory.saved(lambda: gpt_loss(model), model)
    measured = outside + inside - x.nbytes  # the input of the block is kept outside already
    assert memory.gpt_activations(config, BATCH, TIME, recomputed=True) == pytest.approx(measured, rel=0.003)


def test_fused_kernels_keep_no_scores_no_copy_of_the_values_and_norms_one_tensor_less():
    plain, fused = (memory.gpt_activations(SMALL, BATCH, TIME, fused=fused) for fused in (False, True))
    w, h = SMALL.width, SMALL.heads
    less = SMALL.layers * (2 * w + h * TIME + w - h) + w  # two norms; scores and values, for statistics; the last norm
    assert plain - fused == 4 * BATCH * TIME * less


def test_the_peak_of_a_step_lies_above_what_autograd_keeps_and_below_twice_of_it():
    model = gpt.GPT(SMALL)
    gpt_loss(model).backward()
    kept = memory.gpt_activations(SMALL, BATCH, TIME)
    assert kept < memory.peak(lambda: gpt_loss(model).backward()) < 1.5 * kept


def test_the_peak_sees_what_was_freed_again():
    def call() -> None:
        a = torch.zeros(250_000)
        del a
        torch.zeros(100_000)

    assert memory.peak(call) == pytest.approx(1e6, rel=0.01)


def test_the_peak_on_a_gpu_is_that_of_its_allocator_without_what_was_there(monkeypatch):
    said = []
    for name in ("synchronize", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda name=name: said.append(name))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 30)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 100)
    assert memory.peak(lambda: said.append("call")) == 70
    assert said == ["synchronize", "reset_peak_memory_stats", "call", "synchronize"]


def test_recomputing_lowers_the_peak():
    model = gpt.GPT(replace(SMALL, layers=6))
    before = memory.peak(lambda: gpt_loss(model).backward())
    memory.recompute(model.blocks)
    assert memory.peak(lambda: gpt_loss(model).backward()) < before / 2


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_recomputing_changes_no_bit_of_a_gradient(dropout):
    torch.manual_seed(0)
    model = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Dropout(dropout)) for _ in range(3)))
    other, x = deepcopy(model), torch.randn(5, 8)
    memory.recompute(other)
    for one in (model, other):
        torch.manual_seed(1)
        one(x).square().sum().backward()
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    assert model.state_dict().keys() == other.state_dict().keys()


def test_a_recomputed_gpt_has_the_same_gradients_and_its_copy_computes_with_its_own_weights():
    torch.manual_seed(0)
    model = gpt.GPT(gpt.gpt2_config(SMALL))
    other = deepcopy(model)
    memory.recompute(other.blocks)
    for one in (model, other):
        gpt_loss(one).backward()
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    copy = deepcopy(other)
    for parameter in other.parameters():
        parameter.data.zero_()
    assert torch.equal(gpt_loss(copy), gpt_loss(model))


@pytest.mark.parametrize("batch", [8, 33])
def test_activations_at_a_large_batch_follow_from_two_small_ones(batch):
    D = gan.Discriminator()

    def measure(n: int) -> int:
        return memory.saved(lambda: D(torch.zeros(n, 1, 28, 28)).sum(), D)

    assert memory.at_batch(measure, batch) == pytest.approx(measure(batch), rel=0.002)


def trained(make) -> tuple[nn.Module, list[torch.optim.Optimizer]]:
    """A model after one step of its optimizers."""
    model = gpt.GPT(SMALL)
    optimizers = make(model)
    gpt_loss(model).backward()
    for one in optimizers:
        one.step()
    return model, optimizers


@pytest.mark.parametrize(
    "make",
    [
        gpt.optimizers,
        lambda model: [torch.optim.AdamW(model.parameters())],
        lambda model: [torch.optim.SGD(model.parameters(), 0.1)],
        lambda model: [torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)],
    ],
)
def test_the_predicted_moments_are_those_that_an_optimizer_holds_after_a_step(make):
    _, optimizers = trained(make)
    tensors = [t for one in optimizers for state in one.state.values() for t in state.values()]
    held = memory.size(t for t in tensors if torch.is_tensor(t))
    assert sum(map(memory.moments_size, optimizers)) == pytest.approx(held, rel=0.001)


def test_the_moments_of_an_optimizer_that_accelerate_wraps_are_found():
    model, run = gpt.GPT(SMALL), Run(1, progress=False)
    _, wrapped = run.setup(model, torch.optim.Adam(model.parameters()))
    assert memory.moments_size(wrapped) == 2 * memory.size(model.parameters())


def test_an_unknown_optimizer_is_named():
    with pytest.raises(ValueError, match="moments of LBFGS are not known, only those of SGD, Muon"):
        memory.moments_size(torch.optim.LBFGS(nn.Linear(1, 1).parameters()))


def test_what_fits_is_true_and_shows_its_table():
    model = nn.Linear(1000, 1000, bias=False)
    model.requires_grad_(True)
    adam = torch.optim.Adam(model.parameters())
    fit = memory.fits(model, [adam], activations=3e6, room=20e6, other=1e6)
    assert fit.total == 4e6 * 4 + 4e6
    assert fit
    assert str(fit).splitlines()[0].split() == ["weights", "4.0", "MB"]
    assert "it fits into" in str(fit)
    assert "<td>20.0</td>" in fit._repr_html_()
    tight = memory.fits(model, [adam], activations=3e6, room=19.9e6, other=1e6)
    assert not tight
    assert "too much for" in str(tight)


def test_frozen_weights_need_no_gradients():
    model = nn.Linear(1000, 1000, bias=False).requires_grad_(False)
    assert memory.fits(model, [], 0.0, 1e9).needs["gradients"] == 0


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
)
def test_a_batch_that_does_not_fit_is_halved_until_it_does(error, capsys):
    tried = []

    def step(batch: int) -> None:
        tried.append(batch)
        if batch > 10:
            raise error

    assert memory.largest_batch(step, 64) == 8
    assert tried == [64, 32, 16, 8]
    assert capsys.readouterr().out.splitlines()[0] == "a batch of 64 does not fit into memory, trying 32"


def test_a_batch_that_this_machine_cannot_hold_is_halved():
    """Eighteen petabytes are refused by every system."""
    assert memory.largest_batch(lambda batch: torch.empty(2 ** (26 * batch)), 2) == 1


def test_where_one_example_does_not_fit_the_error_says_what_to_do():
    def step(batch: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError, match=r"not even a batch of one fits.*memory\.recompute.*bf16"):
        memory.largest_batch(step, 2)


def test_other_errors_pass_through():
    def step(batch: int) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        memory.largest_batch(step, 2)


def test_what_a_failed_step_held_is_free_before_the_next_try():
    alive, held = [], []

    class Big:
        def __init__(self) -> None:
            alive.append(self.__class__)
            self.circle = self  # as a module has whose forward was replaced by `recompute`

        def __del__(self) -> None:
            alive.pop()

    def step(batch: int) -> None:
        held.append(len(alive))
        big = Big()
        if batch > 1:
            raise torch.OutOfMemoryError(f"no room for {big}")

    memory.largest_batch(step, 4)
    assert held == [0, 0, 0]
