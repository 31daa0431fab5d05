"""What tells a record from others: of events who, what and the instant; of entities their key."""

from typing import Any

import pytest

from lambdas.lake.profile.profile import Profile
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.in_process_lake import InProcessLake, Record, age, array, bag
from tests.unit.lake.opens import BASE, opened

pytestmark = pytest.mark.no_cover


def profile(lake: InProcessLake, export: str = "OPENS") -> Profile:
    table = lake.catalog.table(EXPORT_TYPES[export])
    assert table is not None
    return table.profile


def configured(*fields: str, export: str = "OPENS") -> dict[str, Any]:
    return {"identity_fields": {export: fields}}


# Events


def test_an_event_is_identified_by_who_what_and_the_instant_never_by_its_own_id(lake: InProcessLake) -> None:
    first = [opened(n, f"2024-03-01T1{n}:00:00Z", contactId="a", messageId=7) for n in range(3)]
    renumbered = [{**record, "eventId": n + 100} for n, record in enumerate(first)]
    lake.load(array(first), at=age(1))
    lake.load(array(renumbered), at=age(2))
    assert profile(lake).identity == ("contactId", "messageId")
    assert bag(lake.records()) == bag(renumbered)


def test_events_with_the_same_own_id_stay_apart(lake: InProcessLake) -> None:
    records = [opened(1, contactId="a"), opened(1, contactId="b"), opened(1, "2024-03-02T10:00:00Z", contactId="a")]
    lake.load(array(records))
    assert bag(lake.records()) == bag(records)


@pytest.mark.parametrize("other", [{"contactId": "b"}, {"messageId": 8}, {"timestamp": "2024-03-01T10:00:01Z"}])
def test_events_that_differ_in_who_what_or_instant_are_two(lake: InProcessLake, other: Record) -> None:
    event = opened(1, contactId="a", messageId=7)
    lake.load(array([event]), at=age(1))
    lake.load(array([{**event, **other}]), at=age(2))
    assert len(lake.rows()) == 2


def test_a_changed_field_of_no_role_is_an_update(lake: InProcessLake) -> None:
    for number, name in ((1, "old"), (2, "new")):
        lake.load(array([opened(1, contactId="a", messageId=7, campaignId=3, name=name)]), at=age(number))
    assert [row["name"] for row in lake.rows()] == ["new"]


def test_repeats_in_one_export_count_and_in_the_next_do_not_add_up(lake: InProcessLake) -> None:
    events = [opened(n, contactId="a", messageId=7) for n in range(3)]
    for number, some in enumerate([events[:2], events[:1], events, events[:2]]):
        lake.load(array(some), at=age(number))
    assert bag(lake.records()) == bag(events)


def test_ids_compare_as_text(lake: InProcessLake) -> None:
    lake.load(array([opened(1, contactId=17, messageId="7")]), at=age(1))
    lake.load(array([opened(1, contactId="17", messageId=7)]), at=age(2))
    (row,) = lake.rows()
    assert (row["contact_id"], row["message_id"], row["_rescued"]) == ("17", "7", None)
    assert {lake.columns()[name] for name in ("contact_id", "message_id")} == {"string"}


def test_an_event_of_nobody_is_told_from_that_of_somebody(lake: InProcessLake) -> None:
    lake.load(array([opened(1, contactId="a"), opened(2, contactId=None)]), at=age(1))
    lake.load(array([opened(2, contactId="")]), at=age(2))
    assert len(lake.rows()) == 3


def test_the_identity_is_frozen_with_the_first_export(lake: InProcessLake) -> None:
    first = {"contactId": "a"} | BASE
    lake.load(array([first]), at=age(1))
    lake.load(array([first | {"campaignId": 1}, first | {"campaignId": 2, "eventId": 5}]), at=age(2))
    lake.load(array([BASE]), at=age(3))
    assert profile(lake).identity == ("contactId",)
    assert len(lake.rows()) == 3


def test_an_event_that_says_neither_who_nor_what_is_identified_by_all_fields(lake: InProcessLake) -> None:
    records = [{"size": size} | BASE for size in (1, 1, 2)]
    for number in (1, 2):
        lake.load(array(records), at=age(number))
    assert profile(lake).identity == ()
    assert bag(lake.records()) == bag(records)
    lake.load(array([{"size": 1, "late": True} | BASE]), at=age(3))
    assert len(lake.rows()) == 4


