"""What is stored says by which version of this code it was written; a newer one's is refused and never guessed at."""


class WrittenByNewer(Exception):
    """Something stored was written by a newer version of this stack than the one that reads it."""


def check_version(found: object, known: int, what: str) -> None:
    """Take what this version or an earlier one wrote; `found` is the stored `schema_version`, missing before version 1.

    Raises:
        WrittenByNewer: it is newer than `known`.
    """
    version = int(str(found)) if found is not None else 1
    if version > known:
        raise WrittenByNewer(
            f"{what} was written by a newer version of this stack (schema version {version}; this one knows {known}). "
            "Deploy the newer version again; nothing was changed."
        )
