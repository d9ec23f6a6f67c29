import os
import random

import numpy as np
import pytest
import torch

import genai_utils as gu
from genai_utils import device


@pytest.mark.parametrize(("name", "steps"), [("smoke", 3), ("cpu", 40), ("gpu", 500), (" CPU ", 40)])
def test_the_budget_follows_the_environment(monkeypatch, name, steps):
    monkeypatch.setenv("GENAI_BUDGET", name)
    assert gu.budget(cpu=40, gpu=500, smoke=3) == steps


def test_without_the_variable_the_device_decides(monkeypatch):
    monkeypatch.delenv("GENAI_BUDGET", raising=False)
    assert device.budget_name() == ("gpu" if torch.cuda.is_available() else "cpu")


def test_an_unknown_budget_is_refused(monkeypatch):
    monkeypatch.setenv("GENAI_BUDGET", "huge")
    with pytest.raises(ValueError, match="GENAI_BUDGET must be one of 'smoke', 'cpu', 'gpu', got 'huge'"):
        gu.budget(cpu=1)
    monkeypatch.setenv("GENAI_BUDGET", "cpu")
    with pytest.raises(ValueError, match="cpu must be a whole number, 1 or more, got 0"):
        gu.budget(cpu=0)


def test_start_repeats_every_source_of_chance_and_prints_one_line(capsys):
    draws = []
    for _ in range(2):
        gu.start(seed=5)
        draws.append((random.random(), np.random.rand(), torch.rand(1).item()))
    assert draws[0] == draws[1]
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2 and "torch" in lines[0] and "budget" in lines[0] and "seed 5" in lines[0]


def test_omp_num_threads_wins(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    gu.start()
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("value", ["two", "²", "0", "-1", "1.5", "100000"])
def test_a_number_of_threads_that_cannot_be_is_refused_in_one_sentence(monkeypatch, value):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    with pytest.raises(ValueError, match=f"OMP_NUM_THREADS must be a whole number .*{value}"):
        gu.start()


def test_without_omp_num_threads_torch_gets_the_cores_this_process_may_use(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert device.threads() >= 1


def test_bf16_is_chosen_only_where_the_hardware_has_it(monkeypatch):
    for native, name in [(True, "bf16"), (False, "fp32")]:
        device.precision.cache_clear()
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda native=native: native)
        assert device.precision() == name
    device.precision.cache_clear()


def test_the_processor_is_named_with_its_cores():
    name, cores = device.processor().rsplit(", ", 1)
    assert name and cores == f"{os.cpu_count()} cores"
