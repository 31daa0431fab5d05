"""`python -m infra.roles`: write docs/roles.md, what each role may do, for a reviewer; a test holds it up to date."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App, assertions

from infra.policies import Grant, Statement, actions, grants, resource_policies, targets
from infra.references import Place
from infra.settings import from_context
from infra.stack import SymplifyLake
from infra.variants import key_arn, secret_arn

_ROOT = Path(__file__).parent.parent
PAGE = _ROOT / "docs" / "roles.md"
_PLACE = Place("REGION", "aws", "ACCOUNT")
_SOMEWHERE = Place()
# The settings that change what a role may do.
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "kmsKeyArn": {"kmsKeyArn": key_arn(_SOMEWHERE, "a")},
    "tokenSecretArn, tokenSecretKeyArn": {
        "tokenSecretArn": secret_arn(_SOMEWHERE),
        "tokenSecretKeyArn": key_arn(_SOMEWHERE, "b"),
    },
    "deleteDataWithStack": {"deleteDataWithStack": True},
    "useExistingData": {"useExistingData": True},
    "callsPerMinute": {"callsPerMinute": 30},
    "nightlySummary": {"nightlySummary": True},
    "morningReport (false)": {"morningReport": False},
    "monthlyBudgetUsd": {"monthlyBudgetUsd": 50, "alertEmails": ["team@example.com"]},
}
_HEAD = """# Roles

Written by `make docs` from the template of the settings in `cdk.json`, and held to it by a test: do not edit. Each
function has a role of its own. Below: who may assume a role, and each of its statements, all of which allow; then the
policies of bucket, topic and queue. What has no name of its own is called as in the template. `make check` holds roles
to cdk-nag and parliament.
"""


def page() -> str:
    """The page, as Markdown."""
    roles = _grants({})
    parts = [_HEAD, *map(_section, roles), "## What settings change\n"]
    before = {role.name: role for role in roles}
    for names, changes in _SETTINGS.items():
        parts.append(f"### {names}\n\n{_changes(before, _grants(changes))}")
    return "\n".join(parts)


def _grants(changes: Mapping[str, Any]) -> list[Grant]:
    context = json.loads((_ROOT / "cdk.json").read_text())["context"]
    app = App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False)
    template = assertions.Template.from_stack(SymplifyLake(app, from_context(context | changes))).to_json()
    return [*grants(template, _PLACE), *resource_policies(template, _PLACE)]


def _section(grant: Grant) -> str:
    if grant.trusts:
        about = f"Assumed by {', '.join(grant.trusts)}."
    elif any("Principal" in statement for statement in grant.statements):
        about = "A policy of its own."
    else:
        about = "A managed policy, which people attach."
    about += "".join(f" It has AWS's policy `{arn}`." for arn in grant.managed)
    table = f"\n{_table(grant.statements)}" if grant.statements else ""
    return f"## {grant.name}\n\n{about}\n{table}"


def _table(statements: Iterable[Statement]) -> str:
    rows = "".join(f"{_row(statement)}\n" for statement in statements)
    return f"| statement | actions | resources |\n|---|---|---|\n{rows}"


def _row(statement: Statement) -> str:
    condition = f"; if `{json.dumps(statement['Condition'])}`" if "Condition" in statement else ""
    named = statement.get("Sid", "")
    if "Principal" in statement:
        principals = statement["Principal"]
        who = principals if isinstance(principals, str) else ", ".join(map(str, principals.values()))
        named = f"{statement['Effect']} `{who}`"
    return f"| {named} | {_code(actions(statement))} | {_code(targets(statement))}{condition} |"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _changes(before: Mapping[str, Grant], after: Iterable[Grant]) -> str:
    """The roles that come and go, and the statements that roles gain and lose, those of several roles once."""
    after = list(after)
    gone = sorted(before.keys() - {role.name for role in after})
    gained: dict[str, list[str]] = {}
    lost: dict[str, list[str]] = {}
    new = []
    for role in after:
        if role.name not in before:
            new.append(_section(role).replace("## ", "A role more: ", 1))
            continue
        old = before[role.name]
        for found, some, others in ((gained, role, old), (lost, old, role)):
            for row in map(_row, some.statements):
                if row not in map(_row, others.statements):
                    found.setdefault(row, []).append(role.name)
    less = [f"Roles less: {', '.join(gone)}.\n"] if gone else []
    return "\n".join([*new, *less, *_listed("Added", gained), *_listed("Taken away", lost)]) or "Nothing.\n"


def _listed(title: str, rows: Mapping[str, list[str]]) -> list[str]:
    if not rows:
        return []
    lines = "".join(f"| {', '.join(names)} {row}\n" for row, names in rows.items())
    return [f"{title}:\n\n| role | statement | actions | resources |\n|---|---|---|---|\n{lines}"]


if __name__ == "__main__":
    PAGE.write_text(page())
