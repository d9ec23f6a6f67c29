"""One call at the top of every notebook: seeds, threads, figure style, and one line that says what it runs on."""

from __future__ import annotations

import platform
import random
from importlib.util import find_spec

from genai_utils import __version__
from genai_utils.checks import between, whole
from genai_utils.device import budget_name, device_name, has_gpu, precision, threads


def start(seed: int = 0) -> None:
    """Make this notebook repeatable, set the figure style, and print one line that says what it runs on.

    Seeds Python, NumPy and torch, where it is installed: the business chapters need none. Torch gets one thread a core
    this process may use; OMP_NUM_THREADS, where set, wins.
    Calling it again starts again from the same state.  Raises: TypeError, ValueError: a seed below 0.
    """
    whole(0, seed=seed)
    between(0, 2**63 - 1, seed=seed)
    import numpy

    from genai_utils.show import style

    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    style.use()
    print(
        f"genai_utils {__version__} · Python {platform.python_version()} · {_torch(seed)} · budget {budget_name()} · "
        f"seed {seed}"
    )


def _torch(seed: int) -> str:
    """Seed torch and give it its threads.  Returns: what it runs on, or that there is none."""
    if not find_spec("torch"):
        return "no torch"
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(threads())
    reason = " (this GPU has no bf16)" if has_gpu() and precision() == "fp32" else ""
    return f"torch {torch.__version__.split('+')[0]} · {device_name()} · {precision()}{reason}"
