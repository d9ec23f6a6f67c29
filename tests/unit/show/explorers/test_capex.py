"""The explorer's JavaScript computes what the module on machines computes, from the settings of the Python class."""

import json
from dataclasses import asdict, replace

import pytest
from node import read, run_module
from pytest import approx

from genai_utils.business.machines import Buildout, annuity, break_even_growth
from genai_utils.records.facts import fact
from genai_utils.show.explorers import WhatMustBeTrue

START = WhatMustBeTrue()
BUILDS = [
    START.buildout,
    replace(START.buildout, chip_life=1.0, building_life=1.0, rate=0.0, running=0.0),
    replace(START.buildout, rate=1e-9, chip_life=11.5, margin=-0.2),
    Buildout(50.0, 0.3, 2.5, 40.0, 0.2, 0.2, 0.8, 0.1),
]


@pytest.fixture(scope="module")
def js(tmp_path_factory):
    """Apply an expression over the exports of capex.js to each state."""
    folder = tmp_path_factory.mktemp("js")

    def evaluate(expression, states):
        return run_module("capex.js", f"return given.map((s) => {expression});", states, folder)

    return evaluate


def states(**more):
    return [asdict(build) | {"revenue_today": 109.0, "gpu_cost": 48.2, "rent": 2.95} | more for build in BUILDS]


def test_the_annuity_is_the_module_s(js):
    cases = [(100.0, rate, years) for rate in (0.0, 1e-12, 0.05, 0.2) for years in (0.5, 1.0, 7.5, 40.0)]
    given = js("explorer.annuity(...s)", cases)
    assert given == approx([annuity(a, rate=r, years=y) for a, r, y in cases], rel=1e-9)


def test_parts_cost_and_required_revenue_are_the_module_s(js):
    rows = js("[...explorer.parts(s), explorer.yearlyCost(s), explorer.requiredRevenue(s)]", states())
    for row, build in zip(rows, BUILDS, strict=True):
        assert row == approx([*build.parts().values(), build.yearly_cost, build.required_revenue], rel=1e-9)


def test_an_hour_costs_what_the_module_says_of_a_build_out_of_one_gpu(js):
    expected = [replace(build, capex=48_200.0, margin=0.0).price_per_hour for build in BUILDS]
    assert js("explorer.hourlyCost(s)", states()) == approx(expected, rel=1e-9)


def test_at_the_share_that_pays_an_hour_costs_the_rent(js):
    shares = js("explorer.breakEvenUtilisation(s)", states(rent=40.0))
    ones = [
        replace(build, capex=48_200.0, margin=0.0, utilisation=share)
        for build, share in zip(BUILDS, shares, strict=True)
    ]
    assert [one.price_per_hour for one in ones] == approx([40.0] * 4, rel=1e-9)


def test_the_growth_needed_is_that_of_a_path_inside_the_chips_life_on_top_of_todays_revenue(js):
    for growth, build in zip(js("explorer.neededGrowth(s)", states()), BUILDS, strict=True):
        assert growth == approx(break_even_growth(build, run_rate=109.0, claimed=109.0), rel=1e-7)


def test_the_page_asks_for_every_setting_of_the_class_and_for_no_other(js):
    (names,) = js("explorer.NAMES", [0])
    assert set(names) == set(WhatMustBeTrue.class_own_traits(sync=True)) - {"_esm", "_css", "_anywidget_id"}
    assert all(json.dumps(getattr(START, name)) for name in names)


def test_the_settings_of_the_world_are_those_of_the_facts():
    assert START.capex == 745.0 and START.rent == fact("B-U13").value
    assert START.revenue_today == 175.0
    assert START.chip_share == approx(0.7)
    assert START.gpu_cost == approx(270 / 8 / 0.7, abs=0.05)


def test_the_tables_say_what_the_pictures_show(js):
    for build, state in zip(BUILDS, states(), strict=True):
        ((bill, hours),) = js("[explorer.billTable(s), explorer.hourTable(s)]", [state])
        needed = build.required_revenue
        amounts = [*build.parts().values(), needed - build.yearly_cost, needed, 109.0]
        assert [read(row[1]) for row in bill["rows"]] == approx(amounts, abs=0.51)
        for share, must, rent, gain in ([read(cell) for cell in row] for row in hours["rows"]):
            price = replace(build, capex=48_200.0, margin=0.0, utilisation=share / 100).price_per_hour
            assert (must, rent, gain) == approx((price, 2.95, 2.95 - price), abs=0.006)


def test_the_linked_state_shows_what_the_text_says():
    """#capex=chip_life:2: nearly twice the bill, and about three hours of four."""
    short = replace(START.buildout, chip_life=2.0)
    assert 1.75 < short.required_revenue / START.buildout.required_revenue < 2
    few, many = (replace(short, capex=48_200.0, margin=0.0, utilisation=share).price_per_hour for share in (0.7, 0.8))
    assert many < START.rent < few
