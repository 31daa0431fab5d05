"""Rank the profiles that a provisional table may have by what the overlaps of its exports say; names break ties."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from lambdas.lake.profile import field_names
from lambdas.lake.profile.audit import CHANGED_SHARE, REPLACED_LEAST, REPLACED_SHARE, TELLING_ROWS
from lambdas.lake.profile.field_names import WHAT, WHO, Role
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.profile.sample import Sample
from lambdas.lake.profile.window import Window

Instants = Callable[[Sample, EventTime], Sequence[int | None]]
"""The instants of a sample's records under an event time, in microseconds."""

_DAY = 86_400_000_000
_MOVED_SHARE = 0.05
_MOST_TWICE, _FEW_TWICE = 0.9, 0.5
# What a pair says of two profiles may differ by chance so much.
_CLOSE = 0.01


@dataclass(frozen=True)
class Ranked:
    """A profile, and how much its exports disagree under it: 0 for not at all, 1 for wholly."""

    profile: Profile
    disagreement: float

    @property
    def agrees(self) -> bool:
        """Whether the profile may stand."""
        return self.disagreement <= REPLACED_SHARE


def doubled(samples: Sequence[Sample], profile: Profile, instants: Instants) -> list[int]:
    """The positions of exports in which nearly every event stands twice or more, where in another most stand once."""
    shares = []
    for sample in samples:
        moments = instants(sample, profile.event_time[0]) if profile.has_days else [0] * len(sample.records)
        counts = [count for keys in _keys(sample, moments, profile.identity).values() for count in keys.values()]
        shares.append(sum(count > 1 for count in counts) / len(counts) if counts else 0.0)
    is_single = any(share <= _FEW_TWICE for share in shares)
    return [number for number, share in enumerate(shares) if share >= _MOST_TWICE and is_single]


def rank_events(
    samples: Sequence[Sample], windows: Sequence[Window | None], times: Sequence[EventTime], instants: Instants
) -> list[Ranked]:
    """All profiles of events that the fields admit, the one that agrees best first.

    `samples` are in the order of their age, each with the window that it was ordered for; `times` in the order of their
    names' ranks.
    """
    ranked = []
    moved = {time: _moved(samples, [instants(sample, time) for sample in samples]) for time in times}
    # Where an own id moves under every time, it is a row number, and says nothing of times.
    is_telling = min(moved.values(), default=1.0) <= _MOVED_SHARE
    for time in times:
        found = [instants(sample, time) for sample in samples]
        for identity in _identities(samples, time):
            keys = [
                (_keys(sample, moments, identity), window)
                for sample, moments, window in zip(samples, found, windows, strict=True)
            ]
            pairs = [_disagreement(one, other) for one, other in combinations(keys, 2)]
            # A few rows may be alike or differ by chance, and a narrower identity would make one event of two.
            is_much = sum(rows for _, rows in pairs) >= REPLACED_LEAST
            disagreement = max((share for share, _ in pairs), default=0.0) if is_much else 0.0
            if is_telling:
                disagreement = max(disagreement, moved[time] if moved[time] > _MOVED_SHARE else 0.0)
            roles = {
                role.value: path for path in identity if (role := (field_names.role(path) or (None,))[0]) is not None
            }
            ranked.append(Ranked(Profile((time,), identity, roles), disagreement))
    # Stable: `times` and identities come in the order of their names' ranks.
    return sorted(ranked, key=lambda one: round(one.disagreement / _CLOSE))


def rank_keys(samples: Sequence[Sample], keys: Sequence[str]) -> list[Ranked]:
    """The keys that entities may have, the one that names the same things in every export first."""
    ranked = []
    for key in keys:
        renamed = [_renamed(one, other, key) for one, other in combinations(samples, 2)]
        ranked.append(Ranked(Profile(identity=(key,), roles={"key": key}), max(renamed, default=0.0)))
    return sorted(ranked, key=lambda one: round(one.disagreement / CHANGED_SHARE))


def _identities(samples: Sequence[Sample], time: EventTime) -> list[tuple[str, ...]]:
    """What may tell events apart beside their time, the likeliest first."""
    paths = list(dict.fromkeys(path for sample in samples for path in sample.paths))
    whos, whats = (list(_of_roles(paths, roles)) for roles in (WHO, WHAT))
    either: Sequence[str | None] = [None]
    pairs = [(who, what) for who in whos or either for what in whats or either]
    narrow = [tuple(path for path in pair if path is not None) for pair in pairs]
    more = field_names.telling_apart(paths) if time.is_date else ()
    apart = [(*pair, *more) for pair in narrow if pair and more]
    own = [(path,) for path in _own_ids(paths)][:2]
    return list(
        dict.fromkeys([*apart, *narrow, *((what,) for what in whats[:2]), *((who,) for who in whos[:2]), *own, ()])
    )


