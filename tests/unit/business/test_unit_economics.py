"""Unit economics: the arithmetic behaves as costs do, agrees with published figures and refuses what makes no sense."""

import math
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx

from genai_utils.business import unit_economics as ue
from genai_utils.records.facts import fact

AMOUNTS = st.floats(1e-3, 1e6)
SHARES = st.floats(0.01, 1.0)
FACTORS = st.floats(0.2, 50.0)
MACHINE = {"tokens_per_second": 1_000.0, "machine_usd_per_hour": 3.6, "utilisation": 0.5}
PLAN = ue.Plan(
    users=1_000.0,
    paying_share=0.1,
    usd_per_payer=20.0,
    payer_tokens=4.0,
    free_tokens=0.5,
    fixed_usd=500.0,
    **MACHINE,
)
DAY = {"cached_input": 1e6, "fresh_input": 1e6, "output": 1e6}
FLEET = {"machine_tokens": 1e9, "machine_usd": 1_500.0, "fixed_usd": 4_000.0}


def cost(**changes):
    return ue.usd_per_million_tokens(**(MACHINE | changes))


def test_the_module_needs_no_torch():
    code = "import sys, genai_utils.business.unit_economics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_million_tokens_cost_what_the_machine_costs_while_it_makes_them():
    assert cost(utilisation=1.0) == approx(1.0, rel=1e-12)  # 1,000 s at a tenth of a cent a second
    assert cost() == approx(2.0, rel=1e-12)


@given(AMOUNTS, AMOUNTS, SHARES, st.floats(1.01, 100))
def test_a_token_gets_cheaper_with_speed_and_load_and_dearer_with_rent(speed, rent, load, more):
    base = cost(tokens_per_second=speed, machine_usd_per_hour=rent, utilisation=load)
    assert cost(tokens_per_second=speed * more, machine_usd_per_hour=rent, utilisation=load) == approx(base / more)
    assert cost(tokens_per_second=speed, machine_usd_per_hour=rent * more, utilisation=load) == approx(base * more)
    assert cost(tokens_per_second=speed, machine_usd_per_hour=rent, utilisation=load / more) == approx(base * more)


@given(AMOUNTS, AMOUNTS, st.integers(1, 512))
def test_a_node_of_many_gpus_costs_as_much_a_token_as_one_of_them(speed, rent, gpus):
    one = cost(tokens_per_second=speed, machine_usd_per_hour=rent)
    assert cost(tokens_per_second=gpus * speed, machine_usd_per_hour=gpus * rent) == approx(one)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_at_the_break_even_utilisation_a_token_costs_its_price(price, speed, rent):
    machine = {"tokens_per_second": speed, "machine_usd_per_hour": rent}
    load = ue.break_even_utilisation(usd_per_million=price, **machine)
    assume(1e-300 < load <= 1)
    assert ue.usd_per_million_tokens(utilisation=load, **machine) == approx(price)


@given(st.integers(1, 1_000), AMOUNTS, AMOUNTS)
def test_a_larger_batch_is_faster_and_never_reaches_the_limit(batch, step, sequence):
    cost_of = {"seconds_per_step": step, "seconds_per_sequence": sequence}
    slower, faster = (ue.batch_tokens_per_second(size, **cost_of) for size in (batch, 2 * batch))
    assert slower <= faster <= 2 * slower * (1 + 1e-12)
    assert faster <= 1 / sequence


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.floats(0, 0.99))
def test_an_answer_is_slower_in_company_and_never_faster_than_alone(tokens, step, sequence, load):
    engine = {"tokens": tokens, "seconds_per_step": step, "seconds_per_sequence": sequence}
    alone = ue.answer_seconds(load=0.0, **engine)
    assert alone == approx(tokens / ue.batch_tokens_per_second(1, seconds_per_step=step, seconds_per_sequence=sequence))
    assert alone <= ue.answer_seconds(load=load, **engine) == approx(alone / (1 - load))


