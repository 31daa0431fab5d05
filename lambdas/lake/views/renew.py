"""Write the views into the catalog, where what they are made of has changed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdas.aws_errors import has_code
from lambdas.lake.errors import ViewNotWritten
from lambdas.lake.tables.glue_tables import Table, read_table
from lambdas.lake.views.all_views import views
from lambdas.lake.views.contacts import CONTACT_ENGAGEMENT
from lambdas.lake.views.documents import differs, is_ours, view_input
from lambdas.lake.views.metrics import MACHINE_CLICK_SECONDS
from lambdas.vocabulary import EXPORT_TYPES

if TYPE_CHECKING:
    from types_boto3_glue import GlueClient
    from types_boto3_glue.type_defs import TableInputTypeDef

# Ten runs may end within seconds of each other.
_TRIES = 5
# The last: another run has deleted what this one was about to delete.
_MOVED = ("ConcurrentModificationException", "AlreadyExistsException", "EntityNotFoundException")


def renew_views(
    glue: "GlueClient",
    database: str,
    *,
    has_engagement: bool = False,
    machine_click_seconds: int = MACHINE_CLICK_SECONDS,
) -> list[str]:
    """Write the views that are missing or whose text has changed; return their names.

    Without `has_engagement` the view `contact_engagement` is deleted, since nobody asks for it any more.

    Raises:
        ViewNotWritten: somebody else has a table or a view of that name, or changes it all the time.
        WrittenByNewer: a newer version of this stack wrote a table.
    """
    for _ in range(_TRIES):
        try:
            return _renew(glue, database, has_engagement, machine_click_seconds)
        except ClientError as error:
            if not has_code(error, *_MOVED):
                raise
    raise ViewNotWritten(f"The views of {database} are being changed by somebody else; the next run tries again.")


def _renew(glue: "GlueClient", database: str, has_engagement: bool, machine_click_seconds: int) -> list[str]:
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    # Of one reading: where a view has been renewed from newer tables since, its version has moved, and Glue refuses.
    definitions: dict[str, Mapping[str, Any]] = {table["Name"]: table for page in pages for table in page["TableList"]}
    former = definitions.get(CONTACT_ENGAGEMENT)
    if former is not None and is_ours(former) and not has_engagement:
        glue.delete_table(DatabaseName=database, Name=CONTACT_ENGAGEMENT)
    written, taken = [], []
    wanted_views = views(
        _tables(definitions),
        frozenset(definitions),
        has_engagement=has_engagement,
        machine_click_seconds=machine_click_seconds,
    )
    for view in wanted_views:
        wanted, before = view_input(view, database), definitions.get(view.name)
        if before is not None and not is_ours(before):
            taken.append(view.name)
        elif before is None or differs(before, wanted):
            _write(glue, database, wanted, before)
            written.append(view.name)
    if taken:
        raise ViewNotWritten(
            f"In the database {database}, {', '.join(taken)} is not a view of this stack, and stays as it is. Rename "
            "it, and the next run writes the view of that name."
        )
    return written


def _tables(definitions: Mapping[str, Mapping[str, Any]]) -> dict[str, Table]:
    """The tables of exports; one of an early version has no roles and waits for its rebuild."""
    names = {export.table for export in EXPORT_TYPES.values()}
    return {
        name: read_table(one)
        for name, one in definitions.items()
        if name in names and "profile" in one.get("Parameters", {})
    }


def _write(glue: "GlueClient", database: str, wanted: "TableInputTypeDef", before: Mapping[str, Any] | None) -> None:
    if before is None:
        glue.create_table(DatabaseName=database, TableInput=wanted)
        return
    version = {"VersionId": before["VersionId"]} if before.get("VersionId") else {}
    glue.update_table(DatabaseName=database, TableInput=wanted, **version)
