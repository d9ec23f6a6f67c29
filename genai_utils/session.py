"""One call at the top of every notebook: seeds, threads, figure style, and the budget that training may spend."""

from __future__ import annotations

import os
import platform
import random
from functools import cache

BUDGETS = ("smoke", "cpu", "gpu")


def start(seed: int = 0) -> None:
    """Make this notebook repeatable, set the figure style, and print one line that says what it runs on.

    Seeds Python, NumPy and torch. Torch gets one thread a core this process may use; OMP_NUM_THREADS, where set, wins.
    Calling it again starts again from the same state.
    """
    import numpy
    import torch

    from genai_utils.show import style

    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.set_num_threads(_threads())
    style.use()
    print(
        f"genai_utils {_version()} · Python {platform.python_version()} · torch {torch.__version__.split('+')[0]} · "
        f"{device_name()} · {precision()} · budget {budget_name()} · seed {seed}"
    )


def budget(cpu: int, gpu: int | None = None, smoke: int = 20) -> int:
    """Steps to train for on this machine: a count, never seconds, so that a run can be repeated.

    Args: cpu, gpu, smoke: steps for a processor, a GPU (default: as cpu) and a quick look that proves the code runs.
    Returns: the one for GENAI_BUDGET (smoke, cpu or gpu) or, without it, for the device found.  Raises: ValueError.
    """
    steps = {"smoke": smoke, "cpu": cpu, "gpu": cpu if gpu is None else gpu}[budget_name()]
    if steps < 1:
        raise ValueError(f"a budget counts steps and must be at least 1, got {steps}")
    return steps


def budget_name() -> str:
    """Name the budget in force: GENAI_BUDGET, else "gpu" or "cpu" by device.  Raises: ValueError if it is unknown."""
    name = os.environ.get("GENAI_BUDGET", "").strip().lower() or ("gpu" if _has_gpu() else "cpu")
    if name not in BUDGETS:
        raise ValueError(f"GENAI_BUDGET is {name!r}; set it to one of {', '.join(BUDGETS)}, or unset it")
    return name


def device_name() -> str:
    """Describe the device in words: the GPU's name, or "CPU" with the number of threads torch uses."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}"


@cache
def precision() -> str:
    """Name the number format to train in, "bf16" or "fp32": bf16 only where the hardware multiplies it natively.

    Elsewhere bf16 is emulated and slower than fp32.
    """
    import torch

    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return "bf16" if native() else "fp32"


def _threads() -> int:
    if value := os.environ.get("OMP_NUM_THREADS", ""):
        if not value.isdigit() or int(value) < 1:
            raise ValueError(f"OMP_NUM_THREADS must be a whole number of at least 1, got {value!r}")
        return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _version() -> str:
    from genai_utils import __version__

    return __version__
