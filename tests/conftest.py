"""Hypothesis draws the same examples in every run, so that what is red stays red and a green run tells something.

The only profile: no test file loads one of its own, since it would hold for all files that run after it.
"""

from pathlib import Path

import pytest
from hypothesis import settings

UNIT = Path(__file__).parent / "unit"

settings.register_profile("same-examples", derandomize=True, deadline=None)  # a deadline would measure the machine
settings.load_profile("same-examples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count as covered what unit tests call: tracing would slow the others by half, and they aim at other things."""
    for item in items:
        if UNIT not in item.path.parents or UNIT / "fuzz" in item.path.parents:
            item.add_marker(pytest.mark.no_cover)
