"""`make lab` opens copies that belong to their reader: what somebody wrote there is never written over."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import lab

BESIDE = "vae (new edition 2026-11-28).ipynb"
AGAIN = "vae (new edition 2026-11-29).ipynb"


def notebook(text: str, date: str = "2026-11-28", output: str = "1", **metadata: object) -> str:
    """A notebook of one cell, as it is stored."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": [output]}]
    cell = {"cell_type": "code", "source": [text], "metadata": metadata, "outputs": outputs, "execution_count": 1}
    return json.dumps({"cells": [cell], "metadata": {"genai": {"date": date}}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def course(tmp_path) -> Path:
    """A course of one chapter, of which the reader has a copy."""
    (tmp_path / "notebooks").mkdir()
    publish(tmp_path, notebook("x = 1"))
    assert list(lab.refresh(tmp_path)) == ["work/vae.ipynb: your copy"]
    return tmp_path


def publish(course: Path, content: str) -> None:
    (course / "notebooks" / "vae.ipynb").write_text(content)


def write(course: Path, content: str, name: str = "vae.ipynb") -> None:
    (course / "work" / name).write_text(content)


def refreshed(course: Path) -> dict[str, str]:
    """Refresh, which must have no more to do when asked at once again.  Returns: file -> content, of all in work/."""
    list(lab.refresh(course))
    assert list(lab.refresh(course)) == []
    return {path.name: path.read_text() for path in (course / "work").glob("*.ipynb")}


def test_an_untouched_copy_follows_the_course_its_outputs_too(course):
    for edition in (notebook("x = 2"), notebook("x = 2", output="2")):
        publish(course, edition)
        assert refreshed(course) == {"vae.ipynb": edition}


def test_other_metadata_than_tags_does_not_make_a_copy_touched(course):
    """JupyterLab writes them whenever it saves, and it saves what was merely opened."""
    write(course, notebook("x = 1", jupyter={"source_hidden": True}, tags=[]))
    publish(course, notebook("x = 2"))
    assert refreshed(course) == {"vae.ipynb": notebook("x = 2")}


@pytest.mark.parametrize(
    "mine",
    [notebook("x = 1  # MINE"), notebook("x = 1", output="mine"), notebook("x = 1", tags=["mine"]), "{half of it"],
)
def test_beside_a_changed_copy_lies_each_new_edition_and_replaces_the_one_before_it(course, mine):
    write(course, mine)
    assert refreshed(course) == {"vae.ipynb": mine}
    publish(course, notebook("x = 2"))
    assert list(lab.refresh(course)) == [f"work/{BESIDE}: a new edition; vae.ipynb is as you left it"]
    publish(course, third := notebook("x = 3", "2026-11-29"))
    assert refreshed(course) == {"vae.ipynb": mine, AGAIN: third}


def test_a_new_edition_that_was_changed_is_kept_too_and_the_next_one_of_that_day_gets_a_number(course):
    write(course, mine := notebook("x = 1  # MINE"))
    publish(course, notebook("x = 2"))
    assert set(refreshed(course)) == {"vae.ipynb", BESIDE}
    write(course, also := notebook("x = 2  # MINE"), BESIDE)
    publish(course, third := notebook("x = 3"))
    numbered = BESIDE.replace(")", ", 2)")
    assert refreshed(course) == {"vae.ipynb": mine, BESIDE: also, numbered: third}


def test_a_new_edition_that_the_reader_deleted_does_not_come_back_but_a_missing_copy_does(course):
    write(course, notebook("x = 1  # MINE"))
    publish(course, second := notebook("x = 2"))
    refreshed(course)
    (course / "work" / BESIDE).unlink()
    assert set(refreshed(course)) == {"vae.ipynb"}
    (course / "work" / "vae.ipynb").unlink()
    assert refreshed(course) == {"vae.ipynb": second}


def test_a_file_of_the_reader_under_the_name_of_a_chapter_is_the_readers(course):
    (course / "work" / lab.LAID).write_text("{")
    publish(course, second := notebook("x = 2"))
    assert refreshed(course) == {"vae.ipynb": notebook("x = 1"), BESIDE: second}


def test_a_notebook_that_is_none_is_named_and_the_others_are_laid(course):
    (course / "notebooks" / "gan.ipynb").write_text("[]")
    publish(course, notebook("x = 2"))
    none, changed = lab.refresh(course)
    assert none == f"{course}/notebooks/gan.ipynb is no notebook of Jupyter; delete it and run `make notebooks`"
    assert changed.startswith("work/vae.ipynb: brought up to date")


def test_a_disk_that_is_full_is_named_and_leaves_the_copy_as_it_was(course, capsys, monkeypatch):
    def refuse(draft: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    publish(course, notebook("x = 2"))
    monkeypatch.setattr(os, "replace", refuse)
    assert lab.main(root=course) == 1
    assert capsys.readouterr().err.startswith(f"{course}/work/vae.ipynb was not written: [Errno 28] No space left")
    assert {path.name for path in (course / "work").iterdir()} == {"vae.ipynb", lab.LAID}
    assert (course / "work" / "vae.ipynb").read_text() == notebook("x = 1")


def test_a_file_in_the_place_of_the_folder_is_named(course, capsys):
    (course / "work").rename(course / "elsewhere")
    (course / "work").write_text("")
    assert lab.main(root=course) == 1
    assert f"File exists: '{course}/work'; mend that and run this again" in capsys.readouterr().err


@pytest.mark.parametrize(("user", "allowed"), [(0, ["--allow-root"]), (1000, [])])
def test_it_becomes_jupyterlab_which_root_may_start_too_and_says_where_the_copies_lie(
    course, capsys, monkeypatch, user, allowed
):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "execv", lambda program, command: calls.append(command))
    calls: list[list[str]] = []
    lab.main(["--port=0"], course)
    assert calls == [[sys.executable, "-m", "jupyterlab", f"{course}/work", *allowed, "--port=0"]]
    said = capsys.readouterr().out
    assert f"{course}/work stays as you left it" in said and ("--allow-root" in said) == bool(allowed)


def test_a_kept_copy_has_all_bytes_and_the_same_content_is_kept_once(course):
    (broken := course / "notebooks" / "vae.ipynb").write_bytes(b"\xff")
    assert lab.keep(course, broken) == lab.keep(course, broken)
    kept = [path for path in (course / "work").glob("vae (kept *).ipynb")]
    assert [path.read_bytes() for path in kept] == [b"\xff"]


def test_committed_is_what_any_commit_holds(course):
    path = course / "notebooks" / "vae.ipynb"
    assert not lab.committed(path)
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=course, check=True)
    assert lab.committed(path)
    path.write_text(notebook("x = 1  # MINE"))
    assert not lab.committed(path)
    subprocess.run(["git", "add", "."], cwd=course, check=True)  # noted, and not committed
    assert not lab.committed(path)


def test_nothing_is_committed_where_there_is_no_git(course, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert not lab.committed(course / "notebooks" / "vae.ipynb")
