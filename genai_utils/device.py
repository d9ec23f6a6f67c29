"""What this machine is and what it may spend: device, number format, threads, and the budget of a training run."""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from genai_utils.checks import one_of, whole

BUDGETS = ("smoke", "cpu", "gpu")


def budget(cpu: int, gpu: int | None = None, smoke: int = 20) -> int:
    """Steps to train for on this machine: a count, never seconds, so that a run can be repeated.

    Args: cpu, gpu, smoke: steps for a processor, a GPU (default: as cpu) and a quick look that proves the code runs.
    Returns: the one for GENAI_BUDGET (smoke, cpu or gpu) or, without it, for the device found.
    Raises: TypeError, ValueError: no whole numbers of at least 1.
    """
    steps = {"smoke": smoke, "cpu": cpu, "gpu": cpu if gpu is None else gpu}
    whole(1, **steps)
    return steps[budget_name()]


def budget_name() -> str:
    """Name the budget in force: GENAI_BUDGET, else "gpu" or "cpu" by device.  Raises: ValueError if it is unknown."""
    name = os.environ.get("GENAI_BUDGET", "").strip().lower() or ("gpu" if has_gpu() else "cpu")
    one_of(BUDGETS, GENAI_BUDGET=name)
    return name


def device_name() -> str:
    """Describe the device in words: the GPU's name, or "CPU" with the number of threads torch uses."""
    import torch

    if has_gpu():
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}"


@cache
def precision() -> str:
    """Name the number format to train in, "bf16" or "fp32": bf16 only where the hardware multiplies it natively.

    Elsewhere bf16 is emulated and slower than fp32. GPUs before 2020 (compute capability below 8, such as the T4) have
    none, and train in fp32: sixteen bits there would be fp16, which needs a loss scaler in every loop.
    """
    import torch

    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return "bf16" if native() else "fp32"


def processor() -> str:
    """Name the processor and the number of its cores."""
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    name = " ".join(found[1].split()) if found else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def threads() -> int:
    """Threads for torch: OMP_NUM_THREADS, else one a core that this process may use.  Raises: ValueError."""
    if value := os.environ.get("OMP_NUM_THREADS", ""):
        if not re.fullmatch(r"0*[1-9][0-9]{0,2}", value):
            raise ValueError(f"OMP_NUM_THREADS must be a whole number from 1 to 999, got {value!r}")
        return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def has_gpu() -> bool:
    """Whether torch is installed and finds a CUDA device."""
    if not find_spec("torch"):
        return False
    import torch

    return torch.cuda.is_available()
