"""The merge law: a table equals the reference model of the set of exports, in whatever order they are loaded."""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.column_types import snake_case
from lambdas.lake.profile import audit
from lambdas.lake.rows import time_ranges
from lambdas.vocabulary import EXPORT_TYPES, ExportType
from tests.unit.aws.in_process import in_process_aws
from tests.unit.lake.in_process_lake import Age, Record, age, array, bag, lines, new_lake
from tests.unit.lake.properties import examples

pytestmark = pytest.mark.no_cover

Exports = list[tuple[Age, list[dict[str, Any]]]]
OLDEST = ("", "")


class Reference:
    """The reference model: the rule of the merge as it is written down, for an identity that is given."""

    def __init__(self, export: ExportType, first: list[dict[str, Any]]) -> None:
        """The identity is decided once, by the first export that is not empty: who and what, where it has them."""
        self.export = export
        has = {name for record in first for name, value in record.items() if value is not None}
        known = ("contactId", "linkTarget") if export.name == "CLICKS" else ("contactId", "campaignId")
        self.fields = [name for name in known if name in has] if export.is_event else ["listId"]

    def instant(self, record: Record) -> str | None:
        moment = _moment(record.get("timestamp"))
        return None if moment is None else moment.isoformat()

    def identity(self, record: Record) -> Any:
        fields = self.fields
        if not fields or (self.export.is_event and self.instant(record) is None) or not has_any(record, fields, self):
            fields = sorted(name for name, value in record.items() if value is not None)
        values = [(name, component(record.get(name))) for name in fields]
        return (*values, self.instant(record) if self.export.is_event else "")

    def table(self, exports: Iterable[tuple[Age, list[dict[str, Any]]]]) -> list[tuple[Age, dict[str, Any]]]:
        best: dict[Any, tuple[int, Any, list[dict[str, Any]]]] = {}
        for age, records in exports:  # noqa: F402 - the rule's own words
            groups = defaultdict(list)
            for r in records:
                groups[self.identity(r)].append(r)
            for i, rows in groups.items():
                # A key that holds twice with equal content is one row.
                held = rows if self.export.is_event else rows[:1]
                best[i] = max(best.get(i, (0, None, [])), (len(held), age, held), key=lambda b: (b[0], b[1] or OLDEST))
        return [(age, r) for _, age, rows in best.values() for r in rows]


def has_any(record: Record, fields: list[str], model: Reference) -> bool:
    """Whether a record has a part of its key; an event needs none."""
    return model.export.is_event or any(record.get(name) is not None for name in fields)


def component(value: Any) -> Any:
    """A value of an identity: as its text; a string is one, and 1.0 is like 1."""
    return value if isinstance(value, str) or value is None else json.dumps(plain_number(value), separators=(",", ":"))


def plain_number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _moment(value: Any) -> datetime | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000, UTC) if 10**11 <= value < 10**13 else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


START = datetime(2024, 3, 30, 21, 30, tzinfo=UTC)
offsets = st.sampled_from([timezone.utc, timezone(timedelta(hours=2)), timezone(timedelta(hours=-4, minutes=-30))])  # noqa: UP017


@st.composite
def event_times(draw: st.DrawFn) -> Any:
    """Few instants over three days, each in several notations, and invalid times."""
    moment = (START + timedelta(hours=draw(st.integers(0, 3)) * 11)).astimezone(draw(offsets))
    shape = draw(st.integers(0, 9))
    if shape == 0:
        return draw(st.sampled_from(["yesterday", None, 5, [], 2.5]))
    if shape == 1:
        return int(moment.timestamp() * 1000)
    return moment.isoformat(timespec="milliseconds" if shape > 4 else "seconds")


drifting = st.none() | st.integers(0, 2) | st.sampled_from(["x", "1", "", 0.5, 1.0, True, [1], {"a": [1, None]}, 2**70])


@st.composite
def events(draw: st.DrawFn, with_ids: bool) -> dict[str, Any]:
    record: dict[str, Any] = {"timestamp": draw(event_times())}
    if with_ids and draw(st.booleans()):
        record["contactId"] = draw(st.sampled_from(["a", "b", "A", "é|", None, 7]))
    if with_ids and draw(st.booleans()):
        record["campaignId"] = draw(st.integers(0, 1))
    if draw(st.booleans()):
        record["eventId"] = draw(st.integers(0, 4))
    return record | draw(st.dictionaries(st.sampled_from(["name", "size", "Size", "dt"]), drifting, max_size=2))


entities = st.fixed_dictionaries(
    {"listId": st.integers(0, 5) | st.just("1")}, optional={"name": drifting, "size": drifting, "active": st.booleans()}
)


# Decides the identity, whichever export is the first.
ANCHOR = {"contactId": "anchor", "campaignId": 9, "timestamp": START.isoformat()}


