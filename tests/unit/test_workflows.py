"""The workflows keep what the README promises: nothing untested is published, and nothing runs twice."""

import re
from pathlib import Path

import pytest
import yaml

from tools.notebooks import ROOT, Project

TESTS = "./.github/workflows/ci.yml"
PINNED = re.compile(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})")
# YAML 1.1 reads the key `on` as true.
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in Path(ROOT, ".github/workflows").glob("*.y*ml")}
TRIGGERS = {name: workflow[True] for name, workflow in WORKFLOWS.items()}


def commands(workflow: str, job: str) -> str:
    """All that a job runs."""
    return "\n".join(step.get("run", "") for step in WORKFLOWS[workflow]["jobs"][job]["steps"])


def test_a_pull_request_runs_the_tests_once():
    assert [name for name, triggers in TRIGGERS.items() if "pull_request" in triggers] == ["ci"]
    assert "push" not in TRIGGERS["ci"] and "pull_request_target" not in {key for t in TRIGGERS.values() for key in t}


def test_the_tests_are_the_one_command_in_a_fresh_debian():
    job = WORKFLOWS["ci"]["jobs"]["test"]
    assert job["steps"][-1] == {"run": ".ci/run"} and job["container"].endswith("bookworm")


@pytest.mark.parametrize(
    ("workflow", "job", "push"),
    [("pages", "publish", {"branches": ["main"]}), ("release", "release", {"tags": ["v*"]})],
)
def test_only_what_passed_the_tests_is_published(workflow, job, push):
    assert TRIGGERS[workflow] == {"push": push}
    jobs = WORKFLOWS[workflow]["jobs"]
    assert set(jobs) == {"test", job} and jobs[job]["needs"] == "test" and "if" not in jobs[job]
    assert jobs["test"] == {"uses": TESTS} and "workflow_call" in TRIGGERS["ci"]


def test_only_the_jobs_that_publish_may_write():
    rights = [workflow.get("permissions") for name, workflow in WORKFLOWS.items() if name != "ci"]
    assert rights == [{"contents": "read"}] * len(rights)


def test_the_site_gets_the_address_of_the_repository_in_which_it_is_built():
    lines = commands("pages", "publish").split("\n")
    address = "make address URL=https://github.com/${{ github.repository }}"
    assert lines.index(address) < lines.index("make book")


def test_a_tag_releases_the_wheel_that_the_first_cell_asks_for():
    name = re.search(r'dist/(\S+)\.whl"', commands("release", "release"))[1]
    version = re.search(r"gold_mine_or_bubble-([\d.]+)-py3", Project(ROOT).setup_cell)[1]
    assert f"{name.replace('${TAG#v}', version)}.whl" in Project(ROOT).setup_cell
    assert "make wheel" in commands("release", "release")


def test_once_a_week_the_tests_run_with_the_newest_torch(tmp_path):
    (step,) = [step for step in WORKFLOWS["ci"]["jobs"]["test"]["steps"] if "if" in step]
    assert step["if"] == "github.event_name == 'schedule'" and len(TRIGGERS["ci"]["schedule"]) == 1
    pattern = re.compile(re.search(r"grep -vE '(.+?)'", step["run"])[1])
    kept = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not pattern.search(line)]
    assert not [line for line in kept if re.match("torch=|torchvision|triton|nvidia|cuda", line)]
    assert {"torchmetrics", "numpy"} <= {line.split("==")[0] for line in kept}
    assert re.search(r'echo "LOCK=-c .*unpinned.lock" >> "\$GITHUB_ENV"', step["run"])
    assert re.search(r"^LOCK \?=", (ROOT / "Makefile").read_text(), re.MULTILINE), "or the variable changes nothing"


def test_once_a_week_all_that_is_pinned_is_audited_and_nothing_else_happens():
    assert set(TRIGGERS["audit"]) == {"schedule", "workflow_dispatch"} and len(TRIGGERS["audit"]["schedule"]) == 1
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", TRIGGERS["audit"]["schedule"][0]["cron"])
    (line,) = [line for line in commands("audit", "audit").split("\n") if "pip_audit" in line]
    assert {"--requirement requirements.lock", "--no-deps", "--disable-pip"} <= set(
        re.findall(r"--\S+(?: [^-]\S+)?", line)
    )
    assert all(re.fullmatch(r"\S+==\S+", pin) for pin in (ROOT / "requirements.lock").read_text().split())


def test_every_action_is_pinned_to_a_version():
    used = [step["uses"] for w in WORKFLOWS.values() for job in w["jobs"].values() for step in job.get("steps", [])
            if "uses" in step]  # fmt: skip
    assert used and all(PINNED.fullmatch(action) for action in used)