def _own_ids(paths: Iterable[str]) -> list[str]:
    """The fields that may be an event's own id."""
    return [path for path in paths if field_names.is_own_id(path) or field_names.is_event_id(path)]


def _of_roles(paths: Sequence[str], roles: Sequence[Role]) -> Iterator[str]:
    for role in roles:
        found = field_names.best(paths, (role,))
        if found is not None:
            yield found[0]


def _keys(sample: Sample, moments: Sequence[int | None], identity: Sequence[str]) -> Mapping[int, Counter[object]]:
    """The identities of a sample's records by their instant."""
    found: dict[int, Counter[object]] = {}
    for record, moment in zip(sample.records, moments, strict=True):
        if moment is not None:
            key = tuple(record.get(path) for path in identity) if identity else _whole(record)
            found.setdefault(moment, Counter())[key] += 1
    return found


_Keys = tuple[Mapping[int, Counter[object]], Window | None]


def _disagreement(one_export: _Keys, other_export: _Keys) -> tuple[float, int]:
    """How many rows vanished while others appeared, or changed their number, where both cover the time: share, rows."""
    (older, older_window), (newer, newer_window) = one_export, other_export
    ends = [_ends(one) for one in (older, newer)]
    if None in ends:
        return 0.0, 0
    (low_1, high_1, rows_1), (low_2, high_2, rows_2) = (end for end in ends if end is not None)
    is_coarse = all(moment % (_DAY // 24) == 0 for moment in (*older, *newer))
    is_expected = _reaches(newer_window, high_1) and _reaches(older_window, high_2)
    if (high_1 < low_2 or high_2 < low_1) and is_expected and min(rows_1, rows_2) >= TELLING_ROWS:
        # Ordered for the same days, yet no time in common: the time may be the export's own.
        return 0.5, rows_2
    trim = _DAY if is_coarse else 0
    low, high = max(low_1, low_2) + trim, min(high_1, high_2) - trim
    if low > high:
        return 0.0, 0
    one, other = (
        {(moment, key): count for moment, keys in found.items() if low <= moment <= high for key, count in keys.items()}
        for found in (older, newer)
    )
    both = one.keys() & other.keys()
    missing = sum(count for key, count in one.items() if key not in both)
    new = sum(count for key, count in other.items() if key not in both)
    changed = [other[key] / one[key] for key in both if one[key] != other[key]]
    # A doubled file says nothing of the profile, and a sample of one may have only some of its rows twice.
    is_doubled = set(changed) in ({2.0}, {0.5})
    seen = len(both) + max(missing, new)
    rows = min(missing, new) + (len(changed) if len(changed) > CHANGED_SHARE * len(both) and not is_doubled else 0)
    return rows / seen if seen else 0.0, rows


def _reaches(window: Window | None, moment: int) -> bool:
    """Whether a window surely begins before an instant: its start is undocumented, so a day of it does not count."""
    return window is not None and int(window.named.start.timestamp() * 1_000_000) + _DAY <= moment


def _ends(found: Mapping[int, Counter[object]]) -> tuple[int, int, int] | None:
    """The 5 % and 95 % quantiles of the instants, and how many rows there are."""
    moments = sorted(moment for moment, keys in found.items() for _ in range(sum(keys.values())))
    if not moments:
        return None
    last = len(moments) - 1
    return moments[int(last * 0.05)], moments[-(-last * 95 // 100)], len(moments)


def _moved(samples: Sequence[Sample], instants: Sequence[Sequence[int | None]]) -> float:
    """The share of records whose own id has another instant in another export: the time is that of the last touch."""
    paths = dict.fromkeys(path for sample in samples for path in sample.paths)
    worst = 0.0
    for path in _own_ids(paths):
        seen = [
            {record[path]: moment for record, moment in zip(sample.records, moments, strict=True) if path in record}
            for sample, moments in zip(samples, instants, strict=True)
        ]
        for one, other in combinations(seen, 2):
            both = one.keys() & other.keys()
            worst = max(worst, sum(one[key] != other[key] for key in both) / len(both) if both else 0.0)
    return worst


def _renamed(older: Sample, newer: Sample, key: str) -> float:
    """The share of keys that stand for something of another name."""
    titles = [path for path in older.paths if field_names.is_title(path)]
    one, other = (
        {record[key]: tuple(record.get(path) for path in titles) for record in sample.records if key in record}
        for sample in (older, newer)
    )
    both = one.keys() & other.keys()
    return sum(one[value] != other[value] for value in both) / len(both) if both and titles else 0.0


def _whole(record: Mapping[str, str]) -> object:
    return frozenset(record.items())
