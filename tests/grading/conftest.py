"""The sandbox, where there is one."""

import pytest

from tools.grading.sandbox import why_not

REASON = why_not()


@pytest.fixture(scope="session", autouse=False)
def sandboxed() -> None:
    """Skips where there is no sandbox, and says why."""
    if REASON:
        pytest.skip(f"no sandbox: {REASON}")
