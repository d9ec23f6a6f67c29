"""What a function cannot use is refused by name, with what came and what was expected."""

import math
import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from genai_utils import checks


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("check", [lambda x: checks.finite(cost=x), lambda x: checks.above(0.0, cost=x)])
def test_what_is_not_finite_is_refused(check, bad):
    with pytest.raises(ValueError, match=f"cost must be a finite number.*, got {bad}"):
        check(bad)


def test_a_bound_belongs_to_what_is_at_least_that_and_not_to_what_is_above():
    checks.at_least(0.0, cost=0.0)
    checks.above(0.0, cost=5e-324)
    with pytest.raises(ValueError, match="cost must be a finite number above 0, got 0.0"):
        checks.above(0.0, cost=0.0)
    for bad in (0.5, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"cost must be a finite number, 1 or more, got {bad}"):
            checks.at_least(1.0, cost=bad)


@pytest.mark.parametrize("within", ["(0, 1)", "(0, 1]", "[0, 1)", "[0, 1]"])
def test_a_round_bracket_leaves_its_end_out(within):
    checks.share(within, saved=0.6)
    for end, bracket in ((0.0, within[0]), (1.0, within[-1])):
        if bracket in "[]":
            checks.share(within, saved=end)
        else:
            with pytest.raises(ValueError, match="saved is a share in .*; write 60 % as 0.6"):
                checks.share(within, saved=end)
    for bad in (-0.1, 60.0, math.nan):
        with pytest.raises(ValueError, match=f"saved is a share in .*, got {bad}"):
            checks.share(within, saved=bad)


@pytest.mark.parametrize("bad", ["0.5", None, True, [0.5], 1j])
def test_what_is_no_number_is_refused_by_name(bad):
    for check in (checks.finite, checks.positive, lambda **x: checks.between(0, 1, **x)):
        with pytest.raises(TypeError, match="cost must be a number, got"):
            check(cost=bad)


def test_infinity_is_positive_and_zero_is_not():
    checks.positive(years=math.inf)
    for bad in (0, -1.0, math.nan):
        with pytest.raises(ValueError, match=f"years must be a number above 0, or infinite, got {bad}"):
            checks.positive(years=bad)


@pytest.mark.parametrize(("bad", "error"), [(2.0, TypeError), (True, TypeError), ("3", TypeError), (0, ValueError)])
def test_what_counts_nothing_is_refused(bad, error):
    checks.whole(1, steps=np.int64(3))
    with pytest.raises(error, match="steps must be a whole number"):
        checks.whole(1, steps=bad)


def test_what_fits_into_no_memory_is_refused_with_its_sizes():
    checks.fits(paths=1000, n=1000)
    with pytest.raises(ValueError, match=r"paths = 1,000,000 x n = 1,000,000 are more than the 1,000,000,000 numbers"):
        checks.fits(paths=10**6, n=10**6)


def test_a_misspelled_option_is_refused_with_the_nearest():
    checks.one_of(("rotary", "none"), positions="rotary")
    with pytest.raises(
        ValueError, match="positions must be one of 'rotary', 'none', got 'rotry'; did you mean 'rotary'"
    ):
        checks.one_of(("rotary", "none"), positions="rotry")
    with pytest.raises(ValueError, match="got 7$"):
        checks.one_of(("rotary", "none"), positions=7)


@pytest.mark.parametrize(
    ("values", "shape", "error", "message"),
    [
        ([1.0, math.nan], "(n,)", ValueError, "cash must hold finite numbers only"),
        ([1.0], "(n, 2)", ValueError, r"cash must have shape \(n, 2\), at least 1 of them, got \(1,\)"),
        ([[1.0]], "(n, 2)", ValueError, r"got \(1, 1\)"),
        ([], "(n,)", ValueError, r"got \(0,\)"),
        (["1"], "(n,)", TypeError, "cash must be numbers"),
        ([[1.0], [1.0, 2.0]], "(n,)", TypeError, "cash must be numbers"),
        (None, "(n,)", TypeError, "cash must be numbers"),
    ],
)
def test_what_is_no_array_of_that_shape_is_refused(values, shape, error, message):
    with pytest.raises(error, match=message):
        checks.array("cash", values, shape)


def test_an_array_comes_as_float64_of_any_shape_that_is_asked_for():
    assert checks.array("cash", [[1, 2]], "(n, 2)").dtype == np.float64
    assert checks.array("cash", 3, "(...)").shape == () and checks.array("cash", [[1, 2]], "(..., n)").shape == (1, 2)
    assert checks.array("logs", [-math.inf], infinite=True)[0] == -math.inf


