"""Stored items carry the schema version that wrote them; one of a newer version is refused, never guessed at."""


class WrittenByNewer(Exception):
    """A newer version of this stack wrote something that this one is to read."""


def check_version(found: object, known: int, what: str) -> None:
    """Accept what this version or an earlier one wrote; `found` is the stored `schema_version`, None before version 1.

    Raises:
        WrittenByNewer: it is newer than `known`.
    """
    version = int(str(found)) if found is not None else 1
    if version > known:
        raise WrittenByNewer(
            f"{what} was written by a newer version of this stack (schema version {version}; this one knows {known}). "
            "Deploy the newer version again; nothing was changed."
        )
