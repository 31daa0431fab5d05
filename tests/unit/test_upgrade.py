"""Items of an earlier version are read; those of a newer one are refused with a sentence.

The fixtures are what each version wrote. They are never changed; a new version adds its own.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import SCHEMA_VERSION as MANIFEST_VERSION
from lambdas.lake.storage.landing import Landing
from lambdas.ledger.items import SCHEMA_VERSION as LEDGER_VERSION
from lambdas.ledger.ledger import Ledger
from lambdas.schema_version import WrittenByNewer
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import BUCKET, make_run

FIXTURES = Path(__file__).parents[1] / "fixtures"
OPENS = EXPORT_TYPES["OPENS"]
ORDERED_AT = "2026-11-24T03:31:00.000000+00:00"


@pytest.fixture
def old_table(table: Any) -> Any:
    """A ledger as version 1 left it."""
    for item in json.loads((FIXTURES / "ledger-1.json").read_text()):
        table.put_item(Item=item)
    return table


def test_the_ledger_of_version_1_is_read(old_table: Any) -> None:
    ledger = Ledger(old_table, OPENS)
    run = make_run()
    lease, watermark = ledger.lease(), ledger.watermark()
    assert lease is not None
    assert lease.owner == run.arn
    assert watermark == datetime(2026, 11, 23, 3, 31, tzinfo=UTC)
    assert ledger.order(run).batch_id == "7"
    (left,) = ledger.unloaded_batches()
    assert (left.batch_id, left.status, left.ordered_at) == ("7", "copied", ORDERED_AT)
    (record,) = Ledger(old_table, OPENS).runs(datetime(2026, 11, 1, tzinfo=UTC))
    assert record["outcome"] == "succeeded"


def put_manifest(text: str) -> Any:
    s3 = boto3.client("s3")
    s3.put_object(Bucket=BUCKET, Key=keys.raw(OPENS, ORDERED_AT, "7").manifest, Body=text.encode())
    return s3


def test_a_manifest_of_version_1_is_read(s3: Any) -> None:
    put_manifest((FIXTURES / "manifest-1.json").read_text())
    manifest = Landing(s3, BUCKET).manifest(OPENS, ORDERED_AT, "7")
    assert manifest is not None
    assert (manifest.bytes, manifest.key, manifest.schema_version) == (2, "raw/opens/2026-11-24/7/result", 1)


@pytest.mark.parametrize("sk", ["lease", "order#20261124T033000-run-a", "batch#7", "watermark"])
def test_an_item_of_a_newer_version_is_refused(old_table: Any, sk: str) -> None:
    old_table.update_item(
        Key={"pk": "OPENS", "sk": sk},
        UpdateExpression="SET schema_version = :newer",
        ExpressionAttributeValues={":newer": LEDGER_VERSION + 1},
    )
    ledger = Ledger(old_table, OPENS)
    with pytest.raises(WrittenByNewer, match="newer version of this stack"):
        _ = (ledger.lease(), ledger.watermark(), ledger.order(make_run()), ledger.unloaded_batches())


def test_a_run_record_of_a_newer_version_is_refused(old_table: Any) -> None:
    old_table.put_item(Item={"pk": "OPENS", "sk": "run#20261124T040000-x", "schema_version": LEDGER_VERSION + 1})
    with pytest.raises(WrittenByNewer):
        Ledger(old_table, OPENS).runs(datetime(2026, 11, 1, tzinfo=UTC))


def test_a_manifest_of_a_newer_version_is_refused_also_with_unknown_fields(s3: Any) -> None:
    newer = json.loads((FIXTURES / "manifest-1.json").read_text()) | {"schema_version": MANIFEST_VERSION + 1, "more": 1}
    put_manifest(json.dumps(newer))
    with pytest.raises(WrittenByNewer, match=r"manifest\.json was written by a newer version"):
        Landing(s3, BUCKET).manifest(OPENS, ORDERED_AT, "7")
