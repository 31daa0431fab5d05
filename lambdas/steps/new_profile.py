"""What decides the profile of a new table: its export, earlier ones that left it undecided, and the settings."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from lambdas.lake.errors import Unloadable
from lambdas.lake.formats.splitting import pieces
from lambdas.lake.parsing import parse
from lambdas.lake.profile.evidence import Scope
from lambdas.lake.profile.inference import Inference
from lambdas.lake.profile.sample import Sample, sample_of
from lambdas.lake.profile.window import Window
from lambdas.lake.storage.landing import Manifest
from lambdas.lake.storage.raw_object import RawObject, unpacked
from lambdas.settings import Settings
from lambdas.steps.table_checks import chosen_for, window_of
from lambdas.vocabulary import ExportType, Nature, export_type

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def inference(
    export: ExportType,
    settings: Settings,
    manifest: Manifest,
    others: Sequence[Manifest],
    earlier: Sequence[tuple[Sample, Window | None]] = (),
) -> Inference:
    """What decides the profile of a new table: the batch's own records, those of earlier ones, and the settings."""
    chosen = chosen_for(export, settings)
    windows = [window for one in (manifest, *others) if (window := window_of(one)) is not None]
    window = Window(min(one.start for one in windows), max(one.end for one in windows)) if windows else None
    paths = frozenset((*chosen.event_time, *chosen.identity))
    zone = settings.timestamp_time_zone or settings.time_zone
    scope = Scope(zone, window, paths, may_have_key=export.nature is not Nature.EVENTS)
    return Inference(export, chosen, scope, window_of(manifest), earlier)


def sample(s3: "S3Client", bucket: str, manifest: Manifest, most: int = parse.SAMPLE_RECORDS) -> Sample:
    """A sample of a landed batch; an empty one where the file cannot be read."""
    with suppress(Unloadable):
        raw = RawObject(s3, bucket, manifest)
        split = pieces(unpacked(raw.read()), export_type(manifest.export_type))
        return sample_of(parse.first_records(split, most))
    return Sample(())


def samples(s3: "S3Client", bucket: str, batches: Sequence[Manifest]) -> list[tuple[Sample, Window | None]]:
    """Samples of the landed batches that can be read, with the windows of their orders, the oldest first."""
    ordered = sorted(batches, key=lambda one: one.age)
    return [(found, window_of(one)) for one in ordered if (found := sample(s3, bucket, one)).records]
