"""The explorer's JavaScript computes what `business.unit_economics` computes, to nine digits, from equal defaults."""

import json
from dataclasses import asdict, replace
from itertools import product

import pytest
from node import read, run_module
from pytest import approx

from genai_utils.business.unit_economics import Plan
from genai_utils.show.explorers import ProfitAndLoss

START = ProfitAndLoss().plan()
PLANS = [START] + [
    replace(START, paying_share=share, usd_per_payer=price, utilisation=load, free_tokens=free, fixed_usd=fixed)
    for share, price, load, free, fixed in product((0.0, 0.03, 1.0), (0.5, 45.0), (0.02, 1.0), (0.0, 1.7), (0.0, 2e5))
]
FACTORS = ("price_factor", "cost_factor", "users_factor", "use_factor")
COURSES = [dict(zip(FACTORS, each, strict=True)) for each in [(1, 1, 1, 1), (3.0, 1.5, 1.2, 0.7), (0.5, 10, 4, 3)]]


@pytest.fixture(scope="module")
def js(tmp_path_factory):
    """Evaluate JavaScript expressions over the exports of pnl.js and the list `given`, all in one call of node."""
    folder = tmp_path_factory.mktemp("js")
    return lambda expression, given=None: run_module("pnl.js", f"return {expression};", given, folder)


def amounts(month):
    names = {"revenue": month.revenue_usd, "payers": month.payers_usd, "free": month.free_users_usd}
    return names | {"fixed": month.fixed_usd, "profit": month.profit_usd}


def agrees(ours, month):
    expected = amounts(month)
    scale = max(map(abs, expected.values()))
    assert {name: ours[name] for name in expected} == approx(expected, rel=1e-9, abs=1e-9 * scale)
    assert (ours["margin"] is None) == (month.revenue_usd == 0)
    if month.revenue_usd:
        assert ours["margin"] == approx(month.gross_margin, rel=1e-9, abs=1e-9)


def test_the_cost_of_a_token_is_that_of_the_package(js):
    ours = js("given.map(explorer.tokenUsd)", list(map(asdict, PLANS)))
    assert ours == approx([plan.token_usd for plan in PLANS], rel=1e-9)


def test_a_month_is_that_of_the_package(js):
    for ours, plan in zip(js("given.map(explorer.month)", list(map(asdict, PLANS))), PLANS, strict=True):
        agrees(ours, plan.month())


def test_a_later_month_is_that_of_the_package(js):
    cases = [(plan, course, months) for plan in PLANS[:4] for course in COURSES for months in (0, 1, 17, 36)]
    given = [[asdict(plan) | course, months] for plan, course, months in cases]
    for ours, (plan, course, months) in zip(
        js("given.map(([p, m]) => explorer.after(p, m))", given), cases, strict=True
    ):
        agrees(ours, plan.after(months, **course))


def test_the_path_runs_from_now_over_36_months(js):
    path = js("explorer.path(given)", asdict(START) | COURSES[1])
    assert len(path) == 37
    agrees(path[36], START.after(36, **COURSES[1]))


def test_the_break_even_share_is_that_of_the_package(js):
    for ours, plan in zip(js("given.map(explorer.breakEvenShare)", list(map(asdict, PLANS))), PLANS, strict=True):
        if ours is None:
            with pytest.raises(ValueError, match="more payers lose more"):
                plan.break_even_paying_share()
        else:
            assert ours == approx(plan.break_even_paying_share(), rel=1e-9)


def test_the_turn_is_the_first_month_on_the_other_side_of_zero(js):
    profits = [[5, 1, -1, -2], [-3, -1, 0, 4], [1, 2, 3], [-1, -1]]
    given = [[{"profit": profit} for profit in each] for each in profits]
    assert js("given.map(explorer.turn)", given) == [2, 2, None, None]


def test_the_page_and_the_class_start_from_the_same_defaults(js):
    defaults, widget = js("explorer.DEFAULTS"), ProfitAndLoss()
    assert defaults == {name: getattr(widget, name) for name in defaults}
    assert set(defaults) == set(ProfitAndLoss.class_own_traits(sync=True)) - {"_esm", "_css", "_anywidget_id"}


def test_the_plan_of_the_widget_follows_its_levers():
    widget = ProfitAndLoss(users=10.0, utilisation=0.5)
    assert widget.plan() == replace(START, users=10.0, utilisation=0.5)
    assert json.loads(json.dumps(asdict(widget.plan()))) == {
        name: getattr(widget, name) for name in Plan.__dataclass_fields__
    }


def test_the_tables_say_what_the_pictures_show(js):
    state = asdict(START) | COURSES[1]
    month, years = js("[explorer.monthTable(given), explorer.yearsTable(given)]", state)
    assert [read(row[1]) for row in month["rows"]] == approx(list(amounts(START.month()).values()), abs=0.5)
    for months, *cells in ([read(cell) for cell in row] for row in years["rows"]):
        then = START.after(int(months), **COURSES[1])
        expected = [then.revenue_usd, then.revenue_usd - then.profit_usd, then.profit_usd]
        assert cells == approx(expected, abs=0.51)


def test_the_linked_state_shows_what_the_text_says(js):
    """#pnl=utilisation:0.2: a loss in each month."""
    path = js("explorer.path({ ...explorer.DEFAULTS, utilisation: 0.2 })")
    assert max(month["profit"] for month in path) < 0
