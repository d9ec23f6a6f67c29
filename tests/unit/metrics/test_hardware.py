import time

import numpy as np
import pytest
import torch

from genai_utils.metrics import hardware
from genai_utils.metrics.estimate import Estimate


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when told: it lists how long each call takes, the first included."""
    durations, now = [], [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def call() -> None:
        now[0] += durations.pop(0)

    return durations, call


def test_the_time_of_a_call_is_the_median_without_the_first(clock):
    durations, call = clock
    durations += [0, 1, 2, 3, 4, 50]
    found = hardware.seconds(call)
    assert (found.value, found.spread, found.n) == (3, 1, 5)
    assert not durations


def test_one_repeat_has_no_spread_and_is_refused():
    with pytest.raises(ValueError, match="repeats must be a whole number, 2 or more, got 1"):
        hardware.seconds(lambda: None, repeats=1)


def test_the_clock_waits_for_a_gpu_before_and_after_the_call(monkeypatch):
    said = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: said.append("wait"))
    hardware.laps(lambda: said.append("call"), repeats=2)
    assert said == ["wait", "call", "wait"] * 3


def test_a_processor_alone_is_not_asked_to_wait_for_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: pytest.fail("there is no GPU to wait for"))
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert len(hardware.laps(lambda: None, repeats=3)) == 3


def test_a_sweep_divides_the_operations_of_a_product_by_its_fastest_time(clock, monkeypatch):
    durations, call = clock
    durations += [9, 3, 2, 4, 9, 8, 10, 9]
    monkeypatch.setattr(torch, "mm", lambda a, b, out: call())
    sweep = hardware.matmul_sweep([(2, 3, 4), (5, 6, 7)], torch.bfloat16, "cpu", repeats=3)
    assert sweep[2, 3, 4] == Estimate(24, 24 - 16, 3, hardware.FASTEST)  # 48 operations in 2 s, in the median in 3
    assert sweep[5, 6, 7].value == 420 / 8
    assert hardware.peak(sweep) is sweep[5, 6, 7]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_sweep_multiplies_on_this_machine(dtype):
    sweep = hardware.matmul_sweep([(8, 16, 8), (64, 64, 64)], dtype, "cpu", repeats=3)
    assert list(sweep) == [(8, 16, 8), (64, 64, 64)]
    assert all(rate.value > 0 for rate in sweep.values())
    assert hardware.peak(sweep).value == max(rate.value for rate in sweep.values())


def test_bandwidth_counts_two_arrays_read_and_one_written(monkeypatch):
    calls = []
    monkeypatch.setattr(hardware, "laps", lambda call, repeats: [calls.append(call()) or 0.5] * repeats)
    assert hardware.bandwidth("cpu", megabytes=1).value == 3 * 1e6 / 0.5
    assert calls[0].nbytes == 1_000_000


def test_no_product_of_this_machine_beats_its_roof():
    """Sizes that fit into a cache: rates of the fastest repeat are what bounds a median, whoever else computes here."""
    n = 128
    a, b = torch.randn(n, n), torch.randn(n, n)
    peak = hardware.peak(hardware.matmul_sweep([(n, n, n)], torch.float32, "cpu", repeats=50))
    share = hardware.utilization(2 * n**3, hardware.seconds(lambda: a @ b, repeats=50).value, peak.value)
    assert 0.02 < share < 1.1


def test_the_roofline_takes_numbers_and_arrays():
    assert hardware.attainable(2.0, peak=100.0, bandwidth=10.0) == 20.0
    assert hardware.attainable(np.array([1.0, 10.0, 100.0]), 100.0, 10.0).tolist() == [10.0, 100.0, 100.0]
