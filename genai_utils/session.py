"""One call at the top of every notebook: seeds, threads, figure style, and one line that says what it runs on."""

from __future__ import annotations

import platform
import random

from genai_utils import __version__
from genai_utils.checks import between, whole
from genai_utils.device import budget_name, device_name, has_gpu, precision, threads


def start(seed: int = 0) -> None:
    """Make this notebook repeatable, set the figure style, and print one line that says what it runs on.

    Seeds Python, NumPy and torch. Torch gets one thread a core this process may use; OMP_NUM_THREADS, where set, wins.
    Calling it again starts again from the same state.  Raises: TypeError, ValueError: a seed below 0.
    """
    whole(0, seed=seed)
    between(0, 2**63 - 1, seed=seed)
    import numpy
    import torch

    from genai_utils.show import style

    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    torch.set_num_threads(threads())
    style.use()
    reason = " (this GPU has no bf16)" if has_gpu() and precision() == "fp32" else ""
    print(
        f"genai_utils {__version__} · Python {platform.python_version()} · torch {torch.__version__.split('+')[0]} · "
        f"{device_name()} · {precision()}{reason} · budget {budget_name()} · seed {seed}"
    )
