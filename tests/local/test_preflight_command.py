"""`make preflight` and its command: on the embedded cloud where it has the services, and before there is an account."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.lifecycle import Running
from local.standin import Options, StandIn
from tests.conftest import local_in_process
from tests.infra.test_make import make

CUSTOMER = ("--setting", "customerId=77")
# Which the embedded cloud does not have.
ELSEWHERE = {"lake formation", "catalog key", "permissions"}


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def checked(home: Path, *words: str, **environment: str) -> tuple[int, dict[str, Any]]:
    done = local_in_process("preflight", *words, "--json", home=home, **environment)
    return done.returncode, {one["check"]: one for one in json.loads(done.stdout)}


def test_on_the_embedded_cloud_a_new_stack_finds_all_ready_and_changes_nothing(
    running: Running, tmp_path: Path
) -> None:
    before = running.cloud.client("cloudformation").describe_stacks()["Stacks"]
    words = ("--setting", "stackName=brand-d", *CUSTOMER)
    _, found = checked(tmp_path, *words, **running.cloud.environment)
    assert {name for name, one in found.items() if not (one["ok"] and one["known"])} == ELSEWHERE | {"symplify"}
    assert "will be new" in found["stack"]["words"]
    assert running.cloud.client("cloudformation").describe_stacks()["Stacks"] == before


def test_on_the_embedded_cloud_a_deployed_stack_and_an_orphan_are_told_apart(running: Running, tmp_path: Path) -> None:
    glue = running.cloud.client("glue")
    glue.create_database(DatabaseInput={"Name": "brand_e"})
    try:
        _, found = checked(tmp_path, "--cdk=-c stackName=brand-e --no-rollback", **running.cloud.environment)
        assert "aws glue delete-database --name brand_e" in found["names"]["words"]
        _, found = checked(tmp_path, **running.cloud.environment)
        assert found["names"]["words"] == "they are the stack's own"
    finally:
        glue.delete_database(Name="brand_e")


def test_an_account_without_bootstrap_is_told_to_prepare_it(running: Running, tmp_path: Path) -> None:
    status, found = checked(tmp_path, *CUSTOMER, **{**running.cloud.environment, "AWS_REGION": "eu-north-1"})
    assert status == 1
    assert "in eu-north-1 is not prepared for CDK: run make bootstrap" in found["bootstrap"]["words"]


def test_a_bootstrap_under_another_qualifier_is_looked_for_by_its_names(running: Running, tmp_path: Path) -> None:
    ssm = running.cloud.client("ssm")
    ssm.put_parameter(Name="/cdk-bootstrap/team/version", Value="21", Type="String")
    try:
        words = (*CUSTOMER, "--cdk=-c @aws-cdk/core:bootstrapQualifier=team")
        _, found = checked(tmp_path, *words, **running.cloud.environment)
    finally:
        ssm.delete_parameter(Name="/cdk-bootstrap/team/version")
    assert "CDK's bucket cdk-team-assets-000000000000-eu-west-1 is gone" in found["bootstrap"]["words"]


@pytest.mark.enable_socket
@pytest.mark.parametrize(("token", "mark"), [("right-token", True), ("wrong-token", False), ("b4d t0ken", False)])
def test_the_token_is_tried_by_one_call_and_never_printed(
    running: Running, tmp_path: Path, token: str, mark: bool
) -> None:
    with StandIn(Options(customer_id="77", token="right-token")) as standin:
        words = (*CUSTOMER, "--setting", f"baseUrl={standin.base_url}", "--setting", "allowLoopbackHttp=true")
        environment = {**running.cloud.environment, "SYMPLIFY_TOKEN": token}
        _, found = checked(tmp_path, *words, **environment)
        done = local_in_process("preflight", *words, home=tmp_path, **environment)
    assert found["symplify"]["ok"] is mark
    assert token not in json.dumps(found) + done.stdout + done.stderr


def test_without_region_or_credentials_nothing_else_is_asked(tmp_path: Path) -> None:
    status, found = checked(tmp_path, *CUSTOMER)
    assert (status, list(found)) == (1, ["settings", "region"])
    assert "set AWS_REGION" in found["region"]["words"]
    status, found = checked(tmp_path, *CUSTOMER, AWS_REGION="eu-west-1")
    assert (status, list(found)) == (1, ["settings", "region", "credentials"])
    assert "aws sso login" in found["credentials"]["words"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--setting", "customerId=123456"), "customerId is still the example"),
        (("--setting", "timeZone=Mars/Olympus"), "Mars/Olympus"),
        (("--cdk=-c timeZone=Mars/Olympus",), "Mars/Olympus"),
    ],
)
def test_a_setting_that_cannot_be_deployed_is_the_first_line(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    status, found = checked(tmp_path, *words)
    assert status == 1
    assert sentence in found["settings"]["words"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--setting", "timeZone"), "NAME=VALUE"),
        (("--cdk=-c",), "The options for CDK cannot be read"),
        (("--cdk=-c 'x",), "The options for CDK cannot be read"),
        (("--stack", "x"), "unrecognized arguments"),
    ],
)
def test_a_wrong_command_line_ends_with_status_2(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    done = local_in_process("preflight", *words, home=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_profile_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    done = local_in_process("preflight", "--cdk=--profile nobody", home=tmp_path)
    assert done.returncode == 1
    assert "nobody" in done.stderr


def test_make_deploy_runs_preflight_first_unless_told_not_to() -> None:
    words = ("--dry-run", "--assume-old=install", "deploy", "CDK=-c customerId=77")
    first, second = make(*words).splitlines()
    assert "-m local preflight" in first
    assert second == "cdk deploy --strict -c customerId=77"
    assert make(*words, "PREFLIGHT=no").splitlines() == [second]


def test_make_hands_over_the_options_for_cdk_as_they_are() -> None:
    options = """-c exports='{"OPENS": false}'"""
    shown = make("preflight", "--assume-old=install", f"CDK={options}", "PREFLIGHT_COMMAND=printenv CDK_OPTIONS")
    assert shown.strip().splitlines()[-1] == options
