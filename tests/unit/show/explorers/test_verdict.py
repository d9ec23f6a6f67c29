"""The explorer's JavaScript computes what the module on the verdict computes."""

import pytest
from node import read, run_module
from pytest import approx

from genai_utils.business import verdict
from genai_utils.show.explorers import YourVerdict

STATES = [
    {"users": u, "tokens": t, "machines": m, "prices": p, "tied": tied}
    for u, t, m, p, tied in [
        (0.5, 0.5, 0.5, 0.5, 0.5),
        (0.9, 0.6, 0.35, 0.8, 0.0),
        (1.0, 1.0, 1.0, 1.0, 0.3),
        (0.0, 0.7, 0.2, 0.9, 1.0),
        (0.31, 0.97, 0.88, 0.62, 0.77),
    ]
]


@pytest.fixture(scope="module")
def js(tmp_path_factory):
    """Apply an expression over the exports of verdict.js to each state."""
    folder = tmp_path_factory.mktemp("js")
    return lambda expression: run_module("verdict.js", f"return given.map((s) => {expression});", STATES, folder)


def test_the_endings_are_the_module_s(js):
    expected = [YourVerdict(**state).endings for state in STATES]
    for found, ends in zip(js("explorer.endings(s)"), expected, strict=True):
        assert found == approx([*ends.values()], abs=1e-12) and sum(found) == approx(1.0)


def test_chances_of_all_and_their_bounds_are_the_module_s(js):
    found = js("[explorer.chanceOfAll([s.users, s.tokens], s.tied), ...explorer.bounds([s.users, s.tokens])]")
    for row, s in zip(found, STATES, strict=True):
        both = [s["users"], s["tokens"]]
        expected = [verdict.chance_of_all(both, tied=s["tied"]), *verdict.bounds(both)]
        assert row == approx(expected, abs=1e-12)


def test_the_page_asks_for_every_setting_of_the_class_and_for_no_other(js):
    names = js("explorer.NAMES")[0]
    assert set(names) == set(YourVerdict.class_own_traits(sync=True)) - {"_esm", "_css", "_anywidget_id"}


def test_the_tables_say_what_the_pictures_show(js):
    for (ends, tie), s in zip(js("[explorer.endingsTable(s), explorer.tieTable(s)]"), STATES, strict=True):
        shown = YourVerdict(**s).endings
        assert [read(row[1]) for row in ends["rows"]] == approx([100 * chance for chance in shown.values()], abs=0.51)
        all_four = [s[name] for name in ("users", "tokens", "machines", "prices")]
        expected = [100 * verdict.chance_of_all(all_four, tied=tied) for tied in (0, 0.25, 0.5, 0.75, 1)]
        assert [read(row[1]) for row in tie["rows"]] == approx(expected, abs=0.51)
