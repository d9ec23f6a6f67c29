"""The stored notebooks belong to the texts, the code and the records beside them, and were cheap enough to run."""

import re
import shutil

import nbformat
import pytest

from genai_utils.records.edited import text_of
from genai_utils.records.facts import facts
from tools.notebooks import ROOT, Project, stale
from tools.stamps import changed

COURSE = Project(ROOT)
FACTS = "genai_utils/records/facts.csv"
OTHERS_NUMBERS = re.compile(r"\b(?:measured|results)\(")


def used(name: str) -> dict[str, str]:
    """What the stored notebook of a chapter used, with hashes."""
    return nbformat.read(COURSE.notebook(name), as_version=4).metadata.genai.used


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package, whose table of facts a test may edit."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "genai_utils", root / "genai_utils", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.mark.parametrize("name", COURSE.names)
def test_the_notebook_is_not_stale(name):
    assert stale(COURSE, name) is None, "run `make notebooks`"


@pytest.mark.parametrize("name", COURSE.names)
def test_the_notebook_ran_within_the_budget_of_time_and_memory(name):
    front, _ = COURSE.parts(name)
    stamp = nbformat.read(COURSE.notebook(name), as_version=4).metadata.genai
    assert stamp.budget == front.budget and (stamp.device == "cpu") == (front.budget == "cpu")
    assert stamp.seconds <= front.seconds
    assert stamp.peak_memory_mb < front.memory_mb


@pytest.mark.parametrize("id", [fact.id for fact in facts()[:: len(facts()) // 10]][:10])
def test_an_edited_fact_makes_stale_the_chapters_that_read_it_and_no_others(id, copy):
    whole = (ROOT / FACTS).read_text(encoding="utf-8")
    edited = re.sub(rf'(?m)^({id},[^,]*,"?)', r"\1Edited: ", whole)
    assert edited != whole
    (copy / FACTS).write_text(edited, encoding="utf-8")
    found = {name for name in COURSE.names if changed(copy, used(name))}
    assert found == {name for name in COURSE.names if f"{FACTS}?id={id}" in used(name)}
    assert found >= {name for name in COURSE.names if f'fact("{id}")' in text_of(COURSE.text(name))}


@pytest.mark.parametrize(
    ("name", "kept_out"),
    [
        ("gan-minimax", ["data/images.py", "models/gan.py", "metrics/", "run/", "zoo/"]),
        ("language-models", ["data/images.py", "models/classifier.py", "metrics/samples.py", "zoo/weights"]),
        ("transformers", ["models/vae.py", "show/explorers/map", "data/images.py"]),
        ("evidence-of-value", ["data/", "models/", "show/explorers", "records/forecasts"]),
    ],
)
def test_a_chapter_does_not_depend_on_what_it_does_not_use(name, kept_out):
    assert not [each for each in used(name) if each.startswith(tuple(f"genai_utils/{part}" for part in kept_out))]


@pytest.mark.parametrize("name", COURSE.names)
def test_a_cell_that_shows_numbers_of_other_chapters_is_validated(name):
    for cell in nbformat.read(COURSE.notebook(name), as_version=4).cells:
        if cell.cell_type == "code" and OTHERS_NUMBERS.search(cell.source):
            assert "nbval-ignore-output" not in cell.metadata.get("tags", []), cell.source
