"""Comments of columns: what they say, that they follow the table, and that they leave alone what others wrote."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from lambdas.execution import RunState
from lambdas.lake.column_types import Column, Kind, snake_case
from lambdas.lake.profile.field_names import Role
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.tables import comments, export_runs
from lambdas.lake.tables.comments import comment_of, commented, comments_of
from lambdas.lake.tables.meanings import COMMON, OF_EXPORT
from lambdas.vocabulary import EXPORT_TYPES, TimeFormat
from tests.unit.lake.in_process_lake import InProcessLake, age, array, lines
from tests.unit.lake.opens import opened
from tests.unit.lake.shapes import ORDERED

CLICKS, CAMPAIGNS = EXPORT_TYPES["CLICKS"], EXPORT_TYPES["CAMPAIGNS"]
TIME = EventTime("timestamp", TimeFormat.ISO_8601, "Europe/Stockholm")
EVENTS = Profile((TIME,), ("contactId", "messageId"), {"contact": "contactId", "message": "messageId"}, True)


def said(source: str, kind: Kind, export: str = "CLICKS", profile: Profile = EVENTS) -> str:
    return comment_of(EXPORT_TYPES[export], Column(source, snake_case(source), kind), profile)


def stored(lake: InProcessLake, table: str = "opens") -> dict[str, Any]:
    definition = lake.glue.get_table(DatabaseName=lake.settings.database, Name=table)["Table"]
    return {column["Name"]: column for column in definition["StorageDescriptor"]["Columns"]}


def written(lake: InProcessLake, table: str = "opens") -> dict[str, str]:
    return {name: column.get("Comment", "") for name, column in stored(lake, table).items()}


def rewrite(lake: InProcessLake, changes: Mapping[str, Mapping[str, Any]], table: str = "opens") -> None:
    """Replace columns of a table as another writer does."""
    definition = lake.glue.get_table(DatabaseName=lake.settings.database, Name=table)["Table"]
    columns = [changes.get(name, column) for name, column in stored(lake, table).items()]
    kept = {name: definition[name] for name in ("Name", "TableType", "Parameters")}
    kept |= {"PartitionKeys": definition["PartitionKeys"]} if definition.get("PartitionKeys") else {}
    storage = {**definition["StorageDescriptor"], "Columns": columns}
    lake.glue.update_table(DatabaseName=lake.settings.database, TableInput={**kept, "StorageDescriptor": storage})


# What a comment says


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        ("contactId", Kind.ID, ["by your own id", "Personal data", "who (contact)", "part of the identity"]),
        ("contact_id", Kind.ID, ["by your own id", "Field contact_id"]),
        ("timestamp", Kind.STRING, ["event time", "iso-8601", "Europe/Stockholm", "_event_at has it in UTC"]),
        ("sentTimestamp", Kind.STRING, ["When the message was sent", "with its own offset or none"]),
        ("sentTimestamp", Kind.BIGINT, ["likely in milliseconds", "UTC", "0 likely means never"]),
        ("linkTarget", Kind.ID, ["Personal data", "as in Symplify's webhooks"]),
        ("deliveryId", Kind.ID, ["probably the campaign", "as in public clients"]),
        ("temperature", Kind.DOUBLE, ["no documented unit", "Field temperature; no meaning is documented"]),
        ("subscriberNo", Kind.ID, ["By its name: the contact", "Personal data"]),
    ],
)
def test_a_comment_says_meaning_role_unit_and_source_field(source: str, kind: Kind, words: list[str]) -> None:
    comment = said(source, kind)
    assert [word for word in words if word not in comment] == []


def test_the_same_name_means_what_it_means_in_its_export() -> None:
    assert "The list" in said("id", Kind.ID, "LISTS", Profile(identity=("id",), roles={"key": "id"}))
    assert "one mail to one person" in said("id", Kind.ID, "MESSAGES")
    assert "no meaning is documented" in said("id", Kind.ID, "OPENS")


def test_the_key_of_entities_is_called_the_key() -> None:
    profile = Profile(identity=("campaignId",), roles={"campaign": "campaignId", "key": "campaignId"})
    comment = said("campaignId", Kind.ID, "CAMPAIGNS", profile)
    assert "Role (provisional): what (campaign), the key, one row for each." in comment


def test_a_time_in_numbers_has_no_zone_and_the_second_of_two_times_says_when_it_counts() -> None:
    times = (EventTime("at", TimeFormat.EPOCH_SECONDS, "Europe/Stockholm"), replace(TIME, is_date=True))
    profile = replace(EVENTS, event_time=times)
    assert "epoch-seconds" in said("at", Kind.BIGINT, profile=profile)
    assert "Stockholm" not in said("at", Kind.BIGINT, profile=profile)
    assert "where the fields before it have none, as iso-8601 dates" in said("timestamp", Kind.STRING, profile=profile)


def test_an_object_says_which_of_its_fields_have_a_role() -> None:
    profile = Profile((replace(TIME, field="event.time"),), ("event.who", "event.no"), {"contact": "event.who"}, True)
    comment = said("event", Kind.JSON, profile=profile)
    assert "Role: event time in event.time, contact in event.who, part of the identity in event.no." in comment
    assert "Role" not in said("other", Kind.JSON, profile=profile)


def test_a_name_that_holds_an_address_is_masked() -> None:
    comment = said("anna.andersson@example.com", Kind.BIGINT)
    assert "anna" not in comment
    assert "(masked)" in comment


# Glue's limits


def limit() -> int:
    model: Any = boto3.client("glue", "eu-north-1", aws_access_key_id="x", aws_secret_access_key="x").meta.service_model
    return int(model.shape_for("CommentString").metadata["max"])


def test_every_comment_fits_glue_whatever_the_names() -> None:
    longest = ("ä" * 200, "名" * 255, "\U0001f600" * 200, "x" * 255, "first.second." * 12)
    zone = "America/Argentina/ComodRivadavia"
    found: dict[str, str] = {}
    for export in EXPORT_TYPES.values():
        for source in (*COMMON, *OF_EXPORT.get(export.name, ()), *longest):
            times = tuple(EventTime(name, TimeFormat.EPOCH_MILLISECONDS, zone, True) for name in ("名" * 255, source))
            roles = {role.value: source for role in Role}
            for profile in (Profile(times, (source, "x"), roles), Profile(identity=(source,), roles=roles)):
                columns = [Column(source, f"c{number}", kind) for number, kind in enumerate(Kind)]
                made = comments_of(export, columns, profile, zone)
                found |= {f"{export.name} {source} {profile.has_days} {name}": text for name, text in made.items()}
    found |= {name: comment for name, (_, comment) in export_runs.COLUMNS.items()}
    assert limit() >= comments.LONGEST
    assert {name: text for name, text in found.items() if len(text.encode()) > comments.LONGEST} == {}
    assert {name: text for name, text in found.items() if not text.isprintable() or not text} == {}


@pytest.mark.parametrize("is_time", [True, False])
def test_only_a_long_name_of_a_field_is_cut(is_time: bool) -> None:
    for export, fields in OF_EXPORT.items():
        for name in (*COMMON, *fields):
            who = Profile(identity=(name, "x"), roles={"contact": name})
            profile = Profile(event_time=(replace(TIME, field=name),)) if is_time else who
            assert [kind for kind in Kind if "…" in said(name, kind, export, profile)] == []


# Comments follow the table


def events(night: int) -> bytes:
    """The events of the three days before a night, one each quarter of an hour: two nights settle a table."""
    return lines(
        {"contactId": f"c{n % 50}", "at": (ORDERED + timedelta(minutes=15 * n)).isoformat()}
        for n in range((night - 3) * 96, night * 96)
    )


def load(lake: InProcessLake, night: int, content: bytes = b"") -> RunState:
    at = (ORDERED + timedelta(days=night)).isoformat(timespec="microseconds")
    return lake.load(content or events(night), "OPENS", (at, f"b{night}"), period="LAST_3_DAYS", event_time={})


def test_every_column_has_a_comment_that_changes_only_with_what_it_says(lake: InProcessLake) -> None:
    load(lake, 0)
    first = written(lake)
    assert all(first.values())
    assert "Role (provisional): event time" in first["at"]
    assert "from at; dt is its day in" in first["_event_at"]
    keys = (lake.definition() or {})["PartitionKeys"]
    assert [bool(key["Comment"]) for key in keys] == [True]
    # Glue refuses these for partition keys.
    assert not any(key.get("Parameters") for key in keys)

    load(lake, 1)
    second = written(lake)
    assert "Role: event time" in second["at"]
    assert {name for name in first if first[name] != second[name]} == {"at", "contact_id"}

    definition = stored(lake)
    load(lake, 2)
    assert stored(lake) == definition

    load(lake, 3, events(3) + lines([{"contactId": "c1", "at": (ORDERED + timedelta(days=2)).isoformat(), "new": 1}]))
    assert "Field new" in written(lake)["new"]


def test_days_carry_no_comments_since_readers_take_those_of_the_table(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    pages = lake.glue.get_partitions(DatabaseName=lake.settings.database, TableName="opens")["Partitions"]
    assert [column for page in pages for column in page["StorageDescriptor"]["Columns"] if "Comment" in column] == []


def test_a_table_of_an_earlier_release_gets_its_comments_with_the_next_load(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    former = {
        name: {
            "Name": name,
            "Type": column["Type"],
            **({"Comment": "The batch that the row was last seen in"} if name == "_batch_id" else {}),
            **({"Parameters": {"source": column["Parameters"]["source"], "kind": column["Parameters"]["kind"]}}
               if "source" in column["Parameters"] else {}),
        }
        for name, column in stored(lake).items()
    }  # fmt: skip
    complete = stored(lake)
    rewrite(lake, former)
    lake.load(array([opened(2)]), at=age(2))
    assert stored(lake) == complete


def test_a_comment_that_somebody_else_has_written_stays_also_in_a_rebuild(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1), time_zone="Europe/Stockholm")
    ours = {**stored(lake)["contact_id"], "Comment": "Ask Kim"}
    rewrite(lake, {"contact_id": ours})
    lake.load(array([opened(2)]), at=age(2), time_zone="Europe/Stockholm")
    assert written(lake)["contact_id"] == "Ask Kim"
    lake.replay({"rebuild": True}, time_zone="UTC")
    assert written(lake)["contact_id"] == "Ask Kim"
    assert "dt is its day in UTC" in written(lake)["_event_at"]


def test_a_comment_that_was_removed_is_written_again() -> None:
    (made,) = commented([{"Name": "a", "Type": "string"}], {"a": "Ours"})
    assert commented([made], {"a": "Ours, better"})[0]["Comment"] == "Ours, better"
    assert commented([{**made, "Comment": ""}], {"a": "Ours"}) == [made]


# The table of runs


def test_run_records_have_comments_and_their_table_changes_only_when_it_lacks_some(lake: InProcessLake) -> None:
    updates: list[str] = []

    def note(params: Mapping[str, Any], **_: Any) -> None:
        updates.append(params["TableInput"]["Name"])

    def write(run: str) -> None:
        export_runs.write_run_record(lake.store, lake.catalog, run, {"run": run})

    lake.glue.meta.events.register("provide-client-params.glue.UpdateTable", note)
    try:
        write("1")
        write("2")
        assert updates == []
        bare = {name: {"Name": name, "Type": kind} for name, (kind, _) in export_runs.COLUMNS.items()}
        rewrite(lake, bare, "export_runs")
        updates.clear()
        write("3")
        write("4")
    finally:
        lake.glue.meta.events.unregister("provide-client-params.glue.UpdateTable", note)
    assert updates == ["export_runs"]
    assert all(written(lake, "export_runs").values())
    assert list(stored(lake, "export_runs")) == list(export_runs.COLUMNS)
