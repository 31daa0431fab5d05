"""The steps with executions: a copy in several calls, an empty export, a moved partition."""

from datetime import UTC, datetime
from typing import Any

from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import Landing, Manifest
from local.problem import Problem
from local.smoke.trial import Ended, NotShown, Trial

# No export of Symplify's is that old, so a replay of that day merges what lies there by hand alone.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def copy_in_several_calls(trial: Trial) -> str:
    """Copy a result by calls that leave the upload open, and one that completes it from S3's list of its parts."""
    ended = trial.run(period=trial.period.value, partBytes=trial.part_bytes)
    trial.first = ended
    size, calls = ended.output.get("bytes") or 0, ended.partial_copies + 1
    if not ended.partial_copies:
        raise NotShown(
            f"The result of {size:,} bytes was copied in one call: an earlier run had landed it, it is empty, or the "
            "file host serves no ranges. Run it again, or with another --export or --period."
        )
    return f"{size:,} bytes in {calls} calls, parts of {trial.part_bytes:,} bytes"


def empty_export(trial: Trial) -> str:
    """Land a result without bytes by the copy's own code, as of a day long ago, and have it replayed."""
    s3, bucket = trial.deployed.client("s3"), trial.output("Bucket")
    ordered_at = _LONG_AGO.isoformat(timespec="microseconds")
    key = keys.raw(trial.export, ordered_at, trial.name)
    folder = key.manifest.removesuffix(keys.MANIFEST)
    trial.undo.later(f"s3://{bucket}/{folder}", lambda: _delete(s3, bucket, folder))
    landing = Landing(s3, bucket)
    landed = landing.store(key.result, iter(()))
    landing.write_manifest(
        Manifest(
            export_type=trial.export.name,
            batch_id=trial.name,
            ordered_at=ordered_at,
            period=trial.period.value,
            run=trial.name,
            key=key.result,
            bytes=landed.bytes,
            crc32=landed.crc32,
        )
    )
    day = ordered_at[:10]
    ended = trial.run(replay={"from": day, "to": day})
    if (ended.output.get("rows"), landed.bytes) != (0, 0):
        raise Problem(f"An empty result was loaded as {ended.output.get('rows')} rows of {landed.bytes} bytes.")
    return "S3 keeps a result without bytes, and its load adds no row"


def moved_partition(trial: Trial) -> str:
    """Export the same again, which moves each of its days, and count a day in Athena before and after."""
    day = _fullest(trial.first)
    location, before = _location(trial, day), _rows(trial, day)
    again = trial.run(period=trial.period.value)
    if day not in again.days:
        raise NotShown(f"The second export had no row of {day}, so nothing moved. Run it again.")
    moved_to, after = _location(trial, day), _rows(trial, day)
    if moved_to == location:
        raise Problem(f"The partition dt={day} still points to {location} after a run that rewrote it.")
    expected = sum(before.values()) + again.days[day]["new"]
    if sum(after.values()) != expected or again.output["batchId"] not in after:
        raise Problem(
            f"Athena counts {sum(after.values())} rows of {day} in batches {', '.join(sorted(after))}, and {expected} "
            f"with batch {again.output['batchId']} among them were published."
        )
    return f"{sum(before.values()):,} rows of {day} before, {sum(after.values()):,} after, none twice"


def _fullest(first: Ended | None) -> str:
    """The day with most rows."""
    if first is None:
        raise NotShown("There is nothing to look at, since the first step failed.")
    if not first.days:
        raise NotShown("The export had no rows. Run it again with another --export or --period.")
    return max(first.days, key=lambda day: first.days[day]["read"])


def _location(trial: Trial, day: str) -> str:
    asked = {"DatabaseName": trial.output("Database"), "TableName": trial.export.table, "PartitionValues": [day]}
    found = trial.deployed.client("glue").get_partition(**asked)["Partition"]
    return str(found["StorageDescriptor"]["Location"])


def _rows(trial: Trial, day: str) -> dict[str, int]:
    """The rows of a day as Athena counts them, by the batch in which they were last seen."""
    sql = f"SELECT _batch_id AS batch, count(*) AS n FROM {trial.export.table} WHERE dt = '{day}' GROUP BY _batch_id"  # noqa: S608 - names of ours
    return {row["batch"]: row["n"] for row in trial.query(sql)}


def _delete(s3: Any, bucket: str, prefix: str) -> None:
    """Delete all versions of what lies there."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
