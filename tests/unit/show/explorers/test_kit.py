"""What the explorers share: addresses, sliders' grids, ticks, numbers, tables; and the text that Jupyter gets."""

import re
import subprocess
from urllib.parse import quote

import pytest
from node import EXPLORERS, NAMES, NODE, run_module

from genai_utils.records.edited import text_of
from genai_utils.show import explorers, style
from genai_utils.show.explorers.kit import Explorer


@pytest.fixture(scope="module")
def js(tmp_path_factory):
    """Evaluate an expression over the exports of kit.js and the value `given`."""
    folder = tmp_path_factory.mktemp("js")
    return lambda expression, given=None: run_module("kit.js", f"return {expression};", given, folder)


def test_an_address_is_read_as_it_was_written(js):
    states = [{"mean": -0.4, "order": "alternating"}, {"prompt": "a,b:c=d&e#f %\n“g”"}, {"x": 0}]
    addresses = js('given.map((state) => explorer.toHash("", "game", state))', states)
    assert addresses[0] == "#game=mean:-0.4,order:alternating"
    read = js("given.map((hash) => explorer.fromHash(hash).game)", addresses)
    assert read == [{name: str(value) for name, value in state.items()} for state in states]


def test_an_address_holds_the_states_of_several_explorers(js):
    assert js('explorer.toHash("#pnl=users:9", "game", { r1: 1 })') == "#pnl=users:9&game=r1:1"
    assert js('explorer.toHash("#pnl=users:9&game=r1:1", "pnl", { users: 8 })') == "#game=r1:1&pnl=users:8"
    assert js('explorer.toHash("#pnl=users:9&game=r1:1", "game", {})') == "#pnl=users:9"
    assert js('explorer.toHash("#game=r1:1", "game", {})') == ""
    assert js('explorer.fromHash("#pnl=users:9&game=r1:1")') == {"pnl": {"users": "9"}, "game": {"r1": "1"}}


def test_the_address_of_a_heading_is_no_state_and_stays_until_there_is_one(js):
    assert js('explorer.fromHash("#exercises")') == {} == js('explorer.fromHash("")')
    assert js('explorer.toHash("#exercises", "game", {})') == "#exercises"
    assert js('explorer.toHash("#exercises", "game", { r1: 1 })') == "#game=r1:1"


@pytest.mark.parametrize(
    "hash", ["#game=", "#game=,", "#game=r1", "#game=:", "#=", "#game=r1:%zz", "#%", "#&&", "#a=b=c"]
)
def test_no_address_is_too_broken_to_be_read(js, hash):
    assert isinstance(js("explorer.fromHash(given)", hash), dict)


@pytest.mark.parametrize(
    "text, value",
    [("0.4", 0.4), ("0.44", 0.4), ("-9", -4), ("1e9", 4), ("-0", 0)]
    + [(text, None) for text in ("", " ", "abc", "Infinity", "NaN", None)],
)
def test_a_number_of_the_address_goes_on_the_slider_s_grid_or_nowhere(js, text, value):
    assert js("explorer.within(given ?? undefined, -4, 4, 0.1) ?? null", text) == value


def test_every_step_of_every_slider_is_a_value_of_the_address(js):
    grids = [(0.1, 2, 0.1), (0, 1, 0.01), (-5, 5, 0.1), (0, 0.4, 0.002), (500, 50_000, 500), (0.5, 10, 0.05)]
    for low, high, step in grids:
        values = [round(low + i * step, 6) for i in range(round((high - low) / step) + 1)]
        given = [[str(value), low, high, step] for value in values]
        assert js("given.map((each) => explorer.within(...each))", given) == values


def test_ticks_are_round_few_and_inside(js):
    ranges = [(0, 1), (-3.3, 3.3), (0, 725), (-41_000, 128_000), (0, 0.0007), (-1e9, 0)]
    for (low, high), marks in zip(ranges, js("given.map(([a, b]) => explorer.ticks(a, b))", ranges), strict=True):
        steps = {round((b - a) / 10**-6 / (high - low)) for a, b in zip(marks, marks[1:], strict=False)}
        assert len(steps) == 1 and 3 <= len(marks) <= 8
        assert low - 1e-6 * (high - low) <= marks[0] and marks[-1] <= high + 1e-6 * (high - low)
        assert re.match(r"[125]0*$", f"{marks[1] - marks[0]:.0e}".split("e")[0])


