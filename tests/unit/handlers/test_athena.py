"""Athena's answers, from where it puts them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.handlers import athena, clients
from lambdas.lake.storage.store import Store
from tests.unit.fakes import BUCKET, make_settings


class Athena:
    """Athena, which takes every query and is told what it writes."""

    def __init__(self, s3: Any, key: str, content: bytes) -> None:
        self._s3, self._key, self._content = s3, key, content
        self.asked: dict[str, Any] = {}

    def start_query_execution(self, **given: Any) -> dict[str, str]:
        self.asked = given
        self._s3.put_object(Bucket=BUCKET, Key=f"athena-results/{self._key}.metadata", Body=b"")
        self._s3.put_object(Bucket=BUCKET, Key=f"athena-results/{self._key}", Body=self._content)
        return {"QueryExecutionId": "q"}


@pytest.fixture(autouse=True)
def deployment(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    monkeypatch.setattr(clients, "settings", make_settings)
    monkeypatch.setattr(clients, "store", lambda: Store(s3, BUCKET))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


@pytest.mark.parametrize("key", ["q.csv", "q.csv/q.csv"])
def test_rows_are_read_from_the_result_with_nulls_as_none(monkeypatch: pytest.MonkeyPatch, s3: Any, key: str) -> None:
    made = Athena(s3, key, b'"week","sent"\n"week","7"\n"week_before",\n')
    monkeypatch.setattr(clients, "athena", lambda: made)
    assert athena.ask("SELECT 1") == [{"week": "week", "sent": "7"}, {"week": "week_before", "sent": None}]
    settings = make_settings()
    assert made.asked == {
        "QueryString": "SELECT 1",
        "WorkGroup": settings.stack_name,
        "QueryExecutionContext": {"Database": settings.database},
    }


def test_a_query_without_a_result_is_not_answered(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    monkeypatch.setattr(clients, "athena", lambda: Athena(s3, "other.csv", b""))
    with pytest.raises(athena.NotAnswered, match=r"no athena-results/q\.csv within 120 seconds"):
        athena.ask("SELECT 1")


def test_a_refused_query_is_not_answered_with_athenas_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def start_query_execution(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "InvalidRequestException", "Message": "No."}}, "StartQueryExecution")

    monkeypatch.setattr(clients, "athena", Refusing)
    with pytest.raises(athena.NotAnswered, match=r"Athena refused the query: .*No"):
        athena.ask("SELECT 1")
