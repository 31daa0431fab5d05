"""The example pipeline can be copied: GitHub takes it, its commands exist, and its roles may do only this."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

BIN = Path(sys.executable).parent
WORKFLOW = ROOT / "docs" / "examples" / "deploy.yml"
ROLES = ROOT / "docs" / "examples" / "deploy-role.yml"
BOOTSTRAP = ROOT / "node_modules" / "aws-cdk" / "lib" / "api" / "bootstrap" / "bootstrap-template.yaml"
SUBJECT = "token.actions.githubusercontent.com:sub"


@cache
def read(path: Path) -> Any:
    # GitHub's `on` is a word of YAML for true.
    return yaml.safe_load(path.read_text())


def jobs() -> dict[str, Any]:
    return dict(read(WORKFLOW)["jobs"])


def commands(job: str) -> list[str]:
    return [step["run"] for step in jobs()[job]["steps"] if "run" in step]


@pytest.mark.parametrize(
    ("program", "path"), [("actionlint", WORKFLOW), ("cfn-lint", ROLES)], ids=["workflow", "roles"]
)
def test_the_linters_take_both_files(program: str, path: Path) -> None:
    done = subprocess.run([str(BIN / program), str(path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_its_actions_are_pinned_by_their_hash() -> None:
    used = re.findall(r"uses: (.*)", WORKFLOW.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action)


def test_every_make_target_that_it_runs_exists() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0] for line in shown.splitlines() if line}
    run = [command for job in jobs() for command in commands(job)]
    assert {command.split()[1] for command in run} == {"diff", "deploy"} <= targets


def test_the_change_is_shown_and_approved_before_it_is_deployed_without_a_prompt() -> None:
    assert jobs()["deploy"]["needs"] == "diff"
    assert jobs()["deploy"]["environment"] == "production"
    (deploy,) = commands("deploy")
    assert "--require-approval never" in deploy
    (diff,) = commands("diff")
    options = subprocess.run(
        ["make", "--dry-run", "--assume-old=install", *diff.replace("'", "").split()[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "cdk diff --method=template" in options


def test_each_role_is_for_one_job_of_one_repository_and_assumes_roles_of_the_bootstrap_alone() -> None:
    made = {
        name: one["Properties"] for name, one in read(ROLES)["Resources"].items() if one["Type"] == "AWS::IAM::Role"
    }
    subjects = {"DiffRole": "ref:refs/heads/main", "DeployRole": "environment:production"}
    assert set(made) == set(subjects)
    assert read(WORKFLOW)[True]["push"] == {"branches": ["main"]}
    bootstrap = BOOTSTRAP.read_text()
    for name, subject in subjects.items():
        (trust,) = made[name]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"]["StringEquals"][SUBJECT] == {"Fn::Sub": "repo:${Repository}:" + subject}
        assert len(trust["Condition"]["StringEquals"]) == 2
        assert "ManagedPolicyArns" not in made[name]
        (policy,) = made[name]["Policies"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
        for resource in statement["Resource"]:
            _, role = resource["Fn::Sub"].split(":role/")
            assert f"RoleName:\n        Fn::Sub: {role}\n" in bootstrap
    assert "deploy-role" not in json.dumps(made["DiffRole"])
