"""Versions of formats on disk: data that a newer version of this code wrote is refused and never interpreted."""


class WrittenByNewer(Exception):
    """Stored data was written by a newer version of this stack than the one that reads it."""


def check_version(found: object, known: int, what: str) -> int:
    """Return the version of `what`, given its stored `schema_version`, which is missing before version 1.

    Raises:
        WrittenByNewer: it is newer than `known`.
    """
    version = int(str(found)) if found is not None else 1
    if version > known:
        raise WrittenByNewer(
            f"{what} was written by a newer version of this stack (schema version {version}; this one knows {known}). "
            "Deploy the newer version again; nothing was changed."
        )
    return version
