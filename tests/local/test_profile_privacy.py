"""No value of anybody is printed by `profile`, whatever is wrong with the file."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local import cli
from local.profiling.masking import mask, masked_sentence, shown_name

SECRETS = ("anna.svensson@example.com", "Svensson", "0701234567", "svensson@", "anna.", "C0FFEE-17", "anna")


def with_secrets() -> list[dict[str, Any]]:
    extra = {
        "email": SECRETS[0],
        "name": {"last": SECRETS[1]},
        SECRETS[0]: 1,
        "byAddress": {SECRETS[0]: {"read": True}, SECRETS[2]: 2},
    }
    start = datetime(2026, 11, 20, 10, tzinfo=UTC)
    return [
        {"contactId": f"C{n % 7}", "openTime": (start + timedelta(minutes=n)).isoformat(), "code": SECRETS[5], **extra}
        for n in range(30)
    ]


@pytest.mark.parametrize("flag", [[], ["--json"]])
@pytest.mark.parametrize("damage", ["none", "undecided", "cut", "rejected", "wrapped", "no json"])
def test_no_value_is_shown_whatever_happens(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, damage: str, flag: list[str]
) -> None:
    records = with_secrets()
    if damage == "undecided":
        records = [{**record, "openTime": SECRETS[1]} for record in records]
    path = tmp_path / "opens.json"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    if damage == "cut":
        path.write_text(json.dumps(records)[:-30])
    if damage == "rejected":
        path.write_text(path.read_text() + f'{{"{SECRETS[0]}": \n' * 20)
    if damage == "wrapped":
        path.write_text(json.dumps({SECRETS[0]: {"a": SECRETS[1]}}))
    if damage == "no json":
        path.write_text(f"{SECRETS[0]};{SECRETS[1]}\n")
    cli.main(["profile", str(path), *flag])
    printed = "".join(capsys.readouterr())
    assert "OPENS" in printed
    for secret in SECRETS:
        assert secret not in printed, secret


def test_masks_keep_the_shape_alone() -> None:
    assert mask("Åsa.Öberg+1@mail.example") == "aaa.aaaaa+9@aaaa.aaaaaaa"
    assert mask("٣ 張 ☂") == "9 a ·"
    assert mask("x" * 99) == "a" * 60 + "…"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("contactId", "contactId"),
        ("event.time", "event.time"),
        ("Open Time", "Open Time"),
        ("_id", "_id"),
        ("smtp-id", "smtp-id"),
        ("properties.4411", "properties.4411"),
        ("anna@example.com", "aaaa@aaaaaaa.aaa"),
        ("0701234567", "9999999999"),
        ("properties.anna.b@example.com.read", "properties.aaaa.a@aaaaaaa.aaa.aaaa"),
        ("properties.Anna Svensson", "properties.aaaa aaaaaaaa"),
        ("properties.3f2504e0-4f89-11d3-9a0c", "properties.9a9999a9-9a99-99a9-9a9a"),
    ],
)
def test_names_are_shown_unless_they_look_like_values(path: str, shown: str) -> None:
    assert shown_name(path, ["contactId", "event", "properties"]) == shown


def test_a_name_that_few_objects_have_is_somebodys_own() -> None:
    assert shown_name("properties.anna", ["properties"], is_own=True) == "properties.aaaa"


def test_a_sentence_keeps_its_words_and_loses_what_it_quotes() -> None:
    sentence = "The file is no JSON array; it starts with 'anna, \\'x\\''. See 'Where the limits lie'."
    assert (
        masked_sentence(sentence, [])
        == "The file is no JSON array; it starts with 'aaaa, \\'a\\''. See 'Where the limits lie'."
    )
    assert masked_sentence("The fields are anna@x.se, id.", [("anna@x.se", "aaaa@a.aa"), ("id", "id")]) == (
        "The fields are aaaa@a.aa, id."
    )