def test_events_without_a_usable_time_are_identified_by_all_fields(lake: InProcessLake) -> None:
    untimed = [opened(n, "soon", contactId="a", messageId=7) for n in range(3)]
    for number in (1, 2):
        lake.load(array([opened(9, contactId="a", messageId=7), *untimed]), at=age(number))
    assert bag(record for record in lake.records() if record["timestamp"] == "soon") == bag(untimed)
    assert len({row["_row_id"] for row in lake.rows() if row["dt"] == "unknown"}) == 3


def test_a_field_that_says_who_may_lie_inside_an_object(lake: InProcessLake) -> None:
    records = [{"contact": {"id": n, "name": "x"}} | BASE for n in range(3)]
    for number in (1, 2):
        lake.load(array(records), at=age(number))
    assert profile(lake).identity == ("contact.id",)
    renamed = [{"contact": {"name": "y", "id": str(n)}} | BASE for n in range(3)]
    lake.load(array(renamed), at=age(3))
    assert bag(lake.records()) == bag(renamed)


# Entities


@pytest.mark.parametrize("key", ["listId", "list_id", "ListID", "id", "ID", "uuid", "_key"])
def test_an_entity_has_one_row_for_each_value_of_its_key_the_newest(lake: InProcessLake, key: str) -> None:
    for number in (1, 2):
        records = [{"name": f"n{number}", key: value, "changed": number} for value in (1, 2)]
        lake.load(array(records), "LISTS", age(number))
    assert profile(lake, "LISTS").identity == (key,)
    assert bag(lake.records("LISTS")) == bag({**record, key: str(record[key])} for record in records)


def test_an_entitys_own_id_comes_before_ids_of_other_things(lake: InProcessLake) -> None:
    records = [{"projectId": n, "customerId": 4711, "id": n, "listId": n} for n in range(3)]
    lake.load(array(records), "LISTS")
    assert profile(lake, "LISTS").identity == ("listId",)


def test_what_all_entities_share_is_no_key(lake: InProcessLake) -> None:
    state = lake.load(array([{"customerId": 4711, "name": name} for name in "ab"]), "LISTS")
    assert state.outcome == "undecided"
    assert "identityFields" in str(state.reason)
    assert "customerId, name" in str(state.reason)
    assert lake.definition("LISTS") is None


@pytest.mark.parametrize("spoilt", [{"name": "x"}, {"listId": None}, {"listId": 5, "name": "x"}])
def test_a_key_is_in_every_record_and_unique(lake: InProcessLake, spoilt: Record) -> None:
    """The sample of 500 records would take it for a key; the whole export does not."""
    records = [{"listId": n, "name": "a"} for n in range(1200)]
    assert lake.load(array([*records, spoilt]), "LISTS").outcome == "undecided"
    assert lake.load(array(records), "LISTS").outcome == "loaded"


def test_a_repeated_entity_with_equal_content_is_one_row(lake: InProcessLake) -> None:
    record = {"listId": 1, "name": "a"}
    assert lake.load(array([record, record, {"listId": 2}]), "LISTS").outcome == "loaded"
    assert len(lake.rows("LISTS")) == 2


def test_a_key_that_a_later_export_repeats_with_other_content_fails_and_publishes_nothing(lake: InProcessLake) -> None:
    records = [{"listId": n, "name": "a"} for n in (1, 2)]
    lake.load(array(records), "LISTS", age(1))
    state = lake.load(array([*records, {"listId": 1, "name": "b"}]), "LISTS", age(2))
    assert state.outcome == "failed"
    assert "listId is no key of LISTS: 1 of its values" in str(state.reason)
    assert "identityFields" in str(state.reason)
    assert bag(lake.records("LISTS")) == bag({**record, "listId": str(record["listId"])} for record in records)


