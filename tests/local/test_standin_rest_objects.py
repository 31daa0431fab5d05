"""Mails, and the ready shape of the vendor's own REST objects that is made of them."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3

from lambdas.vocabulary import EXPORT_TYPES, Period
from local import vendor
from local.standin import ManualClock, Options, StandIn, shapes
from local.standin.periods import milliseconds
from local.standin.shapes import ExportShape, Shape
from tests.local.shaped import NOW, records

# Mails


def test_a_mail_has_the_id_and_the_contact_of_its_events_and_the_state_that_they_left() -> None:
    shape = Shape(exports={"MESSAGES": ExportShape(source="MAILS")})
    mails = {mail["mailId"]: mail for mail in records(shape, "MESSAGES", period=Period.LAST_WEEK)}
    sent = {event["eventId"] // 10: event for event in records(Shape(), "SENT", period=Period.LAST_WEEK)}
    assert list(mails) == list(sent)
    for number, event in sent.items():
        mail = mails[number]
        assert mail["sentTimestamp"] == milliseconds(datetime.fromisoformat(event["timestamp"]))
        shared = set(event) & set(mail) - {"sentTimestamp"}
        assert len(shared) == 10
        assert all(mail[name] == event[name] for name in shared)
    for state, export_type in (
        ("opened", "OPENS"),
        ("clicked", "CLICKS"),
        ("softBounce", "SOFT_BOUNCES"),
        ("hardBounce", "HARD_BOUNCES"),
        ("unsubscribed", "OPTOUTS"),
    ):
        met = {event["eventId"] // 10 for event in records(Shape(), export_type, period=Period.LAST_WEEK)}
        assert {number for number, mail in mails.items() if mail[state]} == met & set(mails), export_type


# The ready shape


def test_messages_of_the_ready_shape_are_one_for_each_sent_record() -> None:
    shape = shapes.read("rest-objects")
    sent, messages = records(shape, "SENT"), records(shape, "MESSAGES")

    keys = [(record["messageId"], record["contactId"], record["sentTimestamp"]) for record in sent]
    assert [(record["id"], record["contactId"], record["sentTimestamp"]) for record in messages] == keys
    assert len(messages) > 1000
    for message in messages:
        assert message["read"] == message["actions"]["opened"] == (message["readTimestamp"] != 0)
        assert message["readTimestamp"] == 0 or message["readTimestamp"] > message["sentTimestamp"]


def test_messages_of_overlapping_exports_are_the_same_ones_in_a_state_that_changes() -> None:
    shape = shapes.read("rest-objects")
    first, second = (
        {record["id"]: record for record in records(shape, "MESSAGES", NOW + timedelta(days=days))} for days in (0, 1)
    )

    shared = set(first) & set(second)
    fixed = ("contactId", "deliveryId", "sentTimestamp", "openInBrowserUrl", "name")
    assert len(shared) > 800
    assert all(first[key][name] == second[key][name] for key in shared for name in fixed)
    assert any(first[key]["readTimestamp"] != second[key]["readTimestamp"] for key in shared)
    assert any(first[key]["actions"] != second[key]["actions"] for key in shared)
    assert all(first[key]["readTimestamp"] in (0, second[key]["readTimestamp"]) for key in shared)


def test_bounces_of_the_ready_shape_name_a_message_and_an_address_and_no_contact() -> None:
    shape = shapes.read("rest-objects")
    messages = {record["id"]: record for record in records(shape, "MESSAGES")}
    for export_type, state in (("HARD_BOUNCES", "hardBounce"), ("SOFT_BOUNCES", "softBounce")):
        found = [record for record in records(shape, export_type) if record["messageId"] in messages]
        assert found
        for record in found:
            assert not {"contactId", "campaignId", "eventId"} & set(record)
            assert "@" in record["recipient"]
            assert record["bounceDate"] > messages[record["messageId"]]["sentTimestamp"]
            assert messages[record["messageId"]]["actions"][state]


@pytest.mark.parametrize("export_type", EXPORT_TYPES)
def test_every_export_type_of_the_ready_shape_has_records_with_times_in_milliseconds(export_type: str) -> None:
    found = records(shapes.read("rest-objects"), export_type, period=Period.LAST_WEEK)
    assert found
    for record in found:
        stamps = {name: value for name, value in record.items() if name.endswith(("Time", "Date", "stamp", "Created"))}
        assert all(isinstance(value, int) for value in stamps.values()), stamps


def test_entities_of_the_ready_shape_keep_their_names_and_change_their_counters() -> None:
    shape = shapes.read("rest-objects")
    for export_type, key in (("LISTS", "id"), ("CAMPAIGNS", "campaignId")):
        first, second = (records(shape, export_type, NOW + timedelta(days=days)) for days in (0, 1))
        assert [record[key] for record in first] == [record[key] for record in second]
        assert first != second
    assert first[0]["statDtos"]["sent"] < second[0]["statDtos"]["sent"]


# Over HTTP


def served(base_url: str, export_type: str, token: str) -> list[dict[str, Any]]:
    """The records of an export of the last day, as newline-delimited JSON."""
    headers = {"X-Carma-Authentication-Token": token}
    with urllib3.PoolManager(retries=False, timeout=60) as http:
        base = f"{base_url}/1234/batches"
        order = {"exportType": export_type, "period": "LAST_DAY"}
        batch = http.request("POST", f"{base}/exports/statistics", json=order, headers=headers).json()["batchId"]
        while http.request("GET", f"{base}/{batch}", headers=headers).json()["status"].strip() != "FINISHED":
            pass
        link = http.request("GET", f"{base}/{batch}/result/url", headers=headers).data.decode()
        return [json.loads(line) for line in http.request("GET", link).data.splitlines()]


@pytest.mark.enable_socket
def test_a_result_is_served_in_the_shape() -> None:
    shape = shapes.read("rest-objects")
    options = Options(shape=shape, container="ndjson", events_per_day=500)
    with StandIn(options, ManualClock(NOW)) as standin:
        found = served(standin.base_url, "MESSAGES", options.token)

    assert found == records(shape, "MESSAGES", period=Period.LAST_DAY)


@pytest.mark.enable_socket
def test_the_stand_in_of_the_local_cloud_takes_a_shape(tmp_path: Path) -> None:
    path = tmp_path / "shape.json"
    path.write_text('{"container": "ndjson", "exports": {"PROJECTS": {"fields": {"guid": "projectId"}}}}')
    chosen, token = vendor.start_standin(tmp_path, None, 10, shape=str(path))
    try:
        assert {"guid", "projectName"} <= set(served(chosen.base_url, "PROJECTS", token)[0])
    finally:
        assert chosen.process is not None
        chosen.process.stop()
