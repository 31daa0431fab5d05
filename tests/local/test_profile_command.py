"""`python -m local profile`: what a result file that somebody downloaded by hand would become."""

import gzip
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local import cli
from tests.conftest import ROOT

SHAPES = ROOT / "tests" / "fixtures" / "shapes"
EXPECTED: dict[str, dict[str, Any]] = json.loads((SHAPES / "expected.json").read_text())
NAMES = {
    *("file", "exportType", "container", "bytes", "records", "rejected", "fields", "eventTime", "otherTimes"),
    *("identity", "roles", "days", "audit", "problems", "loadable"),
}


@pytest.fixture
def profile(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command; return its status and its documents."""

    def run(*words: str | Path) -> tuple[int, list[dict[str, Any]]]:
        capsys.readouterr()
        status = cli.main(["profile", *map(str, words), "--json"])
        return status, json.loads(capsys.readouterr().out)

    return run


def opens(folder: Path, records: Sequence[Any], name: str = "opens.json") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def event(number: int, **more: Any) -> dict[str, Any]:
    at = datetime(2026, 11, 20, 10, tzinfo=UTC) + timedelta(minutes=number)
    return {"contactId": f"C{number % 7}", "messageId": 7000, "openTime": at.isoformat(), **more}


# The samples


@pytest.mark.parametrize("export", EXPECTED)
def test_the_two_nights_of_a_sample_are_loadable_and_agree(profile: Any, export: str) -> None:
    files = [SHAPES / name for name in EXPECTED[export]["files"]]
    status, found = profile(*files)
    assert status == 0
    for file, document in zip(files, found, strict=True):
        assert document.keys() >= NAMES
        assert document["file"] == str(file)
        assert document["exportType"] == export
        assert document["bytes"] == file.stat().st_size
        assert (document["loadable"], document["rejected"], document["problems"]) == (True, 0, [])
        assert document["identity"]["kind"] == ("fields" if "days" in EXPECTED[export] else "key")
    first, second = found
    assert first["audit"] == []
    (pair,) = second["audit"]
    both, here, there = pair["inBoth"], pair["onlyHere"], pair["onlyThere"]
    assert pair["with"] == str(files[0])
    if "days" in EXPECTED[export]:
        assert set(first["days"]) | set(second["days"]) == set(EXPECTED[export]["days"])
        shared = set(first["days"]) & set(second["days"])
        assert both == sum(first["days"][day] for day in shared)
        assert here == there == 0
        assert first["eventTime"] == [{**second["eventTime"][0], "evidence": first["eventTime"][0]["evidence"]}]
    else:
        assert both + here + there == EXPECTED[export]["rows"]
        assert first["days"] == {}


def test_a_field_has_its_kinds_its_fill_and_a_mask(profile: Any) -> None:
    _, (found,) = profile(SHAPES / "hard_bounces.night-1.json")
    fields = {field["name"]: field for field in found["fields"]}
    assert fields["id"] == {"name": "id", "kinds": ["bigint"], "filled": 120, "shape": "9999999"}
    assert fields["recipientId"] == {"name": "recipientId", "kinds": ["string"], "filled": 120, "shape": "a9"}
    assert fields["opened"]["shape"] == "9999-99-99a99:99:99.999a"
    (time,) = found["eventTime"]
    assert (time["field"], time["format"], time["timeZone"]) == ("opened", "iso-8601", "UTC")
    evidence = time["evidence"]
    assert (evidence["records"], evidence["parsed"], evidence["withoutOffset"]) == (120, 120, 0)
    assert found["identity"] == {"kind": "fields", "fields": ["recipientId", "mailingId"]}
    assert found["roles"] == {"recipient": "recipientId", "message": "mailingId"}


@pytest.mark.parametrize(
    ("content", "container"),
    [
        (b'[{"listId": 1}, {"listId": 2}]', "array"),
        (b'{"listId": 1}\n{"listId": 2}\n', "ndjson"),
        (b'{"rows": [{"listId": 1}, {"listId": 2}], "more": null}', "wrapper"),
        (b'\xef\xbb\xbf[{"listId": 1}, {"listId": 2}]', "array.bom"),
        (gzip.compress(b'[{"listId": 1}, {"listId": 2}]', mtime=0), "array.gz"),
        (b"", "empty"),
        (b"[]", "array"),
    ],
)
def test_every_container_is_named(profile: Any, tmp_path: Path, content: bytes, container: str) -> None:
    path = tmp_path / "lists.bin"
    path.write_bytes(content)
    status, (found,) = profile(path)
    assert (status, found["container"], found["loadable"]) == (0, container, True)
    assert found["records"] == (2 if b"1" in content or container == "array.gz" else 0)


def test_paths_into_objects_are_fields(profile: Any, tmp_path: Path) -> None:
    events = [
        {"event": {"time": event(n)["openTime"], "tags": []}, "contact": {"id": n % 5}, "messageId": 1}
        for n in range(900)
    ]
    status, (found,) = profile(opens(tmp_path, events))
    assert status == 0
    assert found["eventTime"][0]["field"] == "event.time"
    fields = {field["name"]: field for field in found["fields"]}
    assert fields["event"]["kinds"] == ["json"]
    assert fields["event.time"]["filled"] == fields["contact.id"]["filled"] == 900
    assert fields["contact.id"]["kinds"] == ["bigint"]
    assert fields["event.tags"]["kinds"] == ["json"]


# What is decided


@pytest.mark.parametrize(
    ("name", "export"),
    [
        ("hard_bounces.night-1.json", "HARD_BOUNCES"),
        ("OPENS_result.json", "OPENS"),
        ("opened.json", "OPENS"),
        ("2026-11-23-sent.ndjson.gz", "SENT"),
        ("Soft-Bounces (1).json", "SOFT_BOUNCES"),
    ],
)
def test_the_export_type_is_in_the_files_name(profile: Any, tmp_path: Path, name: str, export: str) -> None:
    _, (found,) = profile(opens(tmp_path, [event(1)], name))
    assert found["exportType"] == export


def test_a_window_refuses_times_that_lie_outside(profile: Any) -> None:
    file = SHAPES / "opens.night-1.json"
    near = profile(file, "--ordered-at", "2026-11-24T03:30:00Z", "--period", "last_3_days")
    assert near[0] == 0
    status, (found,) = profile(file, "--ordered-at", "2027-03-01T03:30:00Z", "--period", "LAST_3_DAYS")
    assert status == 1
    assert not found["loadable"]
    assert found["eventTime"] == []
    assert "eventTime" in found["problems"][0]
    assert found["identity"] == {"kind": "none", "fields": []}
    assert found["records"] == 120
    (time,) = found["otherTimes"]
    assert (time["field"], time["evidence"]["inside"]) == ("openTime", 0)


def test_the_settings_decide_as_they_do_for_the_load(profile: Any, tmp_path: Path) -> None:
    path = opens(tmp_path, [{"contactId": n, "seen": "2026-11-20 23:30:00", "number": n} for n in range(20)])
    assert profile(path)[0] == 1
    settings = ('eventTime={"OPENS": "seen"}', "timestampTimeZone=Europe/Stockholm", "timeZone=Asia/Tokyo")
    words = [word for setting in settings for word in ("--setting", setting)]
    status, (found,) = profile(path, *words, "--setting", 'identityFields={"OPENS": ["number"]}')
    assert status == 0
    assert found["eventTime"][0]["timeZone"] == "Europe/Stockholm"
    assert found["days"] == {"2026-11-21": 20}
    assert found["identity"] == {"kind": "fields", "fields": ["number"]}


def test_a_small_export_that_left_it_undecided_helps_a_later_one(profile: Any, tmp_path: Path) -> None:
    files = [opens(tmp_path, [event(n)], f"opens-{n}.json") for n in range(2)]
    status, (first, second) = profile(*files)
    assert status == 1
    assert not first["loadable"]
    assert second["loadable"]


def test_the_first_file_that_decides_fixes_the_profile(profile: Any, tmp_path: Path) -> None:
    first = opens(tmp_path, [event(n) for n in range(20)], "opens-1.json")
    renamed = [{("when" if name == "openTime" else name): value for name, value in event(n).items()} for n in range(20)]
    status, (_, second) = profile(first, opens(tmp_path, renamed, "opens-2.json"))
    assert status == 1
    assert second["eventTime"][0]["field"] == "openTime"
    assert second["days"] == {"unknown": 20}
    assert "no usable time" in second["problems"][0]


def test_what_would_be_quarantined_is_counted_and_too_much_of_it_refused(profile: Any, tmp_path: Path) -> None:
    path = opens(tmp_path, [event(n) for n in range(20)])
    path.write_text(path.read_text() + '{"contactId": "anna-secret"\n' * 11)
    status, (found,) = profile(path)
    assert (status, found["records"], found["rejected"]) == (1, 20, 11)
    assert "quarantineRatio" in found["problems"][0]
    assert found["quarantine"][0]["shape"] == '{"aaaaaaaaa": "aaaa-aaaaaa"'
    assert profile(path, "--setting", "quarantineMinimum=11")[0] == 0


# What people see


def test_people_see_tables_and_what_to_do(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    files = [str(SHAPES / f"optouts.night-{number}.json") for number in (1, 2)]
    assert cli.main(["profile", *files]) == 0
    printed = capsys.readouterr().out
    for words in (
        "OPTOUTS",
        "newline-delimited JSON",
        "event_time",
        "iso-8601",
        "recipient",
        "2026-11-21",
        "9999-99-99",
    ):
        assert words in printed
    assert "timestampTimeZone" in printed
    assert "in both" in printed


def test_the_guide_shows_what_is_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "shapes.md").read_text()
    (command,) = re.findall(r"^\.venv/bin/python -m local (profile .*)$", page, re.MULTILINE)
    (shown,) = re.findall(r"```\n(OPTOUTS .*?)```", page, re.DOTALL)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "140")
    assert cli.main(shlex.split(command)) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    _, *lines = shown.splitlines()
    assert len(lines) > 20
    for line in lines:
        assert line in printed


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gone.json", "--export", "OPENS"], "gone.json cannot be read"),
        ([".", "--export", "OPENS"], "is a folder"),
        (["{file}"], "no export type"),
        (["{file}", "--export", "OPENINGS"], "'OPENINGS' is not an export type"),
        (["{file}", "--export", "OPENS", "--setting", "timeZone"], "NAME=VALUE"),
        (["{file}", "--export", "OPENS", "--setting", "timeZone=Mars/Olympus"], "Mars/Olympus"),
        (["{file}", "--export", "OPENS", "--setting", "evenTime=x"], "eventTime"),
        (["{file}", "--export", "OPENS", "--setting", "stackName=x"], "stackName"),
        (["{file}", "--export", "OPENS", "--ordered-at", "2026-11-24T03:30:00Z"], "--period"),
        (["{file}", "--export", "OPENS", "--ordered-at", "noon", "--period", "TODAY"], "noon"),
        (["{file}", "--export", "OPENS", "--ordered-at", "2026-11-24", "--period", "MONTH"], "'MONTH' is not a period"),
    ],
)
def test_a_wrong_command_is_one_sentence(
    profile: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = opens(tmp_path, [event(1)], "result.json")
    status, found = profile(*(word.format(file=file) if "{file}" in word else word for word in words))
    assert status == 2
    assert sentence in found["error"]


# Size


def test_memory_stays_flat(tmp_path: Path) -> None:
    """A file of 120 MB, in a process that may have no more than the engine's memory beside Python's own."""
    path = tmp_path / "opens.json"
    text = "".join(json.dumps(event(n, note="x" * 200)) + "\n" for n in range(4000))
    with path.open("w") as file:
        for part in range(100):
            file.write(text.replace('"note": "', f'"note": "{part} '))
    # By a small process between: one that this large one starts counts its size as its own.
    between = (
        "import resource, subprocess, sys; status = subprocess.run(sys.argv[1:]).returncode; "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(status)"
    )
    command = [sys.executable, "-m", "local", "profile", str(path), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", between, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["records"] == 400_000
    assert int(done.stderr) * 1024 < 900 << 20
