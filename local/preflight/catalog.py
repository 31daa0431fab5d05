"""What guards the account's Data Catalog: Lake Formation, and a key of the account's own."""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from local.checks import Check, is_denied, unknown
from local.preflight.target import Target

_EVERYBODY = "IAM_ALLOWED_PRINCIPALS"


def lake_formation(target: Target) -> Check:
    """Whether CDK's role may create the database, and who will decide about its tables.

    Lake Formation shows only grants that were made explicitly, and to those who are not its administrators only their
    own (ListPermissions), so that no grant in sight proves nothing.
    """
    name, client, role = "lake formation", target.client("lakeformation"), target.execution_role
    settings = client.get_data_lake_settings()["DataLakeSettings"]
    creators = {
        one["Principal"]["DataLakePrincipalIdentifier"]
        for one in _catalog_grants(client)
        if {"CREATE_DATABASE", "ALL", "SUPER_USER"} & set(one["Permissions"])
    }
    admins = {one["DataLakePrincipalIdentifier"] for one in settings.get("DataLakeAdmins", [])}
    defaults = ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions")
    is_open = all(_is_open(settings.get(default, [])) for default in defaults)
    may_create = bool({_EVERYBODY, role} & (creators | admins))
    if is_open and (may_create or not creators):
        return Check(name, True, "IAM alone decides")
    command = (
        f"aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier={role} "
        "--permissions CREATE_DATABASE --resource '{\"Catalog\": {}}'"
    )
    if may_create:
        return Check(
            name,
            True,
            "CDK's role may create the database. Lake Formation will guard its tables: after the deployment, make "
            "doctor prints what its administrator grants to the functions and to analysts",
        )
    if creators:
        words = "It lets others than CDK's role create databases, so the deployment would fail. Run, as its "
        return Check(name, False, f"{words}administrator: {command}")
    words = "It guards the Data Catalog, and shows you nobody who may create a database. Ask its administrator whether "
    return unknown(name, f"{words}CDK's role may, which this command allows: {command}")


def _is_open(default: list[dict[str, Any]]) -> bool:
    return any(one.get("Principal", {}).get("DataLakePrincipalIdentifier") == _EVERYBODY for one in default)


def _catalog_grants(client: Any) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        page = client.list_permissions(ResourceType="CATALOG", **more)
        yield from page.get("PrincipalResourcePermissions", [])
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def catalog_key(target: Target) -> Check:
    """Whether the Data Catalog is under a key that functions and analysts need as well.

    Who reads or writes an encrypted catalog uses its key through Glue, unless Glue has a role for that:
    https://docs.aws.amazon.com/glue/latest/dg/encrypt-glue-data-catalog.html
    """
    name = "catalog key"
    found = target.client("glue").get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"]
    rest = found.get("EncryptionAtRest", {})
    mode, key = rest.get("CatalogEncryptionMode", "DISABLED"), rest.get("SseAwsKmsKeyId", "")
    if mode == "DISABLED":
        return Check(name, True, "the Data Catalog is not encrypted with a key of the account")
    if mode != "SSE-KMS":
        return Check(name, True, "the Data Catalog is encrypted, and Glue's own role uses the key")
    try:
        facts = target.client("kms").describe_key(KeyId=key or "alias/aws/glue")["KeyMetadata"]
        if facts.get("KeyManager") == "AWS":
            return Check(name, True, "the Data Catalog is encrypted with AWS's key, which all of the account may use")
        key = facts["Arn"]
        if key == target.settings.kms_key_arn:
            return Check(
                name, True, "the Data Catalog is under the key of kmsKeyArn, which functions and analysts may use"
            )
        policy = target.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    except ClientError as error:
        if not is_denied(error):
            raise
        return unknown(name, f"{_needed(target, key)} You may not look whether the key's policy has it already.")
    if _glue_service(target) in policy:
        return Check(name, True, f"the Data Catalog is encrypted with {key}, whose policy lets the account use it")
    # Grants of the key to the functions' roles would do as well, and those roles are not there yet.
    return unknown(name, _needed(target, key))


def _glue_service(target: Target) -> str:
    suffix = "amazonaws.com.cn" if target.partition == "aws-cn" else "amazonaws.com"
    return f"glue.{target.region}.{suffix}"


def _needed(target: Target, key: str) -> str:
    statement = {
        "Sid": "DataCatalog",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:CallerAccount": target.account, "kms:ViaService": _glue_service(target)}},
    }
    return (
        f"The Data Catalog is encrypted with {key}, which functions and analysts need through Glue. Either grant it to "
        "their roles after the deployment, or add to its policy now, as AWS's own key for Glue has it: "
        f"{json.dumps(statement)}"
    )
