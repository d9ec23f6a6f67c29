"""The scripts for clusters start what there is: torchrun and a recipe, resumed where there is a checkpoint."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.notebooks import ROOT

FOLDER = ROOT / "cluster"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
SHELLCHECK = Path(sys.executable).parent / "shellcheck"
# Programs of a cluster: one machine, on which srun starts one task.
STUBS = {"srun": 'exec "$@"', "scontrol": 'echo "localhost"'}
ALLOCATION = {"SLURM_JOB_NODELIST": "node[1]", "SLURM_NNODES": "1", "SLURM_GPUS_ON_NODE": "2", "SLURM_JOB_ID": "7"}


@pytest.fixture
def machine(tmp_path):
    """A machine of a cluster: this repository's scripts, its Python to activate, and Slurm's two commands."""
    (tmp_path / "cluster").symlink_to(FOLDER)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    stub(tmp_path, **STUBS)
    path = f"{tmp_path / '.venv/bin'}:{Path(sys.executable).parent}"
    (tmp_path / ".venv/bin/activate").write_text(f'export PATH="{path}:$PATH"\n')
    return tmp_path


def stub(machine, **programs):
    """Programs that stand for others."""
    for name, script in programs.items():
        (program := machine / ".venv/bin" / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        program.chmod(0o755)


def called(machine, script, **settings):
    """What a script prints, on processors."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_", "SLURM"))}
    plain |= {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "ZOO": str(machine / "zoo")}
    command = ["bash", "-c", f"source .venv/bin/activate; cluster/{script}"]
    done = subprocess.run(command, cwd=machine, env=plain | settings, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_read_and_run(script):
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert os.access(script, os.X_OK) and "set -euo pipefail" in script.read_text()


def test_shellcheck_finds_nothing():
    done = subprocess.run([SHELLCHECK, *SCRIPTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_slurm_trains_a_recipe_in_two_processes_and_is_done_the_second_time(machine):
    settings = {**ALLOCATION, "STEPS": "2", "PORT": "29417"}
    assert "# gpt" in called(machine, "slurm.sh", **settings)
    found = {path.relative_to(machine / "zoo").as_posix() for path in (machine / "zoo").rglob("*.*")}
    assert found == {"catalogue.csv", "weights/gpt.md", "weights/gpt.safetensors"}
    stub(machine, torchrun="exit 1")
    assert "is there already" in called(machine, "slurm.sh", **settings)


@pytest.mark.parametrize("file", [None, "gpt-steps9-seed0-1.checkpoint", "gpt-steps8-seed0-1.checkpoint"])
def test_a_job_that_was_interrupted_goes_on_from_its_checkpoint(machine, file):
    stub(machine, torchrun='echo "$@"')
    if file:
        (machine / "zoo").mkdir()
        (machine / "zoo" / file).touch()
    said = called(machine, "train.sh", STEPS="9", NODES="2", PROCESSES="4", HEAD="one").split()
    assert said[said.index("-m") :][:5] == ["-m", "genai_utils.recipes", "gpt", "--steps", "9"]
    assert " ".join(said).startswith("--nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-endpoint one:29400")
    assert ("--resume" in said) == (file == "gpt-steps9-seed0-1.checkpoint")


def test_the_job_of_skypilot_asks_for_what_it_starts():
    job = yaml.safe_load((FOLDER / "skypilot.yaml").read_text())
    assert set(job) <= {"name", "workdir", "num_nodes", "resources", "file_mounts", "setup", "run"}
    assert subprocess.run(["bash", "-n"], input=job["setup"] + job["run"], text=True, check=False).returncode == 0
    assert job["run"].splitlines()[-1] == "cluster/train.sh"
    (place,) = job["file_mounts"]
    assert f"ZOO={place}" in job["run"] and job["num_nodes"] == 1
    assert "requirements.lock ." in job["setup"] and (ROOT / "requirements.lock").exists()


def test_the_job_of_kubernetes_mounts_what_it_names_and_starts_a_process_a_gpu():
    job = yaml.safe_load((FOLDER / "kubernetes.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job") and job["spec"]["backoffLimit"] > 0
    pod = job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "OnFailure"  # a Job may have this or Never; a pod that dies is started again
    (container,) = pod["containers"]
    told = {each["name"]: each["value"] for each in container["env"]}
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert int(told["PROCESSES"]) == container["resources"]["limits"]["nvidia.com/gpu"]
    assert all(isinstance(value, str) for value in told.values()) and told["ZOO"] == mounted["zoo"]
    assert set(mounted) == {volume["name"] for volume in pod["volumes"]}
    assert (ROOT / container["command"][0]).is_file()


def test_an_array_of_jobs_grades_a_class_in_parts(machine):
    for name in ("tools", "class"):
        (machine / name).symlink_to(ROOT / name) if name == "tools" else (machine / name).mkdir()
    (machine / "salt").write_text("a secret")
    for name in ("ada", "ben", "cy"):
        (machine / f"class/{name}.ipynb").write_text('{"cells": [{"cell_type": "code", "source": "x = 1"}]}')
    others = "--salt salt --out out --trust"
    for part in ("1", "2"):
        said = called(machine, f"grade.sh class 1 {others}", SLURM_ARRAY_TASK_ID=part, SLURM_ARRAY_TASK_COUNT="2")
        assert "a part is graded" in said and not (machine / "out/grades.csv").exists()
    assert sorted(path.stem for path in (machine / "out/results").iterdir()) == ["ada", "ben", "cy"]
