"""Answers are read with suspicion: known types come through, everything else is refused in words."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tools.grading import runner, values
from tools.grading.values import TYPES, Wrong, finite, read

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=9,
)


@given(PLAIN)
def test_what_the_runner_says_is_read_back(value):
    try:
        said = runner.plain(value)
    except TypeError:  # nested too deeply
        return
    assert read(said) == value == runner.native(said)


@given(arrays.arrays(st.sampled_from(sorted(TYPES)).map(np.dtype), arrays.array_shapes(min_side=0, max_side=4)))
def test_arrays_come_back_bit_for_bit(array):
    said = runner.plain(array)
    for found in (read(said), runner.native(said)):
        assert found.dtype == array.dtype and found.shape == array.shape and found.tobytes() == array.tobytes()


def array(**other):
    return {"array": {"dtype": "float64", "shape": [1], "data": base64.b64encode(bytes(8)).decode()} | other}


def test_the_example_below_is_an_array():
    assert read(array()).tolist() == [0.0]


@pytest.mark.parametrize(
    "said",
    [
        {"value": 1},
        {}, {"array": 3}, {"array": {}}, {"map": 3}, {"map": [[1]]}, {"map": [[None, 1]]}, 2**63, -(2**64),
        array(dtype="object"), array(dtype="O"), array(dtype="U8"), array(dtype=["f8"]), array(dtype="float128"),
        array(shape=[2]), array(shape=[-1]), array(shape="1"), array(shape=[1.0]), array(shape=[True]),
        array(shape=[2**31, 2**31]), array(shape=[1] * 40), array(data="!"), array(data=3), array(data=None),
        [[[[[[[[[[1]]]]]]]]]],
    ],
)  # fmt: skip
def test_anything_else_is_refused(said):
    with pytest.raises(Wrong):
        read(said)


@pytest.mark.parametrize("value", [float("nan"), [1.0, float("inf")], {"a": [float("nan")]}, np.array([1, np.nan])])
def test_numbers_that_are_none_are_refused_where_numbers_are_asked(value):
    with pytest.raises(Wrong):
        finite(value)
    assert finite([1.0, {"a": 2}, np.zeros(0)]) and values.DEEPEST == runner.DEEPEST
