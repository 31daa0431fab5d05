"""Writing the views into the catalog."""

import base64
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.lake.column_types import Kind
from lambdas.lake.errors import ViewNotWritten
from lambdas.lake.tables.glue_tables import Table, new_table
from lambdas.lake.views.documents import view_document, view_input
from lambdas.lake.views.renew import renew_views
from lambdas.lake.views.view import View, ViewColumn
from lambdas.vocabulary import EXPORT_TYPES
from local.views import stored_views
from tests.unit.views.lakes import FIELDS, ROLES, table, usual_tables

JOINED = {"email_events", "email_sends", "campaign_performance", "campaign_daily"}


@pytest.fixture
def glue(aws: None) -> Any:
    client = boto3.client("glue")
    client.create_database(DatabaseInput={"Name": "lake"})
    return client


def create(glue: Any, name: str, one: Table) -> None:
    glue.create_table(DatabaseName="lake", TableInput=new_table(EXPORT_TYPES[name.upper()], one))


def stored(glue: Any, name: str) -> Any:
    return glue.get_table(DatabaseName="lake", Name=name)["Table"]


def test_a_view_is_stored_as_trino_documents_it() -> None:
    columns = (ViewColumn("a", "varchar", "Text"), ViewColumn("b", "timestamp(3)", "Time (UTC)"))
    view = View("some", "Some rows.", 'SELECT CAST("å" AS varchar) AS a', columns)

    document = (
        '{"originalSql":"SELECT CAST(\\"å\\" AS varchar) AS a","catalog":"awsdatacatalog","schema":"lake",'
        '"columns":[{"name":"a","type":"varchar"},{"name":"b","type":"timestamp(3)"}]}'
    )
    encoded = base64.b64encode(document.encode()).decode()
    assert view_document(view, "lake") == f"/* Presto View: {encoded} */"
    assert view_input(view, "lake") == {
        "Name": "some",
        "Description": "Some rows.",
        "TableType": "VIRTUAL_VIEW",
        "PartitionKeys": [],
        "Parameters": {"presto_view": "true", "comment": "Presto View", "made_by": "close_run"},
        "StorageDescriptor": {
            "Columns": [
                {"Name": "a", "Type": "string", "Comment": "Text"},
                {"Name": "b", "Type": "timestamp", "Comment": "Time (UTC)"},
            ],
            "Location": "",
            "SerdeInfo": {"Name": "-", "SerializationLibrary": "-"},
        },
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
    }


def test_views_are_written_once_and_then_left_as_they_are(glue: Any) -> None:
    for name, one in usual_tables().items():
        create(glue, name, one)

    assert set(renew_views(glue, "lake")) == {*JOINED, "link_clicks"}
    assert renew_views(glue, "lake") == []
    assert "campaign" in stored_views(glue, "lake")["campaign_performance"]


def test_a_table_that_appears_later_renews_the_views_that_read_it(glue: Any) -> None:
    tables = usual_tables()
    create(glue, "opens", tables["opens"])
    assert renew_views(glue, "lake") == []
    create(glue, "sent", tables["sent"])
    assert set(renew_views(glue, "lake")) == JOINED
    create(glue, "clicks", tables["clicks"])

    assert set(renew_views(glue, "lake")) == {"email_events", "email_sends", "link_clicks"}


def test_a_new_column_that_no_view_reads_renews_none(glue: Any) -> None:
    create(glue, "sent", usual_tables()["sent"])
    renew_views(glue, "lake")
    changed = new_table(EXPORT_TYPES["SENT"], table(FIELDS | {"weather": Kind.STRING}, ROLES))
    glue.update_table(DatabaseName="lake", TableInput=changed)

    assert renew_views(glue, "lake") == []


def test_roles_that_are_decided_otherwise_renew_the_views(glue: Any) -> None:
    create(glue, "sent", usual_tables()["sent"])
    renew_views(glue, "lake")
    fields = FIELDS | {"carmaContactId": Kind.ID}
    changed = new_table(EXPORT_TYPES["SENT"], table(fields, ROLES | {"contact": "carmaContactId"}))
    glue.update_table(DatabaseName="lake", TableInput=changed)

    assert renew_views(glue, "lake") == ["email_events"]
    assert '"carma_contact_id"' in stored_views(glue, "lake")["email_events"]


