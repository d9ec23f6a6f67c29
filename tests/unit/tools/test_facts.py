"""The list of facts that grow old: those that still hold, the oldest first, with the chapters that read them."""

from datetime import date

import pytest

from tools import facts

TABLE = """\
id,topic,statement,date,who,title,url,confidence,value,unit,until
B-A1,price,It costs $2.,2026-07-31,A shop,A list,,V1,,,
B-A2,price,It cost $3.,2025,A shop,A list,,V2,,,2026-07
B-A3,users,Many.,2026-07-30,A count,A page,,U,,,
"""
NOTEBOOK = '{"metadata": {"genai": {"used": {"genai_utils/records/facts.csv?id=B-A3": ""}}}}'


@pytest.fixture
def root(tmp_path):
    """A checkout with three facts, one of them of the past, and a chapter that reads another."""
    (tmp_path / "genai_utils/records").mkdir(parents=True)
    (tmp_path / "genai_utils/records/facts.csv").write_text(TABLE)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/toys.ipynb").write_text(NOTEBOOK)
    return tmp_path


def test_a_fact_is_old_after_more_than_so_many_days(root):
    assert [fact.id for fact in facts.old(root, 120, date(2026, 11, 28))] == ["B-A3"]
    assert [fact.id for fact in facts.old(root, 120, date(2026, 11, 29))] == ["B-A3", "B-A1"]


def test_the_list_names_age_money_and_readers(root, capsys):
    assert facts.main(["--days", "100", "--on", "2026-11-28"], root) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["B-A3", "2026-07-30", "121", "days", "U", "users", "toys"]
    assert shown[1].split() == ["B-A1", "2026-07-31", "120", "days", "V1", "money", "price"]
    assert shown[2] == "2 of 3 facts are older than 100 days on 2026-11-28"