def test_entities_that_lack_their_key_later_are_identified_by_all_fields(lake: InProcessLake) -> None:
    lake.load(array([{"listId": 1, "name": "a"}]), "LISTS", age(1))
    keyless = [{"name": name} for name in "ab"]
    for number in (2, 3):
        assert lake.load(array(keyless), "LISTS", age(number)).outcome == "loaded"
    assert bag(lake.records("LISTS")) == bag([{"listId": "1", "name": "a"}, *keyless])


# The setting


def test_the_setting_decides_the_identity(lake: InProcessLake) -> None:
    records = [opened(1, contactId="a"), opened(2, contactId="a"), opened(2, contactId="b")]
    for number in (1, 2):
        assert lake.load(array(records), at=age(number), **configured("eventId")).outcome == "loaded"
    assert profile(lake).identity == ("eventId",)
    assert len(lake.rows()) == 3
    lake.load(array([opened(1, contactId="c")]), at=age(3), **configured("eventId"))
    assert {row["contact_id"] for row in lake.rows()} == {"c", "a", "b"}


def test_several_chosen_fields_make_the_key_of_an_entity(lake: InProcessLake) -> None:
    records = [{"group": group, "name": name, "size": 1} for group in "ab" for name in "xy"]
    chosen = configured("group", "name", export="LISTS")
    for number in (1, 2):
        state = lake.load(array(records), "LISTS", age(number), **chosen)
        assert state.outcome == "loaded", state.reason
    assert bag(lake.records("LISTS")) == bag(records)


def test_a_chosen_field_may_be_in_a_late_record_only(lake: InProcessLake) -> None:
    records = [opened(n) for n in range(1100)] + [opened(5, late={"id": "x"})]
    for number in (1, 2):
        state = lake.load(array(records), at=age(number), **configured("contactId", "late.id"))
        assert state.outcome == "loaded", state.reason
    assert profile(lake).identity == ("contactId", "late.id")
    assert bag(lake.records()) == bag(records)


def test_a_chosen_field_that_no_record_has_is_refused_by_name(lake: InProcessLake) -> None:
    state = lake.load(array([opened(1, contactId="a")]), **configured("contactID"))
    assert state.outcome == "undecided"
    assert "No record of this export has contactID, which the setting identityFields names" in str(state.reason)
    assert "eventId, contactId, timestamp" in str(state.reason)
    assert lake.definition() is None


def test_other_identity_fields_for_an_existing_table_are_refused_and_point_to_the_rebuild(lake: InProcessLake) -> None:
    lake.load(array([opened(1, contactId="a")]), at=age(1))
    before = lake.rows()
    state = lake.load(array([opened(2, contactId="a")]), at=age(2), **configured("eventId"))
    assert state.outcome == "failed"
    assert "identifies its rows by contactId" in str(state.reason)
    assert "replay --rebuild --reprofile" in str(state.reason)
    assert lake.rows() == before


@pytest.mark.parametrize("batches", [1, 2])
def test_a_rebuild_that_keeps_the_profile_refuses_other_identity_fields(lake: InProcessLake, batches: int) -> None:
    for number in range(batches):
        lake.load(array([opened(1, contactId="a")]), at=age(number))
    state = lake.replay({"rebuild": True}, **configured("eventId"))
    assert state.outcome == "failed"
    assert "--reprofile" in str(state.reason)
    assert lake.replay({"rebuild": True, "reprofile": True}, **configured("eventId")).outcome == "loaded"
    assert profile(lake).identity == ("eventId",)


def test_a_field_named_like_a_path_into_an_object_makes_no_column_and_moves_no_identity(lake: InProcessLake) -> None:
    def nested(number: int) -> dict[str, Any]:
        return {"a": {"contactId": number}, "timestamp": "2024-03-01T10:00:00Z"}

    chosen: dict[str, Any] = {"identity_fields": {"OPENS": ("a.contactId",)}}
    assert lake.load(array([nested(1), nested(2)]), at=age(1), **chosen).outcome == "loaded"
    dotted = {"a.contactId": 0, "timestamp": "2024-03-01T10:00:01Z"}
    state = lake.load(array([nested(1), nested(2), dotted]), at=age(2), **chosen)
    assert state.outcome == "loaded", state.reason
    assert len(lake.rows()) == 3
    assert [row["_rescued"] for row in lake.rows() if row["_rescued"]] == ['{"a.contactId":0}']