def test_a_million_tokens_of_one_kind_bring_the_price_of_that_kind():
    prices = ue.Prices(cached_input=0.1, fresh_input=0.5, output=2.0)
    assert [prices.usd_per_million(ue.Tokens(*kind)) for kind in [(3, 0, 0), (0, 7, 0), (0, 0, 9)]] == approx(
        [0.1, 0.5, 2]
    )
    assert prices.usd_per_million(ue.Tokens(2e9, 1e9, 1e9)) == approx(0.675)
    with pytest.raises(ValueError, match="tokens must be a finite number above 0, got 0"):
        prices.usd_per_million(ue.Tokens(0, 0, 0))


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.floats(0, 100))
def test_revenue_grows_in_proportion_to_traffic_and_to_prices(cached, fresh, output, times):
    tokens, prices = ue.Tokens(cached, fresh, output), ue.Prices(0.1, 0.5, 2.0)
    more = ue.Tokens(times * cached, times * fresh, times * output)
    dearer = ue.Prices(0.1 * times, 0.5 * times, 2.0 * times)
    expected = approx(times * prices.revenue_usd(tokens))
    assert prices.revenue_usd(more) == expected == approx(dearer.revenue_usd(tokens))


def test_the_hit_rate_is_the_share_of_the_input_found_in_the_cache():
    assert ue.Tokens(30, 10, 999).hit_rate == 0.75
    with pytest.raises(ValueError, match="hit_rate has no finite value for self=Tokens.*fresh_input=0, output=5"):
        _ = ue.Tokens(0, 0, 5).hit_rate


@given(AMOUNTS, AMOUNTS)
def test_margin_markup_and_break_even_share_tell_the_same_story(revenue, expense):
    account = ue.Account(revenue, expense)
    assert account.margin <= 1
    assert account.margin + account.break_even_share == approx(1)
    assert (1 + account.markup) * (1 - account.margin) == approx(1)
    assert ue.Account(account.break_even_share * revenue, expense).margin == approx(0, abs=1e-9)


def test_what_costs_nothing_has_a_margin_of_one_and_an_infinite_markup():
    account = ue.Account(5.0, 0.0)
    assert (account.margin, account.markup) == (1.0, math.inf)


def test_the_published_day_is_reproduced():
    day, price = fact("B-U1"), fact("B-U2")
    hits, total = day.stated("342B"), day.stated("608B")
    tokens = ue.Tokens(cached_input=hits, fresh_input=total - hits, output=day.stated("168B"))
    prices = ue.Prices(*map(price.stated, ("$0.14", "$0.55", "$2.19")))
    rent = day.stated("226.75") * 8 * 24 * day.stated("$2")
    revenue = prices.revenue_usd(tokens)
    assert rent == day.stated("$87,072")
    assert revenue == approx(day.stated("$562,027"), rel=2e-4)  # the tokens are published in whole billions
    assert tokens.hit_rate == approx(day.stated("56.3%"), abs=5e-4)
    assert ue.Account(day.stated("$562,027"), rent).markup == approx(day.stated("545%"), abs=5e-3)


def test_the_published_gpu_hours_lie_within_the_gpu_s_peak():
    run, hours, gpu = fact("B-T1"), fact("B-T6"), fact("B-T5")
    flop = ue.training_flop(parameters=run.stated("37B"), tokens=run.stated("14.8T"))
    rate = {"flop": flop, "peak_flop_per_second": 1e12 * gpu.stated("989.4")}
    mfu = ue.model_flop_utilisation(gpu_hours=hours.stated("2,664K"), **rate)
    assert 0.3 < mfu < 0.4
    assert run.stated("2.788M") * 2 == run.stated("$5.576M")


@given(st.floats(1e3, 1e13), st.floats(1e3, 1e14), st.floats(1e9, 1e16), SHARES)
def test_hours_and_mfu_are_each_other_s_inverse(parameters, tokens, peak, share):
    flop = ue.training_flop(parameters=parameters, tokens=tokens)
    hours = ue.training_gpu_hours(flop=flop, peak_flop_per_second=peak, mfu=share)
    assert ue.model_flop_utilisation(flop=flop, peak_flop_per_second=peak, gpu_hours=hours) == approx(share)


