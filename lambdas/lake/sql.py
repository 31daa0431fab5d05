"""Texts and names in SQL, for the engine as for Athena."""


def text(value: str) -> str:
    """A string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """A column's or table's name as an SQL identifier."""
    return '"' + value.replace('"', '""') + '"'
