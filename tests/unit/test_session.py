import os
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import genai_utils as gu
from genai_utils import device
from genai_utils.run import loop


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


@pytest.mark.parametrize(("name", "capability", "expected"), [("Tesla T4", 7, "fp32"), ("NVIDIA A100", 8, "bf16")])
def test_a_gpu_without_bf16_trains_in_fp32_and_the_first_line_says_why(monkeypatch, capsys, name, capability, expected):
    """The answers of a GPU are played; the decision, torch's own, is not."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: name)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(major=capability))
    device.precision.cache_clear()
    gu.start()
    device.precision.cache_clear()
    said = capsys.readouterr().out
    assert f"{name} · {expected}" in said and ("this GPU has no bf16" in said) == (expected == "fp32")


@pytest.mark.parametrize(("found", "mixed"), [("bf16", "bf16"), ("fp32", "no")])
def test_a_run_asks_for_the_precision_of_the_machine(monkeypatch, found, mixed):
    def accelerator(mixed_precision, **_):  # a real one would fix the precision of this process
        raise LookupError(mixed_precision)

    monkeypatch.setattr(loop, "precision", lambda: found)
    monkeypatch.setattr(loop, "Accelerator", accelerator)
    with pytest.raises(LookupError, match=f"^{mixed}$"):
        loop.Run(1)


def test_the_processor_is_named_with_its_cores():
    name, cores = device.processor().rsplit(", ", 1)
    assert name and cores == f"{os.cpu_count()} cores"