def test_numbers_are_written_for_readers(js):
    cases = [(1234.5, 1, "1,234.5"), (-0.04, 1, "0.0"), (-2, 2, "−2.00"), (0.5, 0, "1"), (-1234, 0, "−1,234")]
    assert js("given.map(([x, n]) => explorer.number(x, n))", cases) == [text for *_, text in cases]
    assert js("[explorer.percent(0.064, 1), explorer.percent(-1)]") == ["6.4 %", "−100 %"]


def test_a_picture_in_words_follows_its_grey_values(js):
    greys = [(row // 4 * 7 + column // 4) / 48 for row in range(28) for column in range(28)]
    table = js('explorer.shades("ramp", given)', greys)
    words = [word for row in table["rows"] for word in row[1:]]
    scale = ["black", "dark", "grey", "light", "white"]
    assert words == [scale[min(4, int(5 * k / 48))] for k in range(49)]
    assert {len(row) for row in table["rows"]} == {len(table["head"])} == {8}


def test_the_colours_are_those_of_the_figures(js):
    for name in ("BLUE", "ORANGE", "GREEN", "RED", "PINK", "SKY", "OLIVE", "GRAY"):
        assert js(f"explorer.{name}") == getattr(style, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_text_for_jupyter_is_a_module_on_its_own(name, tmp_path):
    widget = getattr(explorers, name)
    assert issubclass(widget, Explorer)
    (tmp_path / "one.mjs").write_text(widget._esm)
    run = 'import one from "./one.mjs"; console.log(typeof one.render);'
    (tmp_path / "run.mjs").write_text(run)
    done = subprocess.run([*NODE, "run.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "function", done.stderr
    assert ".genai-kit {" in widget._css and ".genai-number" in widget._css


def test_a_subclass_keeps_the_script():
    class Mine(explorers.PlayTheGame):
        """An explorer that somebody derives in a notebook."""

    assert Mine(mean=1.0)._esm == explorers.PlayTheGame._esm


def test_lines_of_scripts_and_styles_fit_120_characters():
    root = EXPLORERS.parents[2]
    files = [*EXPLORERS.glob("*.*s"), *(root / "book/_static").glob("*.js"), *(root / "tools").glob("*.js")]
    long = [f"{f.name}:{i}" for f in files for i, line in enumerate(f.read_text().split("\n"), 1) if len(line) > 120]
    assert len(files) > 12 and long == []


def test_links_of_the_book_ask_an_explorer_for_what_it_has(js):
    """Each `#game=mean:4` in the texts names an explorer and values of its state, written as the page writes them."""
    root = EXPLORERS.parents[2]
    texts = "".join(map(text_of, (root / "book").rglob("*.md")))
    links = re.findall(r"\]\([^)\s]*#([a-z]+=[^)\s]+)\)", texts)
    assert {link.split("=")[0] for link in links} == {"game", "latent", "map", "gpt", "pnl", "capex", "verdict"}
    for link in links:
        ((name, said),) = js("explorer.fromHash(given)", f"#{link}").items()
        source = (EXPLORERS / f"{name}.js").read_text()
        assert all(re.search(rf'"{key}"|\b{key}:', source) for key in said), link
        assert link == f"{name}=" + ",".join(f"{key}:{quote(value, safe='')}" for key, value in said.items())


def test_what_several_scripts_import_stands_once_in_the_text_for_jupyter_and_before_them():
    text = explorers.GPTExplorer._esm
    modules = re.findall(r"^const _(\w+) = \(\(\) => \{$", text, re.MULTILINE)
    assert sorted(modules) == ["attention", "kit", "network"] and modules[-1] == "attention"
    assert "import" not in text and len(re.findall("^export ", text, re.MULTILINE)) == 1
    assert text.count("function softmax(") == 1