def test_an_mfu_above_one_is_returned_because_it_betrays_a_slip():
    assert ue.model_flop_utilisation(flop=7200.0, peak_flop_per_second=1.0, gpu_hours=1.0) == approx(2.0)


@given(AMOUNTS, AMOUNTS, st.floats(0.1, 20))
def test_the_yearly_factor_leads_from_one_price_to_the_other(before, after, years):
    factor = ue.yearly_factor(before=before, after=after, years=years)
    assume(1e-30 < factor < 1e30)
    assert ue.declined(before, factor=factor, years=years) == approx(after)


@given(AMOUNTS, FACTORS, st.floats(0, 10), st.floats(0, 10))
def test_decline_over_two_spans_is_decline_over_both(amount, factor, first, second):
    stepwise = ue.declined(ue.declined(amount, factor=factor, years=first), factor=factor, years=second)
    assert ue.declined(amount, factor=factor, years=first + second) == approx(stepwise)


FLEETS = st.builds(ue.Fleet, st.floats(1e6, 1e12), st.floats(1.0, 1e5), st.floats(0, 1e5))


@given(FLEETS, st.floats(0.01, 100))
def test_at_the_break_even_the_fleet_costs_what_the_api_costs(fleet, price):
    even = fleet.break_even_tokens(price)
    assume(even < 1e15)
    assert fleet.usd(even * (1 - 1e-9)) == approx(price * even / 1e6)


@given(FLEETS, st.floats(0.01, 100), st.floats(1.000001, 1_000))
def test_for_good_is_for_good_and_not_a_machine_too_late(fleet, price, more):
    first, last = fleet.break_even_tokens(price), fleet.lasting_tokens(price)
    assume(last < 1e15)
    api = price / 1e6
    assert first <= last * (1 + 1e-9)
    assert fleet.usd(last * more) <= api * last * more * (1 + 1e-9)  # never again dearer
    full = math.floor(last * (1 - 1e-9) / fleet.machine_tokens) * fleet.machine_tokens  # the last full fleet before
    just_above = full * (1 + 1e-9) + 1e-6
    assert just_above >= last or fleet.usd(just_above) >= api * just_above * (1 - 1e-6)


def test_where_the_api_sells_a_full_machine_for_its_rent_no_traffic_is_enough_for_good():
    assert ue.Fleet(machine_tokens=1e9, machine_usd=1_000.0, fixed_usd=0.0).lasting_tokens(1.0) == math.inf
    assert ue.Fleet(machine_tokens=1e9, machine_usd=1_000.0, fixed_usd=0.0).lasting_tokens(2.0) == 5e8 * 1


@given(FLEETS, st.floats(0.01, 100), st.floats(0.001, 0.999))
def test_below_the_break_even_the_api_is_cheaper(fleet, price, part):
    even = fleet.break_even_tokens(price)
    tokens = part * even if math.isfinite(even) else part * 1e15
    assert price * tokens / 1e6 < fleet.usd(tokens)


def test_a_fleet_that_is_dearer_when_full_never_breaks_even():
    fleet = ue.Fleet(machine_tokens=1e9, machine_usd=2_000.0, fixed_usd=0.0)
    assert fleet.break_even_tokens(1.0) == math.inf
    assert ue.Fleet(1e9, 1_000.0, 1.0).break_even_tokens(1.0) == math.inf
    assert ue.Fleet(1e9, 1_000.0, 0.0).break_even_tokens(1.0) == 1e9


def test_machines_come_whole_and_one_stands_by():
    fleet = ue.Fleet(**FLEET)
    assert [fleet.usd(tokens) for tokens in (0, 1, 1e9, 1e9 + 1)] == [5_500.0, 5_500.0, 5_500.0, 7_000.0]


