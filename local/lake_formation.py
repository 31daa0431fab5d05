"""What Lake Formation and a key of the Data Catalog ask for beside IAM: who has which grant, and commands for the rest.

Nothing here was tried on AWS: the calls are those of botocore's models.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_ON_DATABASE = ("CREATE_TABLE", "DESCRIBE")
# A rebuild that finds days where there were none makes the table again.
_ON_TABLES = ("ALTER", "DESCRIBE", "DROP", "INSERT", "SELECT")
_ALL = ("ALL", "SUPER_USER")
_READER = "ROLE_OR_USER_ARN_OF_AN_ANALYST"


def missing_grants(client: Any, database: str, roles: Sequence[str]) -> list[str]:
    """The commands that give the functions' roles what they lack."""
    return [
        _grant(role, lacking, resource)
        for role in dict.fromkeys(roles)
        for resource, wanted in ((_database(database), _ON_DATABASE), (_tables(database), _ON_TABLES))
        if (lacking := _lacking(client, role, resource, wanted))
    ]


def readers(client: Any, database: str, tables: Sequence[str], roles: Sequence[str]) -> str:
    """Who else may read which tables; with nobody, the command that lets somebody."""
    resources = [("all tables", _tables(database))]
    resources += [(name, {"Table": {"DatabaseName": database, "Name": name}}) for name in sorted(tables)]
    found: dict[str, list[str]] = {}
    for name, resource in resources:
        for one in _listed(client, Resource=resource):
            who = one["Principal"]["DataLakePrincipalIdentifier"]
            if who not in roles and {"SELECT", *_ALL} & set(one["Permissions"]):
                found.setdefault(who, []).append(name)
    if not found:
        return "No analyst has SELECT by name (tags are not looked at); to let one read all tables: " + _grant(
            _READER, ("DESCRIBE", "SELECT"), _tables(database)
        )
    return "SELECT have " + "; ".join(f"{who} on {', '.join(dict.fromkeys(names))}" for who, names in found.items())


def catalog_key(glue: Any) -> str | None:
    """The key that callers of the Data Catalog need rights on; None where they need none."""
    found = glue.get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"].get("EncryptionAtRest", {})
    key = str(found.get("SseAwsKmsKeyId") or "")
    # With a role of the service's, callers need nothing; AWS's own key lets in whoever may use Glue.
    is_asked = found.get("CatalogEncryptionMode") == "SSE-KMS" and not key.endswith("alias/aws/glue")
    return key if key and is_asked else None


def key_grants(key: str, roles: Sequence[str]) -> str:
    """The commands that let the functions' roles use the catalog's key."""
    return " ; ".join(
        f"aws kms create-grant --key-id {key} --grantee-principal {role} --operations Decrypt Encrypt GenerateDataKey"
        for role in dict.fromkeys(roles)
    )


def _lacking(client: Any, role: str, resource: Mapping[str, Any], wanted: Sequence[str]) -> tuple[str, ...]:
    # With a principal and a resource, the answer has what is effective, by whatever it was granted.
    given = {
        permission
        for one in _listed(client, Resource=resource, Principal={"DataLakePrincipalIdentifier": role})
        for permission in one["Permissions"]
    }
    return () if given & set(_ALL) else tuple(one for one in wanted if one not in given)


def _listed(client: Any, **about: Any) -> Iterator[Mapping[str, Any]]:
    page: Mapping[str, Any] = {"NextToken": None}
    while "NextToken" in page:
        more = {"NextToken": page["NextToken"]} if page["NextToken"] else {}
        page = client.list_permissions(**about, **more)
        yield from page["PrincipalResourcePermissions"]


def _database(name: str) -> dict[str, Any]:
    return {"Database": {"Name": name}}


def _tables(database: str) -> dict[str, Any]:
    return {"Table": {"DatabaseName": database, "TableWildcard": {}}}


def _grant(principal: str, permissions: Sequence[str], resource: Mapping[str, Any]) -> str:
    return (
        f"aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier={principal} "
        f"--permissions {' '.join(permissions)} --resource '{json.dumps(resource)}'"
    )
