"""The targets, and the verdict on each from the measured numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.events import SHAPES
from benchmarks.parts.idle import COLD, WARM
from benchmarks.parts.load import ARROW, DICTS, OURS, PANDAS
from benchmarks.shapes import ALL_ODD, FLAT

Lines = Sequence[Mapping[str, Any]]

MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"

# Files come out a percent or two smaller than asked for.
_NEARLY = 0.95
_AGAINST_ENGINE = {"ndjson": 1.5, "array": 1.0}
_SHAPE = 200
_GIGABYTE, _FIVE_GIGABYTES = 1000, 5000
# Below that size, starting the processes takes more time than their work.
_MEANINGFUL = 50
_WHOLE_DAY = 10_000_000
# Flat: within a few parts of 16 MiB, whatever the size.
_FLAT_BYTES = 48 << 20


@dataclass(frozen=True)
class Verdict:
    """A target, what was measured, where, and whether that meets it."""

    target: str
    limit: str
    measured: str
    where: str
    verdict: str

    def as_json(self) -> dict[str, str]:
        """The verdict as results.json has it."""
        return asdict(self)


def verdicts(parts: Mapping[str, Lines]) -> list[Verdict]:
    """One verdict per target, in the order of the targets."""
    load, idle = _good(parts.get("load", ())), _good(parts.get("idle", ()))
    return [
        *(_against_engine(load, shape, limit) for shape, limit in _AGAINST_ENGINE.items()),
        *_shapes(_good(parts.get("shapes", ()))),
        *(_memory(load, megabytes) for megabytes in (_GIGABYTE, _FIVE_GIGABYTES)),
        *(_faster_than_dicts(load, shape) for shape in SHAPES),
        *(_not_slower(load, peer) for peer in (ARROW, PANDAS)),
        _less_memory(load),
        _merge(_good(parts.get("merge", ()))),
        *_report(_good(parts.get("report", ()))),
        *_copy(_good(parts.get("copy", ()))),
        _imports(_good(parts.get("imports", ()))),
        _idle(idle),
        _same(parts),
    ]


def _good(lines: Lines) -> Lines:
    return [line for line in lines if not line.get("failed")]


def _judged(target: str, limit: str, measured: str, where: str, *, is_met: bool, is_full: bool = True) -> Verdict:
    """A verdict, which says so when the measured size is smaller than the target's."""
    verdict = MET if is_met else MISSED
    return Verdict(target, limit, measured, where, verdict if is_full else f"at this size {verdict}")


def _unknown(target: str, limit: str) -> Verdict:
    return Verdict(target, limit, "–", "–", NOT_MEASURED)


def _largest(lines: Lines, up_to: int | None = None) -> Mapping[str, Any] | None:
    fitting = [line for line in lines if up_to is None or line["megabytes"] <= up_to]
    return max(fitting, key=lambda line: line["megabytes"], default=None)


def _of(lines: Lines, subject: str, shape: str) -> Lines:
    return [line for line in lines if line["subject"] == subject and line["shape"] == shape]


def _file(line: Mapping[str, Any]) -> str:
    return f"{line['megabytes']:,} MB, {SHAPES[line['shape']]}"


def _against_engine(load: Lines, shape: str, most: float) -> Verdict:
    target, limit = f"Load of 1 GB, {SHAPES[shape]}, against the bare engine", f"≤ {most} ×"
    line = _largest([line for line in _of(load, OURS, shape) if line["ratioToEngine"]], _GIGABYTE)
    if line is None:
        return _unknown(target, limit)
    ratio = line["ratioToEngine"]
    is_full = line["megabytes"] >= _NEARLY * _GIGABYTE
    return _judged(target, limit, f"{ratio:.2f} ×", _file(line), is_met=ratio <= most, is_full=is_full)


def _shapes(lines: Lines) -> Iterator[Verdict]:
    ours = [line for line in lines if line["subject"] == OURS and line["ratioToFlat"] and line["shape"] != FLAT]
    for target, least, shapes in (
        ("The slowest shape of records, against the flat one", 0.5, [one for one in ours if one["shape"] != ALL_ODD]),
        ("Records that all are odd, against the flat ones", 0.25, [one for one in ours if one["shape"] == ALL_ODD]),
    ):
        limit = f"≥ {least} ×"
        if not shapes:
            yield _unknown(target, limit)
            continue
        worst = min(shapes, key=lambda line: line["ratioToFlat"])
        ratio, megabytes = worst["ratioToFlat"], worst["megabytes"]
        where = f"{megabytes:,} MB, {worst['shape']}"
        is_full = megabytes >= _NEARLY * _SHAPE
        yield _judged(target, limit, f"{ratio:.2f} ×", where, is_met=ratio >= least, is_full=is_full)


def _memory(load: Lines, megabytes: int) -> Verdict:
    target, limit = f"Peak memory of the load of {megabytes // 1000} GB", "< 700 MB"
    # A load takes five gigabytes and no more, so the file for that is a little smaller.
    lines = [line for line in load if line["subject"] == OURS and _NEARLY * megabytes <= line["megabytes"] <= megabytes]
    if not lines:
        return _unknown(target, limit)
    worst = max(lines, key=lambda line: line["peak"])
    return _judged(target, limit, f"{worst['peak'] / 1e6:,.0f} MB", _file(worst), is_met=worst["peak"] < 700e6)


