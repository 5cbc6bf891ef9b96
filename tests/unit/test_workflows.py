"""The workflows call make and nothing else, with as few rights as that takes."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(
    re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)
PINNED = re.compile(r"uses: [\w/-]+@[0-9a-f]{40} # v\d")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path: Path) -> list[Any]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_is_a_checkout_or_one_make_target(path: Path) -> None:
    runs = [step["run"] for step in steps(path) if "run" in step]
    assert runs
    for run in runs:
        words = run.split()
        assert words[0] == "make"
        assert len(words) == 2
        assert words[1] in TARGETS, run


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_of_others_are_pinned_to_a_commit(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    used = [line for line in lines if "uses:" in line]
    assert used
    assert all(PINNED.search(line) for line in used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_have_no_rights_but_those_they_name_and_an_end(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"].items() <= {"contents": "read", "id-token": "write"}.items()
        assert 0 < job["timeout-minutes"] <= 90


def test_dependencies_are_audited_each_day() -> None:
    path = ROOT / ".github" / "workflows" / "audit.yml"
    assert [step["run"] for step in steps(path) if "run" in step] == ["make audit"]
    (schedule,) = read(path)[True]["schedule"]  # YAML's `on` is a boolean
    assert schedule["cron"].endswith("* * *")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition("\naudit:")[2].partition("\n\n")[0]
    assert "pip-audit" in recipe
    assert "npm --prefix client audit" in recipe
    assert "for each in requirements*.txt" in recipe


def test_everything_that_ci_runs_here_is_a_job_there() -> None:
    runs = {
        step["run"] for step in steps(ROOT / ".github" / "workflows" / "ci.yml") if "run" in step
    }
    targets = {run.removeprefix("make ") for run in runs}
    assert targets >= {"check", "unit", "integration", "e2e", "client-test", "infra"}
