"""Containers that lie: what is unambiguous is read whole, and anything else fails with a sentence."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.formats import json_lines, json_records
from lambdas.lake.formats.json_records import Rejected
from lambdas.lake.formats.splitting import pieces
from lambdas.lake.storage.raw_object import unpacked
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.in_process_lake import InProcessLake, age, bag, zipped
from tests.unit.lake.opens import OPENS, opened
from tests.unit.lake.properties import examples, records

BOM = b"\xef\xbb\xbf"
EVENTS = [opened(n, f"2024-03-0{n % 3 + 1}T10:00:{n:02}Z", contactId=f"k{n}", note="},{ ][ }{ \r") for n in range(40)]
Texts = Sequence[bytes]


def compact(record: Any) -> bytes:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def pretty(record: Any) -> bytes:
    return json.dumps(record, indent=2).encode()


def in_array(texts: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(texts) + b"]"


def halves(texts: Texts) -> tuple[Texts, Texts]:
    return texts[: len(texts) // 2], texts[len(texts) // 2 :]


def concatenated(texts: Texts) -> bytes:
    one, other = halves(texts)
    return b"\n".join(one) + b"\n".join(other)


def array_among(texts: Texts) -> bytes:
    one, other = halves(texts)
    return b"\n".join([*one[:-1], *([in_array(one[-1:])] if one else []), *other])


LINES = "lines"
STYLES: dict[str, Callable[[Texts], bytes]] = {
    LINES: lambda texts: b"".join(text + b"\n" for text in texts),
    "lone CR": lambda texts: b"".join(text + b"\r" for text in texts),
    "lone CR, none at the end": b"\r".join,
    "lines, then lone CR": lambda texts: b"\n".join(halves(texts)[0]) + b"\n" + b"\r".join(halves(texts)[1]),
    "all on one line": b"".join,
    "blanks between": b" \t ".join,
    "commas between": b",".join,
    "a comma after each line": lambda texts: b"".join(text + b",\n" for text in texts),
    "a comma after each line but the last": b" ,\r\n".join,
    "a comma before each line but the first": b"\n, ".join,
    "an array on each line": lambda texts: b"".join(in_array([text]) + b"\n" for text in texts),
    "an array among objects": array_among,
    "files concatenated without their last line end": concatenated,
    "files concatenated, each with a byte order mark": (b"\n" + BOM).join,
    "byte order marks on one line": BOM.join,
}
PRETTY_STYLES: dict[str, Callable[[Texts], bytes]] = {
    "over several lines": b"\n".join,
    "over several lines, with commas": b",\n".join,
    "over several lines, without anything between": b"".join,
    "over several lines, with CR alone": lambda texts: b"\n".join(texts).replace(b"\n", b"\r"),
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda content: content,
    "gzip": zipped,
    "BOM": lambda content: BOM + content,
    "gzip of a BOM": lambda content: zipped(BOM + content),
}


def written(records: Iterable[Any], style: str) -> bytes:
    if style in PRETTY_STYLES:
        return PRETTY_STYLES[style](list(map(pretty, records)))
    return STYLES[style](list(map(compact, records)))


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("style", [*STYLES, *PRETTY_STYLES])
def test_every_unambiguous_container_is_read_whole_however_it_is_packed(style: str, packing: str) -> None:
    assert read(PACKINGS[packing](written(EVENTS, style)), 1 << 20) == EVENTS


@pytest.mark.parametrize("style", [*STYLES, *PRETTY_STYLES])
def test_every_unambiguous_container_is_loaded_whole_and_repeats_the_rows_of_others(
    lake: InProcessLake, style: str
) -> None:
    lake.load(written(EVENTS, LINES), at=age(1))
    state = lake.load(written(EVENTS, style), at=age(2))
    assert state.tally is not None, state.reason
    assert (state.tally["read"], state.tally["quarantined"]) == (len(EVENTS), 0)
    assert bag(lake.records()) == bag(EVENTS)


@pytest.mark.no_cover
@examples(60)
@given(
    st.lists(records.filter(bool), min_size=2, max_size=8),
    st.sampled_from([*STYLES, *PRETTY_STYLES]),
    st.integers(1, 200) | st.just(1 << 20),
)
def test_any_records_in_any_style_are_those_of_lines(values: list[Any], style: str, size: int) -> None:
    assert read(written(values, style), size) == read(written(values, LINES), size) == values


def read(content: bytes, size: int) -> list[Any]:
    found = [one for piece in pieces(unpacked(iter([content])), OPENS, size=size) for one in json_records.read(piece)]
    assert not any(isinstance(one, Rejected) for one in found), found
    return [
        {name: json.loads(texts[0]) for name, texts in one.items()} for one in found if not isinstance(one, Rejected)
    ]


E1, E2 = compact(EVENTS[1]), compact(EVENTS[2])
MANY = b"".join(compact(event) + b"\n" for event in EVENTS)
ONE = b'[{"eventId":1,"timestamp":"2024-03-01T10:00:00Z"}]'


def around(text: str) -> bytes:
    return text.encode().replace(b"ONE", ONE)


REFUSED: dict[str, tuple[bytes, str]] = {
    "errors beside no data": (
        b'{"errors":[{"code":17,"message":"quota exceeded"}],"data":null}',
        "'17: quota exceeded'",
    ),
    "errors beside records": (around('{"data":ONE,"errors":["half of it timed out"]}'), "'half of it timed out'"),
    "an error alone": (b'{"error":"token expired"}', "'token expired'"),
    "an error object": (b'{"Error":{"Code":"AccessDenied","Message":"no"}, "requestId":"7"}', "'AccessDenied: no'"),
    "a problem document": (b'{"type":"about:blank","title":"Forbidden","status":403,"detail":"no"}', "Forbidden: no"),
    "Spring's error": (b'{"timestamp":1,"status":500,"error":"Internal","path":"/x"}', "'Internal'"),
    "a failed status without records": (b'{"status":"FAILED","data":[]}', "'status FAILED'"),
    "a failed status beside records": (around('{"status":"failed","data":ONE}'), "'status failed'"),
    "an unknown status without records": (b'{"status":"SLEEPING","data":[]}', "'status SLEEPING'"),
    "not finished": (around('{"status":"IN_PROGRESS","data":ONE}'), "'status IN_PROGRESS'"),
    "no success": (b'{"success":false,"opens":[]}', "'success False'"),
    "a message alone": (b'{"message":"come back later"}', "'come back later'"),
    "people in an error": (
        b'{"error":"anna@mail.example.com and b%40mail.example.com, +46 70 123 45 67, are unknown: code 4031"}',
        "'(masked) and (masked), (masked), are unknown: code 4031'",
    ),
    "a link in an error": (b'{"error":"see https://host/x?token=secret now"}', "'see (a link) now'"),
    "an error after records": (MANY + b'{"error":{"message":"connection lost"}}\n', "'connection lost'"),
    "a total above what it holds": (around('{"total":5,"next":"/page/2","data":ONE}'), "it says 5 and holds 1"),
    "a total after the records": (around('{"data":ONE,"total":5}'), "it says 5 and holds 1"),
    "a total below what it holds": (around('{"count":0,"data":ONE}'), "it says 0 and holds 1"),
    "a total of an empty wrapper": (b'{"data":[],"total":"5"}', "it says 5 and holds 0"),
    "a total in an object": (around('{"meta":{"total_records":5},"data":ONE}'), "it says 5 and holds 1"),
    "a next page": (around('{"data":ONE,"next":"/page/2"}'), "more follows elsewhere, and holds 1"),
    "a next link": (around('{"data":ONE,"links":[{"rel":"next","href":"/2"}]}'), "more follows elsewhere"),
    "one of three pages": (around('{"page":{"number":0,"totalPages":3},"content":ONE}'), "more follows elsewhere"),
    "not the last": (around('{"last":false,"content":ONE}'), "more follows elsewhere"),
    "truncated": (around('{"isTruncated":true,"rows":ONE}'), "more follows elsewhere"),
    "a record or a wrapper": (around('{"id":7,"data":ONE}'), "neither clearly one record"),
    "a record or a wrapper with a time": (around('{"timestamp":7,"segments":ONE}'), "neither clearly one record"),
    "two arrays": (around('{"data":ONE,"rows":ONE}'), "neither clearly one record"),
    "two wrappers": (around('{"data":ONE}\n{"data":ONE}'), "more than one object around records"),
    "two arrays in a row": (ONE + ONE, "something follows it"),
    "cut in a record": (MANY + E1[:-9], "The file is cut: its last line, which begins at byte"),
    "cut in its only record": (E1[:-9], "The file is cut: its last line, which begins at byte 0 "),
    "cut after a colon": (MANY + b'{"eventId":', f"begins at byte {len(MANY)} of the unpacked file"),
    "cut on a line of several": (MANY + E1 + E2[:-1], "The file is cut"),
    "cut after a lone CR": (MANY.replace(b"\n", b"\r") + E1[:20], "The file is cut"),
    "cut in a string of many bytes": (MANY + '{"a":"å'.encode()[:-1], "The file is cut"),
    "cut over several lines": (pretty(EVENTS[1]) + b"\n" + pretty(EVENTS[2])[:-3], "cut or broken"),
    "cut in the first of several lines": (pretty(EVENTS[1])[:-3], "cut or broken"),
    "cut in a wrapper": (around('{"data":ONE')[:-1], "cut or broken"),
    "cut after a wrapper's array": (around('{"data":ONE'), "cut or something follows it"),
    "a broken record over several lines": (pretty({"id": 1, "s": [{"id": 2}]}) + b"\n{\n]\n", "cut or broken"),
    "half of the file in one line": (MANY + b"x" * 5000 + b"\n", "of the file's"),
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", REFUSED)
def test_a_container_that_lies_fails_with_a_sentence_and_publishes_nothing(
    lake: InProcessLake, kind: str, packing: str
) -> None:
    content, words = REFUSED[kind]
    state = lake.load(PACKINGS[packing](content))
    assert state.outcome == "failed", state.tally
    assert words in str(state.reason)
    assert str(state.reason).endswith(".")
    assert "k1" not in str(state.reason)
    assert lake.definition() is None


@pytest.mark.parametrize(
    ("export", "record"),
    [
        (
            "LISTS",
            {"id": 12, "name": "Newsletter", "segments": [{"id": 5, "name": "north"}, {"id": 6, "name": "south"}]},
        ),
        ("LISTS", {"listId": 1, "name": "Newsletter", "segments": [{"id": 5}]}),
        ("CAMPAIGNS", {"campaignId": 1, "status": "FAILED", "links": [{"url": "a"}]}),
        ("MESSAGES", {"uuid": "x", "count": 3, "errors": [{"code": 1}], "tags": []}),
        (
            "OPENS",
            {"contactId": "a", "timestamp": "2024-03-01T10:00:00Z", "devices": [{"os": "x"}], "urls": [{"a": 1}]},
        ),
        ("OPENS", {"timestamp": "2024-03-01T10:00:00Z"}),
    ],
)
@pytest.mark.parametrize("style", [compact, pretty])
def test_one_record_that_holds_an_array_of_objects_is_the_record(
    lake: InProcessLake, export: str, record: dict[str, Any], style: Callable[[Any], bytes]
) -> None:
    state = lake.load(style(record) + b"\n", export)
    assert state.tally is not None, state.reason
    assert bag(lake.records(export)) == bag([record])


@pytest.mark.parametrize(
    "wrapper",
    [
        '{"opens":ONE}',
        '{"OPENS":ONE,"customerId":7}',
        '{"status":"success","total":1,"next":null,"data":ONE}',
        '{"exportType":"OPENS","period":"LAST_DAY","batchId":9,"generatedAt":"2024-03-01","records":ONE}',
        '{"content":ONE,"page":{"size":20,"number":0,"totalElements":1,"totalPages":1},"last":true}',
        '{"_links":{"self":{"href":"/1"},"next":null},"count":"1","items":ONE,"errors":[],"warnings":[{"code":"slow"}]}',
        '{"whatever":ONE,"success":true,"hasMore":false}',
        '{"whatever":ONE}',
        '{"meta":{"total":-1,"cursor":"x"},"rows":ONE,"timestamp":5}',
    ],
)
def test_an_object_whose_other_members_are_bookkeeping_is_a_wrapper(lake: InProcessLake, wrapper: str) -> None:
    for at, content in ((age(1), around(wrapper)), (age(2), pretty(json.loads(around(wrapper))))):
        state = lake.load(content, at=at)
        assert state.tally is not None, state.reason
        assert state.tally["read"] == 1
    assert bag(lake.records()) == bag(json.loads(ONE))


@pytest.mark.parametrize(
    "content",
    [
        b'{"data":[],"errors":[],"total":0}',
        b'{"status":"OK","opens":[],"next":null}',
        b'{"content":[],"totalPages":0,"last":true}',
    ],
)
def test_an_empty_wrapper_is_a_quiet_day(lake: InProcessLake, content: bytes) -> None:
    state = lake.load(content)
    assert (state.outcome, state.rows) == ("loaded", 0)


def test_a_line_that_is_damaged_is_rejected_as_a_whole_and_alone(lake: InProcessLake) -> None:
    bad = E1 + b"}" + E2
    for at, end in ((age(1), b"\n"), (age(2), b"\r")):
        state = lake.load(MANY.replace(b"\n", end) + bad + end + E1 + end, at=at)
        assert state.tally is not None, state.reason
        assert (state.tally["read"], state.tally["quarantined"]) == (len(EVENTS) + 1, 1)
        (key, *_) = lake.objects("quarantine/")[::-1]
        rejected = json.loads(lake.s3.get_object(Bucket=lake.settings.bucket, Key=key)["Body"].read())
        assert rejected == {"position": len(MANY), "text": bad.decode()}


def test_an_array_within_an_array_is_no_record(lake: InProcessLake) -> None:
    state = lake.load(in_array([E1, in_array([E2])]))
    assert state.tally is not None, state.reason
    assert (state.tally["read"], state.tally["quarantined"]) == (1, 1)


def test_rejected_bytes_count_as_well_as_records(lake: InProcessLake) -> None:
    """Few records, but a page of text and more than a hundredth of the file."""
    small, large = b"x" * 4096 + b"\n", b"x" * 4097 + b"\n"
    parts = [MANY.replace(b'"k', b'"%d-k' % part) for part in range(200)]
    assert lake.load(MANY + small).outcome == "loaded"
    assert lake.load(b"".join(parts[:20]) + large, "SENT").outcome == "failed"
    assert lake.load(b"".join(parts[:20]) + large, "SENT", quarantine_ratio=0.5).outcome == "loaded"
    assert lake.load(b"".join(parts) + large, "CLICKS").outcome == "loaded"
    assert len(lake.objects("quarantine/")) == 4


@pytest.mark.parametrize("records", [1, 20])
def test_thousands_of_unknown_fields_end_in_a_sentence(lake: InProcessLake, records: int) -> None:
    assert_no_table(lake, [{f"x{number}": 1 for number in range(2001)}] * records)


def test_fields_beyond_the_limit_of_columns_in_all_records_together_end_in_a_sentence(
    lake: InProcessLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids that are used as names. Lower here, since a thousand columns take ten seconds."""
    monkeypatch.setattr("lambdas.lake.column_types.MAX_COLUMNS", 100)
    assert_no_table(lake, [{f"x{number}": 1 for number in range(start, 201, 20)} for start in range(20)])


def assert_no_table(lake: InProcessLake, records: list[dict[str, Any]]) -> None:
    state = lake.load(compact(records))
    assert state.outcome in ("failed", "undecided")
    assert "fields" in str(state.reason)
    assert len(str(state.reason)) < 1000


@pytest.mark.parametrize("style", [*STYLES, *PRETTY_STYLES])
@pytest.mark.parametrize("size", [1, 50, 700])
def test_positions_are_bytes_of_the_unpacked_file_in_every_style(style: str, size: int) -> None:
    content = written(EVENTS, style).removeprefix(BOM)
    found = [found for piece in pieces(iter([content]), EXPORT_TYPES["OPENS"], size=size) for found in piece.records()]
    assert [content[at : at + len(text)] for at, text in found] == [text for _, text in found]
    assert len({at for at, _ in found}) == len(EVENTS)


def test_white_space_of_any_kind_within_a_record_on_a_line_is_no_end_of_it() -> None:
    text = b'{"a":\r1,\t"b": [2,\r3]}'
    assert list(json_lines.on_line(b" " + text + b"\r", 7)) == [(8, text)]
