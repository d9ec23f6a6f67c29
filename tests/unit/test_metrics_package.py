"""The names that `genai_utils.metrics` offers, reached without importing them first."""

import subprocess
import sys

import pytest

from genai_utils import metrics


def test_the_submodules_load_when_first_used():
    code = "import genai_utils as gu; gu.metrics.samples.evaluate; gu.metrics.classifier.FashionClassifier"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(AttributeError, match="no 'sound'; it offers classifier, likelihood, samples, text"):
        metrics.sound  # noqa: B018
