"""`python -m checks.data_dictionary`: write docs/data-dictionary.md from what the tables' comments are made of."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lambdas.lake.column_types import DAY, Column, Kind, Schema, snake_case
from lambdas.lake.profile.field_names import WHAT, WHO
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.storage.keys import RUNS_TABLE
from lambdas.lake.tables import export_runs
from lambdas.lake.tables.comments import DAY_COMMENT, OWN_COLUMNS
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.tables.meanings import COMMON, OF_EXPORT, Meaning, Origin
from lambdas.lake.views.all_views import views
from lambdas.lake.views.sources import EVENT_TYPES
from lambdas.lake.views.view import View
from lambdas.vocabulary import TimeFormat

PAGE = Path(__file__).parent.parent / "docs" / "data-dictionary.md"

_TEXT = """\
# Data dictionary

What the columns mean. This page is written by `make docs` from the place that the comments in
the catalog are made of, so Athena says the same (`DESCRIBE opens`, or the columns of the console's editor).

**Which columns a table has, the vendor decides**: they are the fields of its records, in snake_case. Nobody has
published what an export looks like, so no page can list them. Your own tables do:

    .venv/bin/python -m local tables
    .venv/bin/python -m local tables opens campaigns

Both take `--stack NAME` for a stack in your AWS account, with your credentials. [merge.md](merge.md) says which rows a
table holds, [design.md](design.md#tables) how tables are made.

## What a comment says

In this order, each part where there is something to say:

1. **Meaning**, where the vendor or public clients of its API show one; else what the name hints at, as "By its name".
2. **Personal data**, where the values identify or describe a person. It is a help for reviews and no guarantee: a field
   of any name may hold an address.
3. **Role**: what the table's profile takes the field for. Event time (with its format, and the zone of texts without an
   offset); who ({who}); what ({what}); link; key; part of the
   identity. Of an object, its fields that have a role. "Provisional" until the overlap of exports has confirmed them.
4. **Unit**: times, counts, JSON text, ids as text. A time that is not the event's stays as the vendor wrote it.
5. **Field**: the name in the vendor's records, and where its meaning is known from. It is cut at 60 bytes, and people's
   addresses and numbers in it are masked; the column's parameter `source` has the whole of it.

A comment follows its table: it changes when the profile is settled, when a rebuild decides otherwise, and with the
release. Otherwise a night changes none. **Write your own** in the Glue console, and it stays, in rebuilds too; delete
it, and the next load writes ours. The comment of `dt` alone is as it was when the table was made, since partition keys
are not touched; so it names no time zone, and `_event_at` does.

## Columns of ours

Every merged table has them; an entity table lacks `{event_at}` and `{day}`.

{own}

## What Symplify's fields mean

{origins}

Names match in any style: `contactId`, `contact_id`, `ContactID`.

### In every export

{common}
{exports}
## `{runs}`

A row a run, failed or not. The table never loses a column; new ones come at the end, and old rows have nulls there.

{run_columns}

## The views

They are made of the tables by the roles of their fields, whatever those are called, and a lake has those that its
tables can give ([metrics](metrics.md), [queries](queries.md)). Types are Athena's.
{views}"""
_ORIGINS = {
    Origin.WEBHOOKS: "the vendor's documentation of its webhooks, whose records have fields of these names",
    Origin.CLIENTS: "the vendor's REST objects as two public clients name their fields; we say what the names say",
}


def page() -> str:
    """The whole page, in Markdown."""
    named = {"fields": "the event time's field", "zone": "the table's time zone"}
    own = [(f"`{name}`", kind, words.format(**named)) for name, (kind, words) in OWN_COLUMNS.items()]
    runs = [(f"`{name}`", kind, words) for name, (kind, words) in export_runs.COLUMNS.items()]
    return _TEXT.format(
        who=", ".join(WHO),
        what=", ".join(WHAT),
        event_at=next(iter(OWN_COLUMNS)),
        day=DAY,
        own=_table(("column", "type", "meaning"), [*own, (f"`{DAY}`", "string", DAY_COMMENT)]),
        origins="\n".join(f"- *{origin}*: {words}." for origin, words in _ORIGINS.items()),
        common=_fields(COMMON),
        exports="".join(f"\n### {names}\n\n{_fields(fields)}\n" for names, fields in _sections().items()),
        runs="export_runs",
        run_columns=_table(("column", "type", "meaning"), runs),
        views="".join(map(_view, _views())),
    )


def _views() -> tuple[View, ...]:
    """All views, as of tables with the vendor's documented fields."""
    roles = {"contact": "contactId", "campaign": "campaignId", "link": "linkTarget"}
    columns = tuple(Column(source, snake_case(source), Kind.ID) for source in roles.values())
    profile = Profile((EventTime("timestamp", TimeFormat.ISO_8601, "UTC"),), roles=roles)
    table = Table(Schema(columns, frozenset(roles.values())), profile, "UTC", "")
    return views(dict.fromkeys(EVENT_TYPES.values(), table), frozenset({RUNS_TABLE}), has_engagement=True)


def _view(one: View) -> str:
    columns = [(f"`{column.name}`", column.type, column.comment) for column in one.columns]
    return f"\n### `{one.name}`\n\n{one.description}\n\n{_table(('column', 'type', 'meaning'), columns)}\n"


def _sections() -> Mapping[str, Mapping[str, Meaning]]:
    """The fields of exports; those that share them share a section."""
    together: dict[int, list[str]] = {}
    for name, fields in OF_EXPORT.items():
        together.setdefault(id(fields), []).append(name)
    return {" and ".join(names): OF_EXPORT[names[0]] for names in together.values()}


def _fields(fields: Mapping[str, Meaning]) -> str:
    return _table(
        ("field", "meaning", "unit", "personal", "known from"),
        [
            (f"`{name}`", one.words, one.unit.value, "yes" if one.is_personal else "", one.origin.value)
            for name, one in fields.items()
        ],
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("|  |", "| |").replace("|  |", "| |")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
