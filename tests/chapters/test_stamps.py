"""The stored notebooks belong to the texts and the code beside them, and were cheap enough to run."""

import nbformat
import pytest

from tools.notebooks import ROOT, Project, stale

COURSE = Project(ROOT)
SECONDS = {"gan-minimax": 60, "gan-training": 150}
MOST_SECONDS = 90
MEGABYTES = 2048


@pytest.mark.parametrize("name", COURSE.names)
def test_the_notebook_is_not_stale(name):
    assert stale(COURSE, name) is None, "run `make notebooks`"


@pytest.mark.parametrize("name", COURSE.names)
def test_the_notebook_ran_within_the_budget_of_time_and_memory(name):
    stamp = nbformat.read(COURSE.notebook(name), as_version=4).metadata.genai
    assert stamp.budget == "cpu" and stamp.device == "cpu"
    assert stamp.seconds <= SECONDS.get(name, MOST_SECONDS)
    assert stamp.peak_memory_mb < MEGABYTES
