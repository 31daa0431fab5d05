"""Shape files: what they take, files that are none, their page, and the commands that take them."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lambdas.vocabulary import Period
from local.standin import ManualClock, Options, shapes
from local.standin.batches import Batches
from local.standin.containers import container
from local.standin.shapes import BadShape, ExportShape, Field, Shape, times
from tests.conftest import ROOT, local_in_process
from tests.local.shaped import records

PAGE = (ROOT / "docs" / "shapes.md").read_text()


def parsed(exports: dict[str, Any], **more: Any) -> Shape:
    return shapes.parsed(json.dumps({"exports": exports, **more}).encode())


@pytest.mark.parametrize(
    ("exports", "words"),
    [
        ({"OPENED": {}}, "exports names the export type OPENED; there are LISTS"),
        ({"OPENS": {"field": {}}}, "unknown field `field`"),
        ({"OPENS": {"fields": {"id": {"form": "eventId"}}}}, "unknown field `form`"),
        ({"OPENS": {"fields": {"id": "openId"}}}, "exports.OPENS: id names openId, which no record has; there are e"),
        ({"OPENS": {"fields": {"event.time": {"time": "isoZ"}}}}, "event.time names event.time, which no record has"),
        ({"OPENS": {"fields": {"id": {"text": "{openId}"}}}}, "id names openId, which no record has"),
        ({"OPENS": {"drop": ["linkTarget"]}}, "drop names linkTarget, which no record has"),
        ({"LISTS": {"fields": {"mail": "@mail"}}}, "mail names @mail, which no record has"),
        ({"OPENS": {"fields": {"id": {"from": "eventId", "value": 1}}}}, "id has from and value, and takes one"),
        ({"OPENS": {"fields": {"campaign.id": "campaignId"}}}, "campaign and campaign.id are in one place"),
        ({"OPENS": {"fields": {"a": "eventId", "a.b.c": "list"}}}, "a and a.b.c are in one place"),
        ({"OPENS": {"fields": {"a..b": "eventId"}}}, "'a..b' is no target"),
        ({"OPENS": {"fields": {"campaign": {"time": "isoZ"}}}}, "is no time."),
        ({"OPENS": {"fields": {"timestamp": {"time": "iso"}}}}, "no format 'iso' of times; there are epochSeconds"),
        ({"OPENS": {"fields": {"timestamp": {"time": "isoZ", "timeZone": "CEST"}}}}, "'CEST' is no IANA time zone"),
        ({"OPENS": {"fields": {"timestamp": {"timeZone": "Europe/Oslo"}}}}, "timestamp: timeZone is for a field with"),
        ({"OPENS": {"fields": {"timestamp": {"type": "date"}}}}, "Invalid enum value 'date'"),
        ({"OPENS": {"fields": {"timestamp": {"shiftSeconds": 1e9}}}}, "<= 31622400"),
        ({"OPENS": {"container": "zip"}}, "'zip' is not a container"),
        ({"OPENS": {"source": "MAIL"}}, "there is no source MAIL; there are LISTS"),
        ({"OPENS": {"others": "hide"}}, "'hide'"),
    ],
)
def test_an_invalid_shape_is_one_sentence(tmp_path: Path, exports: dict[str, Any], words: str) -> None:
    path = tmp_path / "shape.json"
    path.write_text(json.dumps({"exports": exports}))

    with pytest.raises(BadShape) as refused:
        shapes.read(str(path))

    sentence = str(refused.value)
    assert words in sentence
    assert sentence.startswith(f"The shape {path} cannot be used: ")
    assert sentence.endswith(".")
    assert not sentence.endswith("..")
    assert "\n" not in sentence


@pytest.mark.parametrize("content", [b"", b"[]", b'{"rules": []}', b'{"container": "zip"}', b"\xff"])
def test_a_file_that_is_no_shape_is_refused(content: bytes) -> None:
    with pytest.raises(BadShape, match=r"\.$"):
        shapes.parsed(content)


def test_a_shape_that_is_not_there_is_refused_and_the_ready_ones_are_named() -> None:
    with pytest.raises(BadShape, match=r"There is no shape file none, and no ready shape .* rest-objects"):
        shapes.read("none")


def test_the_shapes_container_comes_before_the_options() -> None:
    shape = parsed({"OPENS": {"container": "wrapper.gz"}}, container="ndjson")
    options = Options(shape=shape, container="bom", containers={"OPENS": "pretty"})

    assert options.container_of("OPENS") == container("wrapper.gz")
    assert options.container_of("SENT") == container("ndjson")
    assert Options(shape=parsed({"OPENS": {}}), container="bom").container_of("OPENS") == container("bom")


def test_the_page_names_every_key_and_its_example_is_what_it_says() -> None:
    for part in (Shape, ExportShape, Field):
        for name in part.__struct_encode_fields__:
            assert f"| `{name}` |" in PAGE
    assert all(f"`{name}`" in PAGE for name in times.FORMATS)
    example, shown = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    first = records(shapes.parsed(example.encode()), "OPENS")[0]
    assert list(first.items())[:4] == list(json.loads(shown).items())


# The commands


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.standin", *words],
        check=False,
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_both_commands_refuse_a_shape_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "shape.json"
    path.write_text('{"exports": {"OPENED": {}}}')
    alone = command("--shape", str(path), SYMPLIFY_TOKEN="x")
    up = local_in_process("up", "--shape", str(path), home=tmp_path / "home")

    for done, status in ((alone, 2), (up, 1)):
        assert done.returncode == status
        assert f"The shape {path} cannot be used: exports names the export type OPENED" in done.stderr


def test_a_file_is_served_as_it_is_from_the_folder_of_its_shape(tmp_path: Path) -> None:
    (tmp_path / "clicks.json").write_bytes(b'[{"id": 1}]\n')
    (tmp_path / "shape.json").write_text('{"exports": {"CLICKS": {"file": "clicks.json"}}}')
    batches = Batches(
        Options(shape=shapes.read(str(tmp_path / "shape.json"))),
        ManualClock(datetime(2026, 11, 26, tzinfo=UTC)),
        tmp_path,
    )
    found = [batches.find(batches.order(export, Period.LAST_3_DAYS).batch_id) for export in ("CLICKS", "OPENS")]
    clicks, opens = (batch.file.result().path.read_bytes() for batch in found if batch is not None)
    batches.close()
    assert clicks == b'[{"id": 1}]\n'
    assert b"eventId" in opens


def test_a_file_that_is_gone_when_it_is_ordered_is_an_error_of_its_batch(tmp_path: Path) -> None:
    (tmp_path / "clicks.json").write_bytes(b"[]")
    (tmp_path / "shape.json").write_text('{"exports": {"CLICKS": {"file": "clicks.json"}}}')
    batches = Batches(
        Options(shape=shapes.read(str(tmp_path / "shape.json")), finish_after_polls=1),
        ManualClock(datetime(2026, 11, 26, tzinfo=UTC)),
        tmp_path,
    )
    (tmp_path / "clicks.json").unlink()
    batch = batches.find(batches.order("CLICKS", Period.LAST_3_DAYS).batch_id)
    assert batch is not None
    assert [batches.ask(batch)[1].status for _ in range(2)] == ["ERROR", "ERROR"]
    batches.close()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "shape.json").write_text('{"exports": {"CLICKS": {"file": "clicks.json"}}}')
    with pytest.raises(BadShape, match=r"exports\.CLICKS: there is no file .*clicks\.json"):
        shapes.read(str(tmp_path / "shape.json"))


def test_a_shape_is_for_the_stand_in_alone(tmp_path: Path) -> None:
    account = ("--symplify-url", "https://example.com/rest", "--customer-id", "1", "--token", "x")
    done = local_in_process("up", *account, "--shape", "rest-objects", home=tmp_path / "home")

    assert done.returncode == 1
    assert "--shape is for the stand-in" in done.stderr
