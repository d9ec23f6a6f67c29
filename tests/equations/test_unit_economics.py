"""The equations of the chapter on unit economics: each computed a second way that shares no code, or as published."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from genai_utils.business import unit_economics as ue
from genai_utils.records.facts import fact

verifies = pytest.mark.verifies
WANTED = ["usd_per_million", "engine"]
WHOLE = st.integers(1, 10_000)
PERCENT = st.integers(1, 100)


@verifies("unit.cost-per-token")
@given(WHOLE, WHOLE, PERCENT)
def test_a_million_tokens_cost_the_rent_of_the_hours_they_take(speed, rent, percent):
    """Counted in exact fractions: a month of 730 hours is paid for, a share of it is used."""
    paid = Fraction(730 * rent)
    served = Fraction(730 * 3600 * speed * percent, 100)
    ours = ue.usd_per_million_tokens(tokens_per_second=speed, machine_usd_per_hour=rent, utilisation=percent / 100)
    assert ours == approx(float(paid / served * 10**6), rel=1e-12)


@verifies("unit.cost-per-token")
def test_the_chapter_s_own_lines_agree_with_the_package(chapter):
    machine = {"tokens_per_second": 14_800.0, "machine_usd_per_hour": 23.6, "utilisation": 0.37}
    assert chapter["usd_per_million"](**machine) == approx(ue.usd_per_million_tokens(**machine), rel=1e-12)


@verifies("unit.cost-per-token")
def test_the_published_throughputs_account_for_the_published_nodes():
    """Tokens / (tokens/s per node) = node-seconds; over a day they are the average number of nodes, to 0.1 %."""
    day = fact("B-U1")
    node = 8 * day.stated("$2")
    usd = sum(
        day.stated(tokens) / 1e6
        * ue.usd_per_million_tokens(tokens_per_second=day.stated(speed), machine_usd_per_hour=node, utilisation=1.0)
        for tokens, speed in [("608B", "73.7k"), ("168B", "14.8k")]
    )  # fmt: skip
    assert usd == approx(day.stated("$87,072"), rel=1e-3)


@verifies("unit.batch")
@given(st.integers(1, 64), st.floats(0.001, 1.0), st.floats(0.001, 1.0))
def test_throughput_is_what_a_clock_counts(batch, step, sequence):
    """Simulate 50 steps: each lasts its fixed part and one part for each sequence, and yields a token for each."""
    clock, tokens = 0.0, 0
    for _ in range(50):
        clock += step + sum(sequence for _ in range(batch))
        tokens += batch
    ours = ue.batch_tokens_per_second(batch, seconds_per_step=step, seconds_per_sequence=sequence)
    assert ours == approx(tokens / clock, rel=1e-9)


@verifies("unit.revenue")
def test_the_published_day_earns_what_was_published():
    """To 0.02 %, although the tokens are published in whole billions, which alone allows 0.3 %."""
    tokens = np.array([342.0, 608.0 - 342.0, 168.0]) * 1_000  # in millions
    prices = np.array([0.14, 0.55, 2.19])
    ours = ue.Prices(*prices).revenue_usd(ue.Tokens(*(tokens * 1e6)))
    assert ours == approx(tokens @ prices, rel=1e-12)
    assert ours == approx(fact("B-U1").stated("$562,027"), rel=2e-4)


@verifies("unit.margin")
@given(WHOLE, WHOLE)
def test_margin_and_markup_are_the_profit_over_two_different_wholes(revenue, cost):
    """Exact fractions; and markup = margin / (1 - margin)."""
    account = ue.Account(revenue, cost)
    profit = Fraction(revenue - cost)
    assert account.margin == approx(float(profit / revenue), abs=1e-12)
    assert account.markup == approx(float(profit / cost), rel=1e-9, abs=1e-12)
    assert account.margin / (1 - account.margin) == approx(account.markup, rel=1e-9, abs=1e-9)


@verifies("unit.margin")
def test_the_published_markup_is_a_margin_of_five_sixths():
    account = ue.Account(fact("B-U1").stated("$562,027"), fact("B-U1").stated("$87,072"))
    assert account.markup == approx(5.45, abs=0.005)
    assert account.margin == approx(5.45 / 6.45, abs=2e-4)


@verifies("unit.paid-share")
@given(st.integers(2, 10_000), WHOLE)
def test_bisection_finds_the_share_of_paid_traffic_that_breaks_even(revenue, cost):
    low, high = 0.0, float(cost)  # a share of `cost` of a revenue above 1 is surely enough
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if middle * revenue < cost else (low, middle)
    assert ue.Account(revenue, cost).break_even_share == approx(high, rel=1e-9)


@verifies("unit.training-cost")
def test_the_flop_counter_of_torch_finds_six_operations_a_weight_and_token():
    """A chain of matrix products, forwards and backwards; the first layer passes no gradient on, which saves 2."""
    width, layers, tokens = 64, 12, 32
    model = nn.Sequential(
        nn.Linear(8, width, bias=False), *(nn.Linear(width, width, bias=False) for _ in range(layers))
    )
    with FlopCounterMode(display=False) as counter:
        model(torch.randn(tokens, 8)).sum().backward()
    weights = sum(weight.numel() for weight in model.parameters())
    counted = counter.get_total_flops() + 2 * 8 * width * tokens  # the step that the first layer was spared
    assert counted == ue.training_flop(parameters=weights, tokens=tokens)


@verifies("unit.training-cost", "unit.mfu")
@given(st.floats(1e6, 1e12), st.floats(1e6, 1e13), st.floats(1e12, 1e15), st.floats(0.05, 1.0))
def test_hours_of_many_gpus_are_those_of_one(parameters, tokens, peak, share):
    """A cluster of 2,048 works until the operations are used up: wall-clock hours times GPUs."""
    flop = parameters * tokens * 6
    a_second_of_all = 2_048 * peak * share
    wall_hours = flop / a_second_of_all / 3600
    ours = ue.training_gpu_hours(
        flop=ue.training_flop(parameters=parameters, tokens=tokens), peak_flop_per_second=peak, mfu=share
    )
    assert ours == approx(2_048 * wall_hours, rel=1e-9)
    back = ue.model_flop_utilisation(flop=flop, peak_flop_per_second=peak, gpu_hours=2_048 * wall_hours)
    assert back == approx(share, rel=1e-9)


@verifies("unit.mfu")
def test_palm_s_published_utilisation_follows_from_its_published_throughput():
    """PaLM 540B, arXiv:2204.02311 table 3: 238.3K tokens/s on 6,144 TPU v4 of 275 TFLOP/s give 46.2 % with attention.

    Without the attention term, which 6 N D leaves out, 45.7 % (same paper, §4.1 and appendix B); tolerance 0.3 points.
    """
    hour = ue.training_flop(parameters=540.35e9, tokens=238.3e3 * 3600)
    mfu = ue.model_flop_utilisation(flop=hour, peak_flop_per_second=275e12, gpu_hours=6_144)
    assert mfu == approx(0.457, abs=0.003)


@verifies("unit.decline")
@given(st.floats(0.5, 1_000.0), st.floats(0.5, 10.0))
def test_decline_is_compounded_continuously(factor, years):
    """Euler's method on p' = -p log f, extrapolated: 20,000 and 40,000 small steps, to 1e-4."""

    def euler(steps):
        return 10.0 * (1 - math.log(factor) * years / steps) ** steps

    assume(abs(math.log(factor)) * years < 20)
    ours = ue.declined(10.0, factor=factor, years=years)
    assert 2 * euler(40_000) - euler(20_000) == approx(ours, rel=1e-4)
    assert ue.yearly_factor(before=10.0, after=ours, years=years) == approx(factor, rel=1e-9)


@verifies("unit.decline")
def test_the_published_thousandfold_fall_in_three_years_is_tenfold_a_year():
    price = fact("B-L1")
    factor = ue.yearly_factor(before=price.stated("$60"), after=price.stated("$0.06"), years=3)
    assert factor == approx(10.0, rel=1e-9)


@verifies("unit.break-even")
@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 200), st.integers(1, 40))
def test_a_search_over_all_traffics_finds_the_same_break_even(capacity, rent, fixed, price):
    """Money in whole USD, traffic in millions of tokens: walk up until the API first costs as much as the fleet."""
    fleet = ue.Fleet(machine_tokens=capacity * 1e6, machine_usd=rent, fixed_usd=fixed)
    even = fleet.break_even_tokens(price)
    if capacity * price < rent or (capacity * price == rent and fixed > 0):
        assert even == math.inf
        return
    machines = next(n for n in range(1, 100_000) if n * capacity * price >= fixed + n * rent)
    assert even == approx((fixed + machines * rent) / price * 1e6, rel=1e-12)
    assert (machines - 1) * capacity * 1e6 <= even <= machines * capacity * 1e6 * (1 + 1e-12)


@verifies("unit.free-tier")
@given(st.integers(1, 500), st.integers(0, 5_000), st.floats(0, 100), st.floats(0, 100))
def test_heads_are_counted_and_the_bill_is_split_among_those_who_pay(payers, free, payer_cost, free_cost):
    bill = payers * payer_cost + free * free_cost
    share = payers / (payers + free)
    each = ue.usd_per_payer(paying_share=share, payer_cost_usd=payer_cost, free_cost_usd=free_cost)
    assert each == approx(bill / payers, rel=1e-9, abs=1e-9)


def answers_on_board(load: float, step: float, sequence: float, states: int = 4_000) -> float:
    """Mean number of answers in an engine, from the stationary distribution of its Markov chain, solved as it is.

    Time is counted in mean answers of one token: with k on board one of them ends at the rate k / (step + sequence k).
    """
    k = np.arange(states)
    ends = np.zeros(states)
    ends[1:] = k[1:] / (step + sequence * k[1:])
    flow = np.diag(np.full(states - 1, load / sequence), 1) + np.diag(ends[1:], -1)
    flow -= np.diag(flow.sum(axis=1))
    rows = np.vstack([flow.T[:-1], np.ones(states)])
    return float(np.linalg.solve(rows, np.eye(states)[-1]) @ k)


@verifies("unit.slowdown")
@pytest.mark.parametrize("load", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("step", "sequence"), [(0.0, 1.0), (3.0, 1.0), (0.5, 0.02)])
def test_an_answer_takes_as_long_as_little_s_law_says_of_the_markov_chain(load, step, sequence):
    ours = ue.answer_seconds(tokens=1.0, load=load, seconds_per_step=step, seconds_per_sequence=sequence)
    assert answers_on_board(load, step, sequence) / (load / sequence) == approx(ours, rel=1e-6)


@verifies("unit.slowdown")
@pytest.mark.parametrize("spread", [True, False])
def test_the_chapter_s_engine_takes_as_long_however_lengths_are_spread(chapter, spread):
    """Eight runs of 8,000 answers of 200 tokens at 60 %; they err by less than 4 %, newcomers wait half a step."""
    runs = [chapter["engine"](0.6, seed, answers=8_000, tokens=200, spread=spread) for seed in range(11, 19)]
    error = np.std(runs, ddof=1) / 8**0.5
    assert error < 0.1 and np.mean(runs) == approx(2.5, abs=5 * error + 0.03)


@verifies("unit.slowdown")
def test_an_engine_that_nobody_shares_takes_its_own_time_and_a_full_one_none_that_ends():
    times = {"tokens": 50.0, "seconds_per_step": 0.02, "seconds_per_sequence": 0.001}
    assert ue.answer_seconds(load=0.0, **times) == approx(50 * 0.021)
    with pytest.raises(ValueError, match="load is a share in"):
        ue.answer_seconds(load=1.0, **times)


@verifies("unit.task")
@given(st.integers(1, 99), st.integers(0, 40), st.integers(0, 40), st.integers(1, 12), st.integers(0, 500))
def test_a_task_costs_what_the_tree_of_its_tries_costs(percent, tokens, check, tries, hand):
    """Every branch by its probability, in exact fractions: accepted at the first try, the second, ..., by hand."""
    q, expected, reached = Fraction(percent, 100), Fraction(0), Fraction(1)
    for _ in range(tries):
        expected += reached * (tokens + check)
        reached *= 1 - q
    expected += reached * hand
    ours = ue.usd_per_task(
        try_usd=tokens, check_usd=check, accepted=percent / 100, tries=tries, by_hand_usd=float(hand)
    )
    assert ours == approx(float(expected), rel=1e-9, abs=1e-9)


@verifies("unit.task")
@given(st.floats(0.05, 1.0), st.floats(0, 50), st.floats(0, 50), st.floats(0.1, 500), st.integers(1, 30))
def test_an_agent_pays_if_an_accepted_try_costs_less_than_the_hand_whatever_the_limit(q, tokens, check, hand, tries):
    each = {"try_usd": tokens, "check_usd": check, "accepted": q}
    unlimited = ue.usd_per_task(**each)
    assert unlimited == approx(ue.usd_per_task(**each, tries=2_000), rel=1e-9)
    assume(abs(unlimited / hand - 1) > 1e-6)
    assert (ue.usd_per_task(**each, tries=tries, by_hand_usd=hand) < hand) == (unlimited < hand)


@verifies("unit.lifetime")
@given(st.integers(1, 99), st.integers(0, 10), st.integers(-20, 60))
def test_a_customer_is_worth_the_discounted_months_that_he_stays(percent, interest, left):
    """The series summed month by month, until less than a billionth of it is left."""
    stay, worth, total = (1 - percent / 100) / (1 + interest / 100), 1.0, 0.0
    while worth > 1e-12:
        total += left * worth
        worth *= stay
    ours = ue.lifetime_usd(usd_per_month=left, churn=percent / 100, discount=interest / 100)
    assert ours == approx(total, rel=1e-6, abs=1e-6)


@verifies("unit.lifetime")
def test_without_interest_a_customer_stays_one_over_the_churn_on_average():
    """A million customers leave one by one; the standard error of the mean is 0.02 months."""
    months = np.random.default_rng(0).geometric(0.05, 1_000_000)
    assert ue.lifetime_usd(usd_per_month=1.0, churn=0.05) == approx(months.mean(), abs=0.1)
