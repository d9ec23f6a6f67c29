"""A measured number shows itself with its spread."""

from genai_utils.metrics.estimate import STANDARD_ERROR, Estimate


def test_an_estimate_reads_as_a_number_with_its_spread():
    estimate = Estimate(0.93714, 0.00241, 10_000, STANDARD_ERROR)
    assert str(estimate) == "0.937 ± 0.0024" and float(estimate) == 0.93714


def test_in_a_text_it_is_its_value_or_value_and_spread_in_one_form():
    estimate = Estimate(20.634, 0.0961, 2_000, STANDARD_ERROR)
    assert f"{estimate:.2f} {estimate:6.1f}|{Estimate(0.5, 0.01, 9, ''):.0%}" == "20.63   20.6|50%"
    assert f"{estimate:±.2f} and {estimate}" == "20.63 ± 0.10 and 20.6 ± 0.096"