def test_a_view_that_somebody_has_changed_is_written_again(glue: Any) -> None:
    create(glue, "sent", usual_tables()["sent"])
    renew_views(glue, "lake")
    before = stored(glue, "email_sends")
    storage = {**before["StorageDescriptor"], "Columns": before["StorageDescriptor"]["Columns"][1:]}
    given = {"Name": "email_sends", "Parameters": before["Parameters"], "StorageDescriptor": storage}
    glue.update_table(DatabaseName="lake", TableInput={**given, "TableType": "VIRTUAL_VIEW"})

    assert renew_views(glue, "lake") == ["email_sends"]
    assert stored(glue, "email_sends")["ViewOriginalText"] == before["ViewOriginalText"]


def test_the_view_of_contacts_is_there_as_long_as_it_is_asked_for(glue: Any) -> None:
    create(glue, "sent", usual_tables()["sent"])
    assert "contact_engagement" not in renew_views(glue, "lake")

    assert renew_views(glue, "lake", has_engagement=True) == ["contact_engagement"]
    renew_views(glue, "lake")

    assert "contact_engagement" not in stored_views(glue, "lake")


def test_another_window_for_machines_that_click_is_written_into_the_view(glue: Any) -> None:
    for name, made in usual_tables().items():
        create(glue, name, made)
    renew_views(glue, "lake")

    assert renew_views(glue, "lake", machine_click_seconds=5) == ["email_events"]
    assert renew_views(glue, "lake", machine_click_seconds=5) == []


def test_a_table_of_somebody_else_stays_and_the_other_views_are_written(glue: Any) -> None:
    create(glue, "sent", usual_tables()["sent"])
    glue.create_table(DatabaseName="lake", TableInput={"Name": "email_sends", "Description": "Mine."})

    with pytest.raises(ViewNotWritten, match="email_sends is not a view of this stack"):
        renew_views(glue, "lake")
    assert stored(glue, "email_sends")["Description"] == "Mine."
    assert stored(glue, "campaign_daily")["TableType"] == "VIRTUAL_VIEW"


class Overtaken:
    """Glue, where another run renews the views between the reading and the writing of this one."""

    def __init__(self, glue: Any, meanwhile: Any, times: int = 1) -> None:
        self._glue, self._meanwhile, self._times = glue, meanwhile, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._glue, name)

    def update_table(self, **given: Any) -> None:
        if self._times:
            self._times -= 1
            self._meanwhile()
        self._glue.update_table(**given)


def test_a_run_that_is_overtaken_does_not_undo_what_the_other_knew(glue: Any) -> None:
    tables = usual_tables()
    create(glue, "sent", tables["sent"])
    renew_views(glue, "lake")
    create(glue, "opens", tables["opens"])

    def other_run() -> None:
        create(glue, "clicks", tables["clicks"])
        renew_views(glue, "lake")

    overtaken: Any = Overtaken(glue, other_run)
    renew_views(overtaken, "lake")

    assert 'FROM "clicks"' in stored_views(glue, "lake")["email_events"]


def test_other_refusals_are_not_hidden(glue: Any) -> None:
    create(glue, "sent", usual_tables()["sent"])
    renew_views(glue, "lake")
    create(glue, "opens", usual_tables()["opens"])

    def refuse() -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "UpdateTable")

    refusing: Any = Overtaken(glue, refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        renew_views(refusing, "lake")


def test_the_document_of_a_stored_view_can_be_read(glue: Any) -> None:
    create(glue, "sent", usual_tables()["sent"])
    renew_views(glue, "lake")

    text = stored(glue, "email_events")["ViewOriginalText"]
    document = json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))

    assert list(document) == ["originalSql", "catalog", "schema", "columns"]
    assert [one["name"] for one in document["columns"]] == [
        one["Name"] for one in stored(glue, "email_events")["StorageDescriptor"]["Columns"]
    ]
