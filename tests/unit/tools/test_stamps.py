"""A notebook is stale when a row that it read has changed, and not when its neighbors have."""

import pytest

from genai_utils.records import used
from tools.stamps import RESULTS, changed, digests, results_read

TABLE = "id,topic,value\na,prices,1\nb,prices,\nc,law,3\n"
ROW, TOPIC, ALL, COLUMN = "t.csv?id=a", "t.csv?topic=prices", "t.csv", "t.csv?topic=prices#id,topic"


@pytest.fixture
def stamped(tmp_path):
    """Hashes of addresses of the table, and a way to see what a new table leaves as it was."""
    (tmp_path / "t.csv").write_text(TABLE)
    before = digests(tmp_path, [ROW, TOPIC, ALL, COLUMN])

    def unchanged(table: str) -> set[str]:
        (tmp_path / "t.csv").write_text(table)
        return {address for address, digest in digests(tmp_path, before).items() if digest == before[address]}

    return unchanged


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        ("a,prices,1", "a,prices,2", {COLUMN}),
        ("b,prices,", "b,prices,2", {ROW, COLUMN}),
        ("c,law,3", "c,law,4", {ROW, TOPIC, COLUMN}),
        ("c,law,3", "c,law,3\nd,prices,5", {ROW}),
        ("c,law,3", "c,prices,3", {ROW}),
        ("a,prices,1\n", "", set()),
        ("\n", "\r\n", {ROW, TOPIC, ALL, COLUMN}),
        ("b,prices,\n", 'b,"prices",\n', {ROW, TOPIC, ALL, COLUMN}),
    ],
)
def test_only_those_who_read_an_edited_row_see_it(stamped, old, new, left):
    assert stamped(TABLE.replace(old, new)) == left


def test_a_new_column_concerns_only_rows_that_fill_it(stamped):
    lines = TABLE.split()
    new = "\n".join([lines[0] + ",unit", lines[1] + ",", lines[2] + ",USD", lines[3] + ","])
    assert stamped(new) == {ROW, COLUMN}


def test_what_changed_is_named_and_how(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    (tmp_path / "m.py").write_text("1")
    stamp = digests(tmp_path, ["t.csv?id=a", "t.csv?topic=law", "m.py"])
    assert changed(tmp_path, stamp) is None
    (tmp_path / "t.csv").write_text(TABLE.replace("c,law,3", "c,cats,3"))
    assert changed(tmp_path, stamp) == "it uses t.csv?topic=law, which is gone"
    (tmp_path / "t.csv").write_text(TABLE.replace("a,prices,1", "a,prices,2"))
    assert changed(tmp_path, stamp) == "it uses t.csv?id=a, which has changed"
    (tmp_path / "m.js").write_text("1")
    assert changed(tmp_path, stamp) == "it uses m.js, which is new"


def test_addresses_that_the_package_notes_are_understood_here_whatever_stands_in_them(tmp_path, monkeypatch):
    monkeypatch.setattr(used, "noted", set())
    (tmp_path / "t.csv").write_text('id,topic\n"a&b=c #1, é",odd\nd,even\n')
    used.note(tmp_path / "t.csv", "topic", id="a&b=c #1, é", topic=None)
    ((file, part),) = used.noted
    before = digests(tmp_path, [file.name + part])
    assert all(before.values())
    (tmp_path / "t.csv").write_text('id,topic\n"a&b=c #1, é",odd\nd,uneven\n')
    assert changed(tmp_path, before) is None
    (tmp_path / "t.csv").write_text('id,topic\n"a&b=c #1, é",odder\n')
    assert changed(tmp_path, before) == "it uses t.csv?id=a&b=c #1, é#topic, which has changed"


def test_results_are_read_by_chapter_or_all_at_once():
    assert results_read([f"{RESULTS}?chapter=vae#model,seconds", "genai_utils/run/loop.py"]) == ["vae"]
    assert results_read([RESULTS]) == [""]
