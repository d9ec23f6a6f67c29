import math

import pytest

from genai_utils.business import clusters


def test_one_device_has_nothing_to_exchange():
    assert clusters.ring_seconds(gradient_bytes=1e9, devices=1, bytes_per_second=1e9, latency=1.0) == 0


def test_many_devices_send_almost_twice_the_gradients_whatever_their_number():
    times = [clusters.ring_seconds(gradient_bytes=1e9, devices=n, bytes_per_second=1e9) for n in (2, 8, 1024)]
    assert times == pytest.approx([1.0, 1.75, 2.0], rel=1e-3)


def test_latency_grows_with_the_ring():
    times = [clusters.ring_seconds(gradient_bytes=0, devices=n, bytes_per_second=1e9, latency=1e-5) for n in (2, 64)]
    assert times == pytest.approx([2e-5, 126e-5])


def test_an_exchange_that_is_hidden_costs_nothing():
    assert clusters.efficiency(compute_seconds=2, exchange_seconds=1, hidden_seconds=1.5) == 1
    assert clusters.efficiency(compute_seconds=2, exchange_seconds=1, hidden_seconds=0.5) == 0.8


def test_a_run_on_many_devices_is_faster_and_dearer():
    alone = clusters.bill(device_hours=100, devices=1, efficiency=1, usd_per_device_hour=2)
    eight = clusters.bill(device_hours=100, devices=8, efficiency=0.8, usd_per_device_hour=2)
    assert alone == (100, 200)
    assert eight == pytest.approx((100 / 6.4, 250))


def test_a_machine_is_bought_for_the_hours_that_its_price_would_rent():
    assert clusters.hours_to_own(machine_usd=1000, owner_usd_per_hour=0.5, rent_usd_per_hour=2.5) == 500
    assert clusters.hours_to_own(machine_usd=1000, owner_usd_per_hour=2.5, rent_usd_per_hour=2.5) == math.inf


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: clusters.ring_seconds(gradient_bytes=1, devices=0, bytes_per_second=1), "devices"),
        (lambda: clusters.ring_seconds(gradient_bytes=1, devices=2, bytes_per_second=0), "bytes_per_second"),
        (lambda: clusters.efficiency(compute_seconds=0, exchange_seconds=1), "compute_seconds"),
        (lambda: clusters.checkpoint_interval(write_seconds=0, seconds_between_failures=1), "write_seconds"),
        (lambda: clusters.bill(device_hours=1, devices=1, efficiency=1.2, usd_per_device_hour=1), "efficiency"),
        (lambda: clusters.hours_to_own(machine_usd=-1, owner_usd_per_hour=0, rent_usd_per_hour=1), "machine_usd"),
    ],
)
def test_a_number_out_of_its_range_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
