"""A batch in parts: the same gradient in less memory. In double precision, which no autocast shortens."""

import pytest
import torch
from torch import nn

from genai_utils.run import NonFiniteLossError, Run

DATA = torch.randn(64, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def train(parts: int, path=None, stop_in: int | None = None, steps: int = 6) -> tuple[list[torch.Tensor], Run]:
    """Two players; each step of either learns from a batch of 8 in so many parts.  stop_in: broken off in this step."""
    torch.manual_seed(0)
    run = Run(steps, checkpoint=path, checkpoint_every=2, progress=False)
    players = [nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double() for _ in range(2)]
    adams = [torch.optim.Adam(p.parameters(), 0.01) for p in players]
    one, two, opt_one, opt_two = run.setup(*players, *adams)
    for batch in run.batches(DATA, batch_size=8):
        for x in batch.chunk(parts):
            run.step(opt_one, (one(x) - two(x).detach() - 1).square().mean(), of=parts)
            if run.done == stop_in:
                break
            run.step(opt_two, (two(x) - x.sum(1, keepdim=True)).square().mean(), of=parts)
        if run.done == stop_in:
            break
        run.log(done=run.done)
    return [p.detach().clone() for player in players for p in player.parameters()], run


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_two_players_trained_on_parts_in_turn_equal_those_trained_on_whole_batches(parts):
    whole, parted, start = (train(*given)[0] for given in ((1,), (parts,), (1, None, 0)))
    assert all(torch.allclose(a, b, rtol=0, atol=1e-9) for a, b in zip(whole, parted, strict=True))
    assert not any(torch.allclose(a, b, rtol=0, atol=1e-3) for a, b in zip(whole, start, strict=True))


@pytest.mark.parametrize("stop_in", range(6))
def test_a_run_broken_off_in_the_middle_of_a_batch_and_resumed_equals_the_uninterrupted_one(stop_in, tmp_path):
    path = tmp_path / "run.safetensors"
    train(4, path, stop_in)
    again, _ = train(4, path)
    straight, _ = train(4)
    assert all(torch.equal(a, b) for a, b in zip(straight, again, strict=True))


def test_the_same_run_goes_on_after_a_step_that_was_broken_off():
    run = Run(2, progress=False)
    model, sgd = run.setup(net := nn.Linear(4, 1).double(), torch.optim.SGD(net.parameters(), 0.1))
    for batch in run.batches(DATA, batch_size=8):
        run.step(sgd, model(batch[:4]).sum(), of=2)
        break
    before = net.weight.detach().clone()
    for batch in run.batches(DATA, batch_size=8):
        run.step(sgd, model(batch[:4]).sum(), of=2)
        assert run.done or torch.equal(net.weight, before)
        run.step(sgd, model(batch[4:]).sum(), of=2)
    assert run.done == 2


def test_a_step_that_ends_before_its_last_part_is_an_error():
    run = Run(2, progress=False)
    model, sgd = run.setup(net := nn.Linear(4, 1).double(), torch.optim.SGD(net.parameters(), 0.1))
    with pytest.raises(ValueError, match="step 1 ended after 3 parts of its batch"):
        for batch in run.batches(DATA, batch_size=8):
            for x in batch.split(3):
                run.step(sgd, model(x).sum(), of=4)


def test_a_loss_that_is_no_number_stops_before_the_weights_move():
    run = Run(2, progress=False)
    model, sgd = run.setup(net := nn.Linear(4, 1).double(), torch.optim.SGD(net.parameters(), 0.1))
    before = net.weight.detach().clone()
    with pytest.raises(NonFiniteLossError):
        for batch in run.batches(DATA, batch_size=8):
            run.step(sgd, model(batch[:4]).sum(), of=2)
            run.step(sgd, model(batch[4:]).sum() * float("nan"), of=2)
    assert torch.equal(net.weight, before)
