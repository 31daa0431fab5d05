"""The doctor under Lake Formation, and where the Data Catalog has a key, by answers that botocore's models accept."""

from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from local.checks import Check
from local.doctor import Stack, examine

DATABASE, ROLE, ANALYST = "symplify", "arn:aws:iam::123456789012:role/load", "arn:aws:iam::123456789012:role/analyst"
OUTPUTS = dict.fromkeys(("Database", "WorkGroup", "TokenSecretArn", "AlertTopicArn"), DATABASE)
KEY = "arn:aws:kms:eu-west-1:123456789012:key/catalog"
ON_DATABASE = {"Database": {"Name": DATABASE}}
ON_TABLES = {"Table": {"DatabaseName": DATABASE, "TableWildcard": {}}}
ON_OPENS = {"Table": {"DatabaseName": DATABASE, "Name": "opens"}}
EVERYTHING = {"database": ["CREATE_TABLE", "DESCRIBE"], "tables": ["ALTER", "DESCRIBE", "DROP", "INSERT", "SELECT"]}


class Account:
    """Clients whose answers are checked against the services' models."""

    def __init__(self) -> None:
        options: dict[str, Any] = {
            "region_name": "eu-west-1",
            "aws_access_key_id": "testing",
            "aws_secret_access_key": "testing",
        }
        self.clients: dict[str, Any] = {
            name: boto3.client(name, **options) for name in ("glue", "lakeformation", "lambda")
        }
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def roles(self) -> None:
        for name in ("load-result", "close-run", "watch-runs"):
            self.stubs["lambda"].add_response(
                "get_function_configuration", {"Role": ROLE}, {"FunctionName": f"lake-{name}"}
            )

    def guarded(self) -> None:
        self.stubs["glue"].add_response("get_database", {"Database": {"Name": DATABASE}})
        self.stubs["lakeformation"].add_response("get_data_lake_settings", {"DataLakeSettings": {}})
        self.roles()

    def granted(self, resource: Mapping[str, Any], *pages: list[tuple[str, list[str]]], to: str | None = None) -> None:
        """What is granted on a resource, page by page: principals and permissions; `to` when one is asked about."""
        for number, page in enumerate(pages):
            asked: dict[str, Any] = {"Resource": resource}
            if to is not None:
                asked["Principal"] = {"DataLakePrincipalIdentifier": to}
            if number:
                asked["NextToken"] = f"page {number}"
            permissions = [
                {"Principal": {"DataLakePrincipalIdentifier": who}, "Resource": resource, "Permissions": granted}
                for who, granted in page
            ]
            answer: dict[str, Any] = {"PrincipalResourcePermissions": permissions}
            if number + 1 < len(pages):
                answer["NextToken"] = f"page {number + 1}"
            self.stubs["lakeformation"].add_response("list_permissions", answer, asked)

    def tables(self, *names: str) -> None:
        self.stubs["glue"].add_response("get_tables", {"TableList": [{"Name": name} for name in names]})

    def checked(self, name: str, monkeypatch: pytest.MonkeyPatch) -> Check:
        """That check of the doctor."""
        from local import doctor  # noqa: PLC0415

        monkeypatch.setattr(doctor, "_CHECKS", {name: doctor._CHECKS[name]})
        (found,) = examine(Stack("lake", OUTPUTS), self.clients.__getitem__, lambda _sql: [])
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()
        return found


@pytest.fixture
def account() -> Account:
    return Account()


def test_only_what_the_functions_lack_is_to_be_granted(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.guarded()
    account.granted(ON_DATABASE, [(ROLE, ["CREATE_TABLE"])], [(ROLE, ["DESCRIBE"])], to=ROLE)
    account.granted(ON_TABLES, [(ROLE, ["DESCRIBE", "SELECT"])], to=ROLE)

    found = account.checked("lake formation", monkeypatch)

    assert not found.is_well
    assert found.words.count("aws lakeformation grant-permissions") == 1
    assert f"DataLakePrincipalIdentifier={ROLE} --permissions ALTER DROP INSERT --resource" in found.words


@pytest.mark.parametrize("granted", [EVERYTHING, {"database": ["ALL"], "tables": ["ALL"]}])
def test_with_all_grants_there_is_a_tick_and_it_says_who_may_read(
    account: Account, monkeypatch: pytest.MonkeyPatch, granted: Mapping[str, list[str]]
) -> None:
    account.guarded()
    account.granted(ON_DATABASE, [(ROLE, granted["database"])], to=ROLE)
    account.granted(ON_TABLES, [(ROLE, granted["tables"])], to=ROLE)
    account.tables("opens")
    account.granted(ON_TABLES, [(ROLE, granted["tables"])], [(ANALYST, ["DESCRIBE", "SELECT"])])
    account.granted(ON_OPENS, [("arn:aws:iam::123456789012:user/ada", ["SELECT"]), (ANALYST, ["DESCRIBE"])])

    found = account.checked("lake formation", monkeypatch)

    assert found.is_well
    assert f"SELECT have {ANALYST} on all tables; arn:aws:iam::123456789012:user/ada on opens" in found.words


def test_where_no_analyst_may_read_the_tick_has_the_command(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.guarded()
    account.granted(ON_DATABASE, [(ROLE, ["ALL"])], to=ROLE)
    account.granted(ON_TABLES, [(ROLE, ["ALL"])], to=ROLE)
    account.tables()
    account.granted(ON_TABLES, [(ROLE, ["ALL"])])

    found = account.checked("lake formation", monkeypatch)

    assert found.is_well
    assert "--permissions DESCRIBE SELECT --resource" in found.words


def test_somebody_who_may_not_list_grants_is_told_so(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.guarded()
    account.stubs["lakeformation"].add_client_error("list_permissions", "AccessDeniedException", "no")

    found = account.checked("lake formation", monkeypatch)

    assert not found.is_well
    assert "Ask its administrator" in found.words


# The key of the Data Catalog


@pytest.mark.parametrize(
    "encryption",
    [
        {"CatalogEncryptionMode": "DISABLED"},
        {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": "arn:aws:kms:eu-west-1:1:alias/aws/glue"},
        {"CatalogEncryptionMode": "SSE-KMS-WITH-SERVICE-ROLE", "SseAwsKmsKeyId": KEY},
    ],
)
def test_a_catalog_whose_key_asks_callers_for_nothing_is_well(
    account: Account, monkeypatch: pytest.MonkeyPatch, encryption: dict[str, str]
) -> None:
    settings = {"DataCatalogEncryptionSettings": {"EncryptionAtRest": encryption}}
    account.stubs["glue"].add_response("get_data_catalog_encryption_settings", settings)

    assert account.checked("catalog key", monkeypatch).is_well


@pytest.mark.parametrize("tables", [[], ["export_runs"]])
def test_an_encrypted_catalog_names_its_key_and_who_needs_it(
    account: Account, monkeypatch: pytest.MonkeyPatch, tables: list[str]
) -> None:
    encryption = {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": KEY}
    account.stubs["glue"].add_response(
        "get_data_catalog_encryption_settings", {"DataCatalogEncryptionSettings": {"EncryptionAtRest": encryption}}
    )
    account.tables(*tables)
    if not tables:
        account.roles()

    found = account.checked("catalog key", monkeypatch)

    assert found.is_well == bool(tables)
    assert f"Analysts need kms:Decrypt on {KEY}" in found.words
    assert (f"aws kms create-grant --key-id {KEY} --grantee-principal {ROLE}" in found.words) == (not tables)