def _faster_than_dicts(load: Lines, shape: str) -> Verdict:
    target, limit = f"Faster than dlt with dicts, {SHAPES[shape]}", "≥ 12 ×"
    line = _largest([line for line in _of(load, DICTS, shape) if line["ratioToOurs"]])
    if line is None:
        return _unknown(target, limit)
    ratio = line["ratioToOurs"]
    return _judged(
        target, limit, f"{ratio:.1f} ×", _file(line), is_met=ratio >= 12, is_full=line["megabytes"] >= _MEANINGFUL
    )


def _not_slower(load: Lines, peer: str) -> Verdict:
    target, limit = f"Not slower than {peer}", "≥ 1.0 ×"
    line = _largest([line for line in _of(load, peer, "ndjson") if line["ratioToOurs"]], _GIGABYTE)
    if line is None:
        return _unknown(target, limit)
    ratio = line["ratioToOurs"]
    is_full = line["megabytes"] >= _NEARLY * _GIGABYTE
    return _judged(target, limit, f"{ratio:.2f} ×", _file(line), is_met=ratio >= 1.0, is_full=is_full)


def _less_memory(load: Lines) -> Verdict:
    target, limit = f"Less memory than {PANDAS}", "< 1.0 ×"
    theirs = _largest(_of(load, PANDAS, "ndjson"), _GIGABYTE)
    ours = [line for line in _of(load, OURS, "ndjson") if theirs and line["megabytes"] == theirs["megabytes"]]
    if theirs is None or not ours:
        return _unknown(target, limit)
    share = ours[0]["peak"] / theirs["peak"]
    is_full = theirs["megabytes"] >= _NEARLY * _GIGABYTE
    return _judged(target, limit, f"{share:.2f} ×", _file(theirs), is_met=share < 1.0, is_full=is_full)


def _merge(lines: Lines) -> Verdict:
    target, limit = "Merge of 1 million rows into a day of 10 million, against read plus write", "≤ 2.0 ×"
    ours = next((line for line in lines if line["subject"] == OURS and line["ratioToEngine"]), None)
    if ours is None:
        return _unknown(target, limit)
    ratio, rows = ours["ratioToEngine"], ours["storedRows"]
    where = f"{ours['newRows']:,} into {rows:,} rows"
    return _judged(target, limit, f"{ratio:.2f} ×", where, is_met=ratio <= 2.0, is_full=rows >= _WHOLE_DAY)


def _report(lines: Lines) -> Iterator[Verdict]:
    wall, memory = "The morning report of 10 million events", "Its memory"
    if not lines:
        yield _unknown(wall, "< 60 s")
        yield _unknown(memory, "< 1,000 MB")
        return
    (line,) = lines
    where, is_full = f"{line['events']:,} events of 59 days", line["events"] >= _WHOLE_DAY
    yield _judged(wall, "< 60 s", f"{line['wall']:.1f} s", where, is_met=line["wall"] < 60, is_full=is_full)
    peak = line["peak"]
    yield _judged(memory, "< 1,000 MB", f"{peak / 1e6:,.0f} MB", where, is_met=peak < 1e9, is_full=is_full)


def _copy(lines: Lines) -> Iterator[Verdict]:
    target, limit = "Copy's throughput against curl piped into an upload", "≥ 0.8 ×"
    ours = sorted((line for line in lines if line["subject"] == OURS), key=lambda line: line["megabytes"])
    compared = [line for line in ours if line["ratioToCurl"]]
    if not compared:
        yield _unknown(target, limit)
    else:
        share = 1 / compared[-1]["ratioToCurl"]
        other = next((line["subject"] for line in lines if line["subject"] != OURS), "nothing")
        where = f"{compared[-1]['megabytes']:,} MB, against {other}"
        yield _judged(target, limit, f"{share:.2f} ×", where, is_met=share >= 0.8)
    target, limit = "Copy's memory is flat", f"± {_FLAT_BYTES / 1e6:,.0f} MB"
    if len(ours) < 2:
        yield _unknown(target, limit)
        return
    first, last = ours[0], ours[-1]
    growth = last["peak"] - first["peak"]
    where = f"{first['peak'] / 1e6:,.0f} MB for {first['megabytes']:,} MB, {last['peak'] / 1e6:,.0f} MB for "
    where += f"{last['megabytes']:,} MB"
    yield _judged(target, limit, f"{growth / 1e6:+,.0f} MB", where, is_met=growth <= _FLAT_BYTES)


def _imports(lines: Lines) -> Verdict:
    target, limit = "Cold import of every function but the load", "< 0.5 s"
    light = [line for line in lines if not line["hasEngine"]]
    if not light:
        return _unknown(target, limit)
    worst = max(light, key=lambda line: line["wall"])
    return _judged(target, limit, f"{worst['wall']:.2f} s", worst["subject"], is_met=worst["wall"] < 0.5)


def _idle(lines: Lines) -> Verdict:
    target, limit = "An export's own time in an idle night", "< 20 s"
    nights = [line for line in lines if line.get("night") in (COLD, WARM)]
    if not nights:
        return _unknown(target, limit)
    worst = max(nights, key=lambda line: line["overhead"])
    where = f"{worst['subject']}; {worst['night']}"
    return _judged(target, limit, f"{worst['overhead']:.1f} s", where, is_met=worst["overhead"] < 20)


def _same(parts: Mapping[str, Lines]) -> Verdict:
    target, limit = "Row counts and checksums of every result", "all the same"
    checked = [line for lines in parts.values() for line in lines if line.get("isSame") is not None]
    if not checked:
        return _unknown(target, limit)
    other = [line["subject"] for line in checked if not line["isSame"]]
    where = f"{len(checked)} results" + (f"; not of {', '.join(sorted(set(other)))}" if other else "")
    return _judged(target, limit, f"{len(checked) - len(other)} the same", where, is_met=not other)