def test_tensors_are_refused_by_kind_shape_and_what_is_no_number():
    checks.finite_tensors("(n, d)", a=torch.ones(2, 3))
    for bad, error, message in (
        (np.ones((2, 3)), TypeError, "a must be a torch tensor, got ndarray"),
        (torch.ones(3), ValueError, r"a must have shape \(n, d\), got \(3,\)"),
        (torch.full((2, 3), math.nan), ValueError, "a must be finite"),
        (torch.ones(2, 3, dtype=torch.complex64), TypeError, "a must hold real numbers"),
    ):
        with pytest.raises(error, match=message):
            checks.finite_tensors("(n, d)", a=bad)


@pytest.mark.parametrize(("bad", "message"), [
    (torch.tensor([1.0, math.nan, 2.0]), r"a must hold no NaN: 1 of 3 numbers are NaN; .*lower the learning rate"),
    (torch.tensor([[math.nan], [math.inf]]).half(), "1 of 2 numbers are NaN"),
    (torch.tensor([1.0, -math.inf]), r"a must be finite, and at most 1e\+15 in size, got -inf to 1"),
    (torch.tensor(3e38), r"at most 1e\+15 in size, got 3e\+38"),
    (torch.tensor([1e200], dtype=torch.float64), r"at most 1e\+150 in size"),
    (torch.tensor([math.nan], requires_grad=True), "a must hold no NaN"),
])  # fmt: skip
def test_a_tensor_of_numbers_that_are_none_is_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        checks.tensors("(...)", a=bad)


def test_what_is_large_or_whole_or_on_another_device_passes():
    many = torch.full((1000, 1000), 1e13)  # whose squares together float32 cannot hold in one sum with room to spare
    half, whole = torch.full((9,), 6e4).half(), torch.tensor([2**62])
    checks.tensors("(...)", many=many, half=half, whole=whole, empty=torch.ones(0), far=torch.ones(3, device="meta"))
    checks.sound(double=torch.tensor([1e140], dtype=torch.float64), strided=torch.ones(4, 6)[::2, 1::3])


@pytest.mark.filterwarnings("ignore:.*jit.trace.*is deprecated")
def test_within_a_network_and_while_torch_compiles_traces_or_maps_nothing_is_looked_at():
    nan = torch.tensor([math.nan])
    with checks.trusted():
        assert not checks.looks()
        checks.sound(a=nan)
        with checks.trusted():
            pass
        checks.sound(a=nan)
    with pytest.raises(ValueError, match="no NaN"):
        checks.sound(a=nan)

    def checked(x):
        checks.sound(a=x)
        with checks.trusted():
            return x + 1

    for call in (torch.compile(checked, backend="eager", fullgraph=True), torch.jit.trace(checked, torch.ones(1))):
        assert call(nan).isnan().all()
    assert torch.func.vmap(checked)(nan).isnan().all()


def test_trust_ends_with_an_error_and_does_not_reach_another_thread():
    with pytest.raises(KeyError), checks.trusted():
        raise KeyError
    assert checks.looks()
    seen = []
    with checks.trusted():
        thread = threading.Thread(target=lambda: seen.append(checks.looks()))
        thread.start()
        thread.join()
    assert seen == [True]


@dataclass(frozen=True)
class Row:
    name: str
    count: int
    size: float | None = None

    def __post_init__(self):
        checks.as_hinted(self)


def test_a_row_is_what_its_hints_say():
    Row("a", 0), Row("a", 1, 0.5)
    for bad, message in (
        ((7, 1), "name must be str"),
        (("a", 1.5), "count must be"),
        (("a", 1, math.nan), "size must"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            Row(*bad)


@dataclass
class Measured:
    value: float


@checks.representable
def ratio(a: float, b: float) -> float:
    return a / b


@checks.representable
def inverse(x: float) -> float:
    return ratio(1.0, x)


def test_a_result_that_no_float_holds_is_refused_by_what_the_caller_gave():
    assert ratio(1.0, 2.0) == 0.5
    with pytest.raises(checks.NoValueError, match="inverse has no finite value for x=0.0"):
        inverse(0.0)
    for numbers in ((1e300, 1e-300), (math.nan, 1.0)):
        with pytest.raises(checks.NoValueError, match="ratio has no finite value for a="):
            ratio(*numbers)


@pytest.mark.parametrize(
    "result", [np.array([1.0, math.inf]), {"x": math.nan}, (1.0, [math.inf]), np.float32(math.nan), Measured(math.inf)]
)
def test_what_is_not_finite_is_found_within_a_result(result):
    with pytest.raises(checks.NoValueError):
        checks.representable(lambda: result)()


def test_infinity_may_be_an_answer_and_nan_never():
    assert checks.never_nan(lambda: math.inf)() == math.inf
    with pytest.raises(checks.NoValueError, match="no value"):
        checks.never_nan(lambda: math.nan)()
