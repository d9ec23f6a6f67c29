"""The planting of mistakes, on a package of one function: what is tested dies, what is not lives on."""

import csv
import json
import subprocess
import sys

import pytest

from tools.notebooks import ROOT

FOLDER = ROOT / "benchmarks"
SOURCE = """\
def double(x):
    if x < 0:
        raise ValueError("below 0")
    return x * 2
"""
TESTS = """\
from toy.room.file import double


def test_three_becomes_six():
    assert double(3) == 6
"""
RUN = """\
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
import mutants
mutants.ROOT, mutants.PACKAGE, mutants.ROOMS, mutants.TESTS = Path({root!r}), "toy", ("room",), ("tests",)
mutants.LOOKING, mutants.LIBRARIES = mutants.ROOT / "none", ""
mutants.main(["--output", {output!r}])
"""


def test_what_a_test_asks_for_dies_and_what_none_does_lives_on(tmp_path):
    for name, text in (("toy/room/file.py", SOURCE), ("tests/test_file.py", TESTS), ("pytest.ini", "[pytest]\n")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "conftest.py").write_text("")
    output = tmp_path / "found.json"
    code = RUN.format(folder=str(FOLDER), root=str(tmp_path), output=str(output))
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    sample = json.loads(output.read_text())["0"]
    assert set(sample["survived"]) == {
        "room/file.py double: if x < 0: => if x <= 0:",
        "room/file.py double: if x < 0: => if x < 1:",
        "room/file.py double: if x < 0: => if x < -1:",
        "room/file.py double: raise ValueError('below 0') => pass",
    }
    assert len(sample["killed"].split()) == 4  # not (x < 0), x / 2, x * 3, x * 1


def test_what_lives_on_has_a_reason():
    found = json.loads((FOLDER / "results/mutants.json").read_text(encoding="utf-8"))
    alive = {name for each in found.values() for name, fate in each["survived"].items() if fate == "survived"}
    with (FOLDER / "mutants.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["mutant"] for row in rows} == alive and len(rows) == len(alive)
    assert all(row["reason"] and row["kind"] in ("same", "gpu", "choice") for row in rows)


@pytest.mark.parametrize("seed", ["0", "1"])
def test_nine_in_ten_are_killed(seed):
    sample = json.loads((FOLDER / "results/mutants.json").read_text(encoding="utf-8"))[seed]
    killed = len(sample["killed"].split()) + list(sample["survived"].values()).count("killed")
    assert killed >= 0.9 * (len(sample["killed"].split()) + len(sample["survived"]))