@st.composite
def loads(
    draw: st.DrawFn,
    records: st.SearchStrategy[dict[str, Any]],
    key: str | None = None,
    anchor: Mapping[str, Any] | None = None,
) -> tuple[Exports, list[int]]:
    """Overlapping exports of one set of records, and the order in which they are loaded, some twice."""
    universe = draw(st.lists(records, min_size=1, max_size=10))
    exports: Exports = []
    for number in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(universe) - 1))
        window = [dict(r) for r in universe[start : start + draw(st.integers(0, 6))]]
        window += draw(st.lists(st.sampled_from(window), max_size=2)) if window else []
        for record in window:
            if draw(st.integers(0, 3)) == 0:
                record["name"] = draw(drifting)
        at = age(draw(st.integers(0, 2)), f"{number}" if draw(st.booleans()) else f"1{number}")
        window += [dict(anchor)] if anchor and window else []
        exports.append((at, _with_unique_key(window, key)))
    order = draw(st.permutations(range(len(exports))))
    return exports, [*order, *draw(st.lists(st.sampled_from(order), max_size=2))]


def _with_unique_key(records: list[dict[str, Any]], key: str | None) -> list[dict[str, Any]]:
    """The records, where all with one key have the content of the first."""
    first: dict[Any, dict[str, Any]] = {}
    kept = []
    for record in records:
        value = str(record.get(key)) if key and record.get(key) is not None else None
        kept.append(record if value is None else first.setdefault(value, record))
    return kept


@pytest.fixture(scope="module")
def small_ranges() -> Iterator[None]:
    """The AWS fake, and days split into as many time ranges as they have instants."""
    with in_process_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_ranges, "_ROWS", 1)
        # Records drawn at random contradict each other, which the audit would refuse.
        patch.setattr(audit, "REPLACED_LEAST", 1000)
        patch.setattr(audit, "CHANGED_SHARE", 1000)
        yield


def check(export: str, exports: Exports, order: list[int], zone: str = "UTC") -> None:
    """Load the exports in that order, and compare the table with the model's of them in theirs."""
    lake = new_lake(time_zone=zone)
    kind = EXPORT_TYPES[export]
    try:
        for number, index in enumerate(order):
            at, records = exports[index]
            content = array(records) if number % 2 else lines(records)
            state = lake.load(content, export, at)
            assert state.outcome == "loaded", state.reason
        first = next((exports[index][1] for index in order if exports[index][1]), None)
        if first is None:
            assert lake.definition(export) is None
            return
        model = Reference(kind, first)
        expected = model.table(exports)
        definition = lake.definition(export)
        assert definition is not None
        assert bag(lake.records(export)) == bag(record for _, record in expected)
        rows = lake.rows(export)
        lineage = sorted((row["_ordered_at"].replace(tzinfo=UTC), row["_batch_id"]) for row in rows)
        assert lineage == sorted((datetime.fromisoformat(at), batch) for (at, batch), _ in expected)
        columns = ["_row_id", "_event_at", *map(snake_case, model.fields)]
        identities = {tuple(row.get(column) for column in columns) for row in rows}
        assert len(identities) == len({model.identity(record) for _, record in expected})
        if kind.is_event:
            instants = [model.instant(record) for _, record in expected]
            days = [
                str(datetime.fromisoformat(i).astimezone(ZoneInfo(zone)).date()) if i else "unknown" for i in instants
            ]
            assert sorted(row["dt"] for row in rows) == sorted(days)
    finally:
        shutil.rmtree(lake.work, ignore_errors=True)


@examples(6)
@given(
    loads(events(with_ids=True), anchor=ANCHOR),
    st.sampled_from(["UTC", "Europe/Stockholm", "America/New_York"]),
)
def test_events_that_say_who_and_what_match_the_model(
    small_ranges: None, loaded: tuple[Exports, list[int]], zone: str
) -> None:
    check("OPENS", *loaded, zone)


@examples(6)
@given(loads(events(with_ids=False), anchor={"timestamp": START.isoformat()}))
def test_events_without_ids_match_the_model(small_ranges: None, loaded: tuple[Exports, list[int]]) -> None:
    check("OPENS", *loaded)


@examples(6)
@given(loads(entities, "listId"))
def test_entities_match_the_model(small_ranges: None, loaded: tuple[Exports, list[int]]) -> None:
    check("LISTS", *loaded)


def test_two_equal_clicks_in_one_export_stay_two_across_overlaps(small_ranges: None) -> None:
    click = {"contactId": "a", "linkTarget": "https://a", "timestamp": "2024-03-01T10:00:00Z"}
    exports = [(age(1), [click, click]), (age(2), [click]), (age(3), [click, click])]
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2, 1]):
        check("CLICKS", exports, order)
