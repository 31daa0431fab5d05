"""What a profile assumes, and the settings that would change it, as sentences."""

from collections.abc import Iterator

from lambdas.lake.profile.decide import usable_times
from lambdas.vocabulary import Nature
from local.profiling.reading import Reading

_SHOWN = 6


def of(reading: Reading) -> list[str]:
    """The notes on a file."""
    return [*_of_records(reading), *_of_times(reading), *_of_identity(reading)]


def _of_records(reading: Reading) -> Iterator[str]:
    staged = reading.staged
    if staged is None:
        return
    if not staged.rows and not staged.rejected:
        yield "It has no records: a quiet day, or a download that failed. It changes no table."
    if staged.rejected:
        yield (
            f"{staged.rejected} of {staged.rejected + staged.rows} records are no JSON objects and would be put into "
            "quarantine; the settings quarantineRatio and quarantineMinimum say how many may be."
        )
    files = [file for files in staged.sorted_files.values() for file in files]
    rescued = sum(file.rescued for file in files)
    if rescued:
        yield (
            f"{rescued} records have a value that does not fit its column, or more fields than a table takes; it is "
            "whole in _rescued."
        )


def _of_times(reading: Reading) -> Iterator[str]:
    profile, staged, evidence = reading.profile, reading.staged, reading.evidence
    if evidence is None or staged is None or not staged.rows:
        return
    if profile is not None and profile.has_days:
        zones = {one.field: one.time_zone for one in profile.event_time}
        without = {time.field: time.without_offset for time in evidence.times if time.field in zones and time.parsed}
        for field, count in without.items():
            if count:
                yield (
                    f"{count} times in {field} name no offset and are taken for {zones[field]}: an assumption. The "
                    "setting timestampTimeZone says another zone, and first-contact with --period TODAY can tell it."
                )
        unknown = staged.unknown_times
        if unknown:
            yield f"{unknown} records have no usable time and would stand in dt=unknown; see unknownTimeRatio."
        others = [time.field for time in usable_times(reading.export, evidence) if time.field not in zones]
        if others:
            yield (
                f"{', '.join(dict.fromkeys(others[:_SHOWN]))} could be the time as well: names, and how many differ, "
                "decided against it, and the next export may say otherwise. The setting eventTime chooses."
            )
    if reading.scope.window is None and reading.export.nature is not Nature.ENTITIES:
        yield (
            "When the file was ordered is not known, so its times are not compared with the span that was ordered; "
            "--ordered-at and --period say it."
        )


def _of_identity(reading: Reading) -> Iterator[str]:
    profile = reading.profile
    if profile is None or reading.staged is None or not reading.staged.rows:
        return
    if reading.is_reprofiled:
        yield (
            "What the fields of the files before it were taken for is contradicted where it and they cover the same "
            "time. All of them agree on what is shown here, and the load makes the table again."
        )
    if not profile.identity:
        yield (
            "No field says who or what: the time with all fields identifies a record, so a value that changes later "
            "makes another row. The setting identityFields names fields."
        )