@given(SHARES, AMOUNTS, AMOUNTS, st.integers(1, 20))
def test_more_tries_cost_more_if_the_hand_is_free_and_a_sure_try_is_paid_once(accepted, tokens, check, tries):
    each = {"try_usd": tokens, "check_usd": check}
    few, more = (ue.usd_per_task(**each, accepted=accepted, tries=n) for n in (tries, tries + 1))
    assert (
        tokens + check
        <= few * (1 + 1e-12)
        <= more * (1 + 1e-9)
        <= ue.usd_per_task(**each, accepted=accepted) * (1 + 1e-9)
    )
    assert ue.usd_per_task(**each, accepted=1.0, tries=tries, by_hand_usd=1e9) == approx(tokens + check)


def test_a_try_that_costs_1_and_is_checked_for_9_makes_two_tries_of_10():
    assert ue.usd_per_task(try_usd=1.0, check_usd=9.0, accepted=0.5) == 20.0
    assert ue.usd_per_task(try_usd=3.0, check_usd=9.0, accepted=0.75) == 16.0
    assert ue.usd_per_task(try_usd=1.0, check_usd=9.0, accepted=0.5, tries=1, by_hand_usd=100.0) == 60.0
    with pytest.raises(ValueError, match="tries must be a whole number"):
        ue.usd_per_task(try_usd=1.0, check_usd=9.0, accepted=0.5, tries=0)


@given(st.floats(-100, 100), SHARES, st.floats(0, 0.1))
def test_a_customer_is_worth_at_least_his_first_month_and_less_with_interest(left, churn, interest):
    worth = ue.lifetime_usd(usd_per_month=left, churn=churn, discount=interest)
    assert abs(left) * (1 - 1e-9) <= abs(worth) <= abs(left) / churn * (1 + 1e-9)
    assert ue.lifetime_usd(usd_per_month=left, churn=churn) == approx(left / churn)


@given(SHARES, AMOUNTS, AMOUNTS)
def test_payers_who_bring_that_much_cover_everybody(share, payer, free):
    each = ue.usd_per_payer(paying_share=share, payer_cost_usd=payer, free_cost_usd=free)
    assert share * each == approx(share * payer + (1 - share) * free)


def test_a_month_adds_up():
    month = PLAN.month()  # 2 USD a million tokens: 100 payers use 400 million, 900 free users 450 million
    assert (month.revenue_usd, month.payers_usd, month.free_users_usd) == approx((2_000, 800, 900))
    assert month.profit_usd == approx(-200)
    assert month.gross_margin == approx(0.15)


def test_without_revenue_there_is_no_margin():
    month = replace(PLAN, paying_share=0.0).month()
    assert month.revenue_usd == 0
    with pytest.raises(ValueError, match="gross_margin has no finite value for self=Month.*revenue_usd=0"):
        _ = month.gross_margin


@given(st.floats(0, 60), FACTORS, FACTORS, FACTORS, FACTORS)
def test_prices_machines_users_and_use_move_apart(months, price, machine, users, use):
    rates = {"price_factor": price, "cost_factor": machine, "users_factor": users, "use_factor": use}
    later, now, years = PLAN.after(months, **rates), PLAN.month(), months / 12
    assert later.revenue_usd == approx(now.revenue_usd * (users / price) ** years)
    assert later.payers_usd == approx(now.payers_usd * (users * use / machine) ** years)
    assert later.free_users_usd == approx(now.free_users_usd * (users * use / machine) ** years)
    assert later.fixed_usd == now.fixed_usd


@given(st.floats(1, 1e6), st.floats(1, 500), st.floats(0, 10), st.floats(0, 10), st.floats(0, 1e5))
def test_at_the_break_even_share_the_month_is_even(users, price, payer, free, fixed):
    plan = replace(PLAN, users=users, usd_per_payer=price, payer_tokens=payer, free_tokens=free, fixed_usd=fixed)
    assume(price - 2 * payer + 2 * free > 1e-3)
    share = plan.break_even_paying_share()
    assume(share <= 1)
    scale = users * (price + 2 * payer + 2 * free) + fixed
    assert replace(plan, paying_share=share).month().profit_usd == approx(0, abs=1e-9 * scale)


