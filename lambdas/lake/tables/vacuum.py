"""Vacuum: delete the superseded files of a table after their retention, when no query can still read them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from lambdas.lake.storage import keys
from lambdas.lake.storage.store import Store, StoredFile
from lambdas.lake.tables.catalog import Catalog
from lambdas.schema_version import WrittenByNewer
from lambdas.vocabulary import ExportType


def vacuum(export: ExportType, store: Store, catalog: Catalog, *, retention: timedelta, now: datetime) -> int:
    """Delete the files that nothing points to; return their number.

    Only the holder of the table's lease may call this: files of a run that is still writing look like orphans.
    """
    try:
        table = catalog.table(export)
    except WrittenByNewer:
        # This version may not know every file that the table needs.
        return 0
    if table is None or table.switching_to is not None:
        # Nothing is published yet, somebody dropped the table, which is no reason to delete its files, or a switch is
        # not complete.
        return 0
    # Of a table of any version: the type's name does not say whether it has days.
    has_days = bool(table.definition.get("PartitionKeys"))
    published = catalog.locations(export).values() if has_days else [table.location]
    live = {store.prefix(location) for location in published}
    found = list(store.objects(keys.table_prefix(export.table)))
    gone = list(_superseded(found, live, table.switched_at, retention=retention, now=now))
    gone += [item.key for item in store.objects(keys.shadow_tables_prefix(export))]
    store.delete(gone)
    return len(gone)


def _superseded(
    found: Iterable[StoredFile], live: set[str], switched_at: datetime | None, *, retention: timedelta, now: datetime
) -> Iterable[str]:
    """The keys whose retention is over, counted from when the file that replaced them was written or switched to.

    When exactly a file lost its readers is not recorded; it was not later than that.
    """
    by_day: dict[str, list[StoredFile]] = {}
    for item in found:
        by_day.setdefault(item.key.rsplit("/", 2)[0], []).append(item)
    for items in by_day.values():
        live_since = [item.written_at for item in items if _folder(item.key) in live]
        live_since += [switched_at] if switched_at else []
        for item in items:
            if _folder(item.key) not in live and max([item.written_at, *live_since]) + retention <= now:
                yield item.key


def _folder(key: str) -> str:
    return key.rsplit("/", 1)[0] + "/"
