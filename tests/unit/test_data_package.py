"""The names that `genai_utils.data` offers."""

import pytest

from genai_utils import data


def test_everything_offered_exists():
    assert all(hasattr(data, name) for name in data.__all__)


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(AttributeError, match="no 'cifar'; it offers .*fashion_mnist"):
        data.cifar  # noqa: B018