def test_payers_who_cost_more_than_they_bring_are_refused_as_a_way_out():
    with pytest.raises(ValueError, match="more payers lose more; raise the price"):
        replace(PLAN, usd_per_payer=1.0).break_even_paying_share()
    with pytest.raises(ValueError, match="users must be a finite number above 0, got 0"):
        replace(PLAN, users=0.0).break_even_paying_share()


BAD = [math.nan, math.inf, -1e-9]
CALLS = [
    (ue.usd_per_million_tokens, MACHINE),
    (ue.break_even_utilisation, {"usd_per_million": 1.0, "tokens_per_second": 1.0, "machine_usd_per_hour": 1.0}),
    (ue.batch_tokens_per_second, {"batch": 1, "seconds_per_step": 1.0, "seconds_per_sequence": 1.0}),
    (ue.answer_seconds, {"tokens": 1.0, "load": 0.5, "seconds_per_step": 1.0, "seconds_per_sequence": 1.0}),
    (ue.usd_per_task, {"try_usd": 1.0, "check_usd": 1.0, "accepted": 0.5, "by_hand_usd": 1.0}),
    (partial(ue.lifetime_usd, usd_per_month=1.0), {"churn": 0.1, "discount": 0.01}),
    (ue.Tokens, DAY),
    (ue.Prices, DAY),
    (ue.Account, {"revenue_usd": 1.0, "cost_usd": 1.0}),
    (ue.training_flop, {"parameters": 1.0, "tokens": 1.0}),
    (ue.training_gpu_hours, {"flop": 1.0, "peak_flop_per_second": 1.0, "mfu": 0.5}),
    (ue.model_flop_utilisation, {"flop": 1.0, "peak_flop_per_second": 1.0, "gpu_hours": 1.0}),
    (ue.yearly_factor, {"before": 1.0, "after": 1.0, "years": 1.0}),
    (ue.declined, {"amount": 1.0, "factor": 2.0, "years": 1.0}),
    (ue.Fleet, FLEET),
    (ue.Fleet(**FLEET).usd, {"tokens": 1.0}),
    (ue.Fleet(**FLEET).break_even_tokens, {"api_usd_per_million": 1.0}),
    (ue.Fleet(**FLEET).lasting_tokens, {"api_usd_per_million": 1.0}),
    (ue.usd_per_payer, {"paying_share": 0.1, "payer_cost_usd": 1.0, "free_cost_usd": 1.0}),
    (PLAN.after, {"months": 1.0, "price_factor": 1.0, "cost_factor": 1.0, "users_factor": 1.0, "use_factor": 1.0}),
    (ue.Plan, {name: getattr(PLAN, name) for name in PLAN.__dataclass_fields__}),
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    ("call", "good", "name"),
    [(call, good, name) for call, good in CALLS for name in good],
    ids=lambda x: getattr(x, "__name__", str(x)[:40]),
)
def test_what_is_negative_or_no_number_is_refused_by_name(call, good, name, bad):
    with pytest.raises(ValueError, match=f"({name}|factor) (must be a finite number|is a share in).*got {bad}"):
        call(**(good | {name: bad}))


@pytest.mark.parametrize("name", ["tokens_per_second", "utilisation"])
def test_a_machine_that_makes_nothing_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} .*got 0"):
        cost(**{name: 0.0})


@pytest.mark.parametrize(
    ("call", "good", "name"), [(call, good, name) for call, good in CALLS for name in good if "share" in name]
)
def test_a_percentage_in_place_of_a_share_is_refused_with_advice(call, good, name):
    with pytest.raises(ValueError, match="write .* % as 0"):
        call(**(good | {name: 60.0}))


def test_a_utilisation_above_one_is_refused_with_advice():
    with pytest.raises(ValueError, match=r"utilisation is a share in \(0, 1\], got 1.2; write 60 % as 0.6"):
        cost(utilisation=1.2)
