"""genai_utils.models.flow: targets, solvers against torchdiffeq and closed forms, and what the network is told."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.models import flow

inner = st.floats(0.02, 0.98)


def cloud(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_line_begins_at_noise_ends_at_data_and_moves_with_its_velocity():
    x, noise = cloud(3, 2), cloud(3, 2, seed=1)
    x_t, velocity = flow.conditional(x, noise, torch.tensor([0.0, 0.25, 1.0]).double())
    assert torch.equal(x_t[0], noise[0]) and torch.equal(x_t[2], x[2])
    assert torch.allclose(x_t[1], noise[1] + 0.25 * velocity[1])


def test_times_outside_of_noise_and_data_are_refused():
    with pytest.raises(ValueError, match="t must be in"):
        flow.conditional(cloud(2, 2), cloud(2, 2), torch.tensor([0.5, 1.5]).double())


@given(inner)
def test_each_name_leads_back_to_itself(t):
    x_t, x = cloud(5, 3), cloud(5, 3, seed=1)
    velocity = flow.velocity_of_data(x, x_t, t)
    assert torch.allclose(flow.data_of_velocity(velocity, x_t, t), x)
    score = flow.score_of_velocity(velocity, x_t, t)
    assert torch.allclose(flow.velocity_of_score(score, x_t, t), velocity)


def growth(x, t):
    return (1 + math.cos(3 * t)) * x


def grown(start):
    return start * math.exp(1 + math.sin(3) / 3)


@pytest.mark.parametrize(("solver", "order"), [(flow.euler, 1), (flow.heun, 2)])
def test_the_error_falls_with_the_order(solver, order):
    start = cloud(4, 2)
    errors = [
        (solver(growth, start, torch.linspace(0, 1, steps + 1).double()) - grown(start)).abs().max().item()
        for steps in (50, 100)
    ]
    assert math.log2(errors[0] / errors[1]) == approx(order, abs=0.1)


@pytest.mark.parametrize(("solver", "name"), [(flow.euler, "euler"), (flow.heun, "heun2")])
def test_torchdiffeq_arrives_at_the_same_place(solver, name):
    torchdiffeq = pytest.importorskip("torchdiffeq")
    start, times = cloud(4, 2), torch.linspace(0, 1, 9).double()
    theirs = torchdiffeq.odeint(lambda t, x: growth(x, float(t)), start, times, method=name)[-1]
    assert torch.allclose(solver(growth, start, times), theirs, atol=1e-9)


def test_diffusers_takes_the_same_straight_steps_the_other_way_of_time():
    scheduler = pytest.importorskip("diffusers").FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(5)
    x = ours = cloud(4, 2).float()
    velocities = [cloud(4, 2, seed=i).float() for i in range(5)]
    for moment, velocity in zip(scheduler.timesteps, velocities, strict=True):
        x = scheduler.step(-velocity, moment, x).prev_sample
    queue = iter(velocities)
    ours = flow.euler(lambda x, t: next(queue), ours, 1 - scheduler.sigmas)
    assert torch.allclose(ours, x, atol=1e-5)


def test_one_moment_is_no_way_and_a_field_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="times must be two or more"):
        flow.euler(growth, cloud(4, 2), torch.zeros(1))
    with pytest.raises(ValueError, match="one shape"):
        flow.heun(lambda x, t: x[:, :1], cloud(4, 2), torch.tensor([0.0, 1.0]))


def test_the_network_begins_without_a_view_of_time_or_label_and_learns_both():
    torch.manual_seed(0)
    net, x = flow.FlowNetwork(3, labels=4, width=16, blocks=2), torch.randn(6, 3)
    labels = torch.arange(6) % 4
    assert torch.allclose(net(x, torch.zeros(6), labels), net(x, torch.ones(6)))
    for block in net.blocks:
        torch.nn.init.normal_(block.last.weight)
    assert not torch.allclose(net(x, torch.zeros(6), labels), net(x, torch.ones(6), labels))
    assert not torch.allclose(net(x, torch.zeros(6), labels), net(x, torch.zeros(6)))
    assert torch.allclose(net(x, torch.zeros(6)), net(x, torch.zeros(6), torch.full((6,), 4)))


def test_the_network_refuses_a_label_that_it_was_not_made_for():
    with pytest.raises(ValueError, match="labels"):
        flow.FlowNetwork(3, labels=4, width=8)(torch.randn(2, 3), torch.zeros(2), torch.tensor([0, 5]))


def test_a_tenth_of_the_labels_is_dropped_and_the_others_stay():
    labels = torch.arange(10).repeat(1000)
    kept = flow.drop_labels(labels, 10, generator=torch.Generator().manual_seed(0))
    dropped = kept == 10
    assert dropped.float().mean().item() == approx(0.1, abs=0.01)
    assert torch.equal(kept[~dropped], labels[~dropped])
    assert torch.equal(flow.drop_labels(labels, 10, 0.0), labels)
