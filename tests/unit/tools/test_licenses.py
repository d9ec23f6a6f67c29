"""Every pinned package is listed with its licence, and nothing under the GPL comes near what we ship."""

import re
import shutil
from importlib.metadata import PackageNotFoundError

import pytest

from tools import licenses
from tools.notebooks import ROOT

ROWS = licenses.stored(ROOT)
COPYLEFT = re.compile(r"(?<!L)GPL|(?<!Lesser )General Public")


def test_the_list_is_what_the_tool_writes():
    assert (ROOT / licenses.FILE).read_text(encoding="utf-8") == licenses.text(ROOT), "run `python -m tools.licenses`"


def test_every_pinned_package_has_one_row_with_its_version():
    listed = [(name, version) for name, version, _, _ in ROWS if not name.endswith(" (npm)")]
    lacking = set(licenses.pinned(ROOT).items()) ^ set(listed)
    assert listed and not lacking and len(set(listed)) == len(listed), f"run `python -m tools.licenses`: {lacking}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_says_a_licence_and_what_needs_it(row):
    name, _, licence, need = row
    assert len(licence) > 2 and need in (*licenses.NEEDS, "tools")
    if COPYLEFT.search(licence):
        assert need == "test"
        assert re.search(rf"^{name} +{licence},", (ROOT / "NOTICE").read_text(encoding="utf-8"), re.MULTILINE)


def test_what_is_under_the_gpl_is_imported_by_tests_alone():
    names = {row[0] for row in ROWS if COPYLEFT.search(row[2])}
    texts = [path for folder in ("genai_utils", "book", "_ext", "tools") for path in (ROOT / folder).rglob("*.*")]
    texts = [path.read_text(encoding="utf-8") for path in texts if path.suffix in (".py", ".md")]
    imports = re.compile(rf"(?m)^\s*(?:import|from) (?:{'|'.join(names)})\b")
    assert names == {"pyexuber"} and not any(map(imports.search, texts))


def test_the_course_needs_torch_and_what_torch_needs_and_no_test_tool():
    need = {row[0]: row[3] for row in ROWS}
    assert need["torch"] == need["sympy"] == "course" and need["pytest"] == need["ruff"] == "test"
    assert need["Sphinx"] == "site" and need["jupyterlab"] == "run" and need["pip"] == "tools"
    assert need["@biomejs/biome (npm)"] == "test"


@pytest.fixture
def tree(tmp_path):
    """The files that the tool reads, without its table."""
    for name in ("requirements.lock", "pyproject.toml", "tools/biome/package-lock.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_package_of_another_kind_of_machine_keeps_its_row_and_gets_its_new_version(tree):
    (tree / "requirements.lock").write_text("for-windows==2\ntqdm==9\n")
    (tree / licenses.FILE).write_text("| a | b | c | d |\n| --- | --- | --- | --- |\n| for-windows | 1 | MIT | run |\n")
    assert licenses.main(tree) == 0
    assert ("for-windows", "2", "MIT", "run") in licenses.stored(tree)
    assert ("tqdm", "9", "MPL-2.0 AND MIT", "course") in licenses.stored(tree)


def test_a_package_of_which_nothing_is_known_is_named(tree, capsys):
    (tree / "requirements.lock").write_text("for-windows==2\n")
    assert licenses.main(tree) == 1
    assert "for-windows is pinned and not installed here: install it once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ({"License-Expression": "MIT", "License": "BSD"}, "MIT"),
        ({"License": "BSD", "Classifier": "License :: OSI Approved :: MIT License"}, "BSD"),
        ({"License": "UNKNOWN", "Classifier": "License :: OSI Approved :: ISC License (ISCL)"}, "ISC License (ISCL)"),
        ({"License": "The\nwhole\ntext", "Classifier": "License :: OSI Approved :: BSD License"}, "BSD License"),
        ({}, ""),
    ],
)
def test_the_shortest_exact_word_of_the_metadata_is_taken(said, licence, monkeypatch):
    class Metadata(dict):
        def get_all(self, name, default):
            return [self[name]] if name in self else default

    monkeypatch.setattr(licenses, "distribution", lambda _: type("Package", (), {"metadata": Metadata(said)}))
    assert licenses.licence("some") == licence


def test_what_is_not_installed_needs_nothing_and_has_no_licence():
    assert licenses.needed(["no-such-package"]) == {"no-such-package"}
    with pytest.raises(PackageNotFoundError):
        licenses.licence("no-such-package")
