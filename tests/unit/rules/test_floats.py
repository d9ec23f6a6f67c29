"""Finite numbers in, finite numbers out: a result that no float can hold is refused by the call that has none."""

import pytest

from genai_utils.business import adoption, clusters, competition, machines, unit_economics, valuation
from genai_utils.business import evidence as ev
from genai_utils.checks import NoValueError
from genai_utils.metrics import hardware

HUGE, TINY = 1e300, 1e-300
GROWTH = competition.Growth(rate=400.0, error=1.0, residual=0.0, log_mean=0.0, year_mean=0.0, n=5)
TOKENS = unit_economics.Tokens(1.5e308, 1.5e308, 1.5e308)
DEAR = unit_economics.Prices(HUGE, HUGE, HUGE)
SMALL = unit_economics.Account(revenue_usd=TINY, cost_usd=HUGE)
MONTH = unit_economics.Month(revenue_usd=-1.5e308, payers_usd=1.5e308, free_users_usd=1.0, fixed_usd=1.0)
COSTLY = unit_economics.Plan(1.0, 0.5, 1.0, 1.0, 1.0, TINY, HUGE, 0.5, 1.0)
FEW = unit_economics.Plan(TINY, 0.5, 10.0, 1.0, 1.0, 1.0, 1.0, 0.5, HUGE)
BUILD = machines.Buildout(1.7e308, 0.5, 0.1, 0.1, rate=0.1, running=0.5, margin=0.5, utilisation=0.5)
SCARCE = machines.Buildout(1e308, 0.5, 9.0, 9.0, rate=0.1, running=0.1, margin=1 - 1e-15, utilisation=0.5)
RARE = machines.Buildout(1e308, 0.5, 9.0, 9.0, rate=0.1, running=0.1, margin=0.0, utilisation=TINY)
BOOM = valuation.Company(1e300, 1e9, 1.0, 0.1)
LONG = valuation.Company(1e308, 0.0, 1.0, 0.0300001)
POOLED = ev.Pooled(ev.Effect(800.0, 1.0), 0.0, 0.0, 0.0, weights=[0.3, 0.3, 0.4], knapp=1.0)
GAIN = {"gain": 1.7e308, "pace": 1.0, "decay": 0.0}
ROUND = {"gradient_bytes": HUGE, "devices": 2, "bytes_per_second": TINY}
MACHINE = {"tokens_per_second": TINY, "machine_usd_per_hour": HUGE}


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("adopters", lambda: adoption.Bass(1.0, TINY, 1e10).adopters(1.0)),
        ("share", lambda: adoption.Bass(1.0, TINY, 1e10).share(1.0)),
        ("new", lambda: adoption.Bass(HUGE, HUGE, 1.0).new(0.0)),
        ("peak", lambda: adoption.Bass(1.0, TINY, 1e10).peak),
        ("ring_seconds", lambda: clusters.ring_seconds(**ROUND)),
        (
            "checkpoint_interval",
            lambda: clusters.checkpoint_interval(write_seconds=HUGE, seconds_between_failures=HUGE),
        ),
        (
            "bill",
            lambda: clusters.bill(device_hours=HUGE, devices=1, efficiency=TINY, usd_per_device_hour=1.0),
        ),
        ("yearly_factor", lambda: competition.Growth(800.0, 1.0, 1.0, 0.0, 0.0, 5).yearly_factor),
        ("doubling_months", lambda: competition.Growth(0.0, 1.0, 1.0, 0.0, 0.0, 5).doubling_months),
        ("interval", lambda: competition.Growth(0.0, 1e4, 1.0, 0.0, 0.0, 5).interval()),
        ("forecast", lambda: GROWTH.forecast(2.0)),
        (
            "leader_price",
            lambda: competition.leader_price(cost=1.7e308, switching=1.0, advantage=1e308, open_rival=True),
        ),
        ("change", lambda: ev.Effect(800.0, 1.0).change),
        ("interval", lambda: ev.Effect(0.0, 1e4).interval()),
        ("effect_from_error", lambda: ev.effect_from_error(-1 + 1e-15, HUGE)),
        ("prediction", lambda: POOLED.prediction()),
        ("random_effects", lambda: ev.random_effects([ev.Effect(1.0, TINY), ev.Effect(2.0, 1.0)])),
        ("sample_size", lambda: ev.sample_size(TINY, 1.0)),
        ("power", lambda: ev.power(HUGE, TINY, 5e-324)),
        ("selection_bias", lambda: ev.selection_bias(1.0, 1.7e308, TINY)),
        ("kept_mean", lambda: ev.kept_mean(-1.7e308, 1.7e308, 0.999)),
        ("j_curve", lambda: ev.j_curve([0.5, 0.0, 0.5, 0.0], **(GAIN | {"pace": 1e10}))),
        ("usd_per_million_tokens", lambda: unit_economics.usd_per_million_tokens(**MACHINE, utilisation=1.0)),
        ("break_even_utilisation", lambda: unit_economics.break_even_utilisation(usd_per_million=1.0, **MACHINE)),
        (
            "batch_tokens_per_second",
            lambda: unit_economics.batch_tokens_per_second(1, seconds_per_step=0.0, seconds_per_sequence=5e-324),
        ),
        ("total", lambda: TOKENS.total),
        ("hit_rate", lambda: unit_economics.Tokens(0.0, 0.0, 1.0).hit_rate),
        ("revenue_usd", lambda: DEAR.revenue_usd(TOKENS)),
        ("margin", lambda: SMALL.margin),
        ("break_even_share", lambda: SMALL.break_even_share),
        ("training_flop", lambda: unit_economics.training_flop(parameters=HUGE, tokens=HUGE)),
        (
            "training_gpu_hours",
            lambda: unit_economics.training_gpu_hours(flop=HUGE, peak_flop_per_second=TINY, mfu=1.0),
        ),
        (
            "model_flop_utilisation",
            lambda: unit_economics.model_flop_utilisation(flop=HUGE, peak_flop_per_second=TINY, gpu_hours=1.0),
        ),
        ("yearly_factor", lambda: unit_economics.yearly_factor(before=HUGE, after=TINY, years=1.0)),
        ("declined", lambda: unit_economics.declined(HUGE, factor=TINY, years=1.0)),
        ("usd", lambda: unit_economics.Fleet(TINY, HUGE, 1.0).usd(HUGE)),
        (
            "usd_per_payer",
            lambda: unit_economics.usd_per_payer(paying_share=TINY, payer_cost_usd=0.0, free_cost_usd=HUGE),
        ),
        ("profit_usd", lambda: MONTH.profit_usd),
        ("gross_margin", lambda: unit_economics.Month(TINY, HUGE, 1.0, 1.0).gross_margin),
        ("token_usd", lambda: COSTLY.token_usd),
        ("month", lambda: COSTLY.month()),
        ("after", lambda: COSTLY.after(1.0, price_factor=1.0, cost_factor=1.0)),
        ("break_even_paying_share", lambda: FEW.break_even_paying_share()),
        ("present_value", lambda: valuation.present_value([HUGE, HUGE], rate=-1 + 1e-15)),
        ("perpetuity", lambda: valuation.perpetuity(HUGE, rate=TINY, growth=0.0)),
        ("annuity", lambda: machines.annuity(HUGE, rate=0.0, years=TINY)),
        ("revenues", lambda: BOOM.revenues),
        ("near_value", lambda: BOOM.near_value),
        ("far_value", lambda: LONG.far_value),
        ("value", lambda: LONG.value),
        ("capture", lambda: valuation.capture({"a": -HUGE, "b": -HUGE})),
        ("parts", lambda: BUILD.parts()),
        ("yearly_cost", lambda: BUILD.yearly_cost),
        ("required_revenue", lambda: SCARCE.required_revenue),
        ("price_per_hour", lambda: RARE.price_per_hour),
        ("width", lambda: machines.Swing("a", -1.7e308, 1.7e308).width),
        ("bubble_paths", lambda: valuation.bubble_paths(HUGE, rate=HUGE, burst=0.0, years=1, paths=1, seed=0)),
        ("utilization", lambda: hardware.utilization(HUGE, TINY, 1.0)),
    ],
)
def test_a_result_that_no_float_holds_is_refused_by_name(name, call):
    with pytest.raises(NoValueError, match=f"^{name} has no (finite )?value for .*; give numbers that go together"):
        call()
