"""The learning rate over a run."""

import pytest
import torch

from genai_utils.run import schedule


@pytest.mark.parametrize("step, factor", [(0, 1 / 30), (14, 0.5), (29, 1.0), (30, 1.0), (515, 0.51), (1000, 0.02)])
def test_the_rate_rises_and_falls_in_a_line(step, factor):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 1.0)
    assert schedule(optimizer, 1000, warm_up=0.03, last=0.02).lr_lambdas[0](step) == pytest.approx(factor)


@pytest.mark.parametrize("last", [0.0, 0.02, 1.0])
def test_a_schedule_that_is_stepped_too_often_stays_at_its_last_rate(last):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 1.0)
    factor = schedule(optimizer, 10, last=last).lr_lambdas[0]
    assert [factor(step) for step in (10, 11, 1000)] == [last] * 3
