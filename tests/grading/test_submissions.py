"""What is handed in is read without running, unpacking or following anything; what is odd is named and stops nobody."""

import io
import json
import os
import zipfile

import pytest
from attacks import HONEST, notebook

from tools.grading import submissions
from tools.grading.submissions import handed_in, read

GOOD = notebook((HONEST,))


def archive(*named: tuple[str, bytes]) -> bytes:
    with zipfile.ZipFile(made := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in named:
            opened.writestr(name, data)
    return made.getvalue()


def problem(tmp_path, name: str, data: bytes) -> str:
    (tmp_path / name).write_bytes(data)
    return read(tmp_path / name).problem


@pytest.mark.parametrize("name", ["ada.ipynb", "ada_business-case.ipynb", "ada_final_2.ipynb"])
def test_the_name_of_the_file_is_the_student(tmp_path, name):
    (tmp_path / name).write_bytes(GOOD)
    found = read(tmp_path / name)
    assert (found.student, found.problem, found.code) == ("ada", "", (HONEST,))


def test_what_a_notebook_says_about_itself_does_not_count(tmp_path):
    said = json.loads(GOOD) | {"metadata": {"student": "ben", "name": "ben", "kernelspec": {"name": "rm -rf"}}}
    (tmp_path / "ada.ipynb").write_text(json.dumps(said))
    assert read(tmp_path / "ada.ipynb").student == "ada"


def test_an_archive_and_a_folder_hold_one_notebook_wherever_it_lies(tmp_path):
    (tmp_path / "ada.zip").write_bytes(archive(("a/b/x.ipynb", GOOD), ("__MACOSX/a/x.ipynb", b""), ("notes.txt", b"")))
    (tmp_path / "ben/work/.ipynb_checkpoints").mkdir(parents=True)
    (tmp_path / "ben/work/y.ipynb").write_bytes(GOOD)
    (tmp_path / "ben/work/.ipynb_checkpoints/y-checkpoint.ipynb").write_bytes(GOOD)
    assert [(each.student, each.problem) for each in handed_in(tmp_path)] == [("ada", ""), ("ben", "")]


ODD = {
    "an empty file": ("a.ipynb", lambda: b"", "JSON"),
    "half of a file": ("a.ipynb", lambda: GOOD[:50], "JSON"),
    "a list": ("a.ipynb", lambda: b"[]", "cells"),
    "cells that are a number": ("a.ipynb", lambda: b'{"cells": 3}', "cells"),
    "cells that are words": ("a.ipynb", lambda: b'{"cells": ["x"]}', "cells"),
    "no cell": ("a.ipynb", lambda: b'{"cells": []}', "no code"),
    "no text": ("a.ipynb", lambda: b"\xff\xfe\x00", "JSON"),
    "three million brackets": ("a.ipynb", lambda: b"[" * 3_000_000, "JSON"),
    "50 MB": ("a.ipynb", lambda: b" " * 50_000_000, "more than 20 MB"),
    "a library in a cell": ("a.ipynb", lambda: notebook(("x = 1\n" * 300_000,)), "characters"),
    "two thousand cells": ("a.ipynb", lambda: notebook(("1",) * 2_000), "cells"),
    "half of an archive": ("a.zip", lambda: b"PK", "zip"),
    "a bomb": ("a.zip", lambda: archive(("x.ipynb", b"\0" * 300_000_000)), "more than 20 MB"),
    "an archive without": ("a.zip", lambda: archive(("readme", b"")), "no notebook"),
    "an archive with two": ("a.zip", lambda: archive(("x.ipynb", GOOD), ("y.ipynb", GOOD)), "2 notebooks"),
    "an unknown compression": ("a.zip", lambda: archive(("x.ipynb", GOOD)).replace(b"\x08\x00", b"\x63\x00"), "zip"),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_cannot_be_graded_is_named(tmp_path, kind):
    name, data, said = ODD[kind]
    assert said in problem(tmp_path, name, data())


def test_names_in_archives_lead_nowhere(tmp_path):
    (tmp_path / "class").mkdir()
    (tmp_path / "class/ada.zip").write_bytes(archive(("../../ada.ipynb", GOOD), ("/etc/x", b"")))
    assert not handed_in(tmp_path / "class")[0].problem
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["ada.zip", "class"]


def test_links_are_not_followed(tmp_path):
    (tmp_path / "secret.json").write_bytes(GOOD)
    (tmp_path / "class/eve").mkdir(parents=True)
    (tmp_path / "class/mallory.ipynb").symlink_to(tmp_path / "secret.json")
    (tmp_path / "class/eve/x.ipynb").symlink_to(tmp_path / "secret.json")
    (tmp_path / "class/trent").symlink_to(tmp_path)
    found = {each.student: each.problem for each in handed_in(tmp_path / "class")}
    assert "link" in found["mallory"] and "link" in found["trent"] and "no notebook" in found["eve"]


def test_a_pipe_and_an_unreadable_path_hang_nobody(tmp_path):
    os.mkfifo(tmp_path / "ada.ipynb")
    (tmp_path / "ben.ipynb").mkdir()
    found = {each.student: each.problem for each in handed_in(tmp_path)}
    assert "plain file" in found["ada"] and "no notebook" in found["ben"]


def test_two_submissions_of_one_student_are_both_named(tmp_path):
    for name in ("ada_1.ipynb", "ada_2.ipynb", "ben.ipynb"):
        (tmp_path / name).write_bytes(GOOD)
    assert [bool(each.problem) for each in handed_in(tmp_path)] == [True, True, False]


def test_answers_in_words_are_kept_and_odd_cells_are_no_trouble(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["<!-- answer: cause -->\n", "The rent was that of one GPU."]},
        {"cell_type": "code", "source": ["x = '", 3, "\ud800'"]},
        {"cell_type": 7},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    found = read(tmp_path / "a.ipynb")
    assert found.words == (("cause", "The rent was that of one GPU."),) and found.code == ("x = '?'",)


def test_files_that_are_no_submissions_are_left_alone(tmp_path):
    for name in ("roster.csv", ".hidden.ipynb"):
        (tmp_path / name).write_bytes(GOOD)
    assert handed_in(tmp_path) == [] and submissions.MOST_BYTES == 20_000_000
