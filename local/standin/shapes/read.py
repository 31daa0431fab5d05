"""Shape files: found by name or path, read, and checked against the stand-in's records."""

from pathlib import Path

import msgspec

from lambdas.vocabulary import EXPORT_TYPES
from local.standin.containers import container
from local.standin.shapes.definition import BadShape, ExportShape, Shape
from local.standin.shapes.reshape import FACTS, reshaper
from local.standin.shapes.sources import SOURCES, sample

READY = Path(__file__).parents[2] / "shapes"


def place(named: str) -> Path:
    """The file of a ready shape of that name, or else the path that was given.

    Raises:
        BadShape: there is neither.
    """
    ready = {path.stem: path for path in sorted(READY.glob("*.json"))}
    path = ready.get(named, Path(named))
    if not path.is_file():
        raise BadShape(f"There is no shape file {named}, and no ready shape of that name; there is {', '.join(ready)}.")
    return path


def read(named: str) -> Shape:
    """Read a shape by its name or path.

    Raises:
        BadShape: there is no such file, or it is no shape.
    """
    path = place(named)
    try:
        return _with_files(parsed(path.read_bytes()), path.parent)
    except OSError as error:
        raise BadShape(f"The shape {path} cannot be read: {error.strerror}.") from None
    except BadShape as error:
        raise BadShape(f"The shape {path} cannot be used: {error}") from None


def parsed(content: bytes) -> Shape:
    """Understand a shape.

    Raises:
        BadShape: it is none.
    """
    try:
        shape = msgspec.json.decode(content, type=Shape)
    except msgspec.DecodeError as error:
        raise BadShape(f"{error}.") from None
    _check_container(shape.container)
    for name, export in shape.exports.items():
        if name not in EXPORT_TYPES:
            raise BadShape(f"exports names the export type {name}; there are {', '.join(EXPORT_TYPES)}.")
        try:
            _check_container(export.container)
            _check_export(name, export)
        except BadShape as error:
            raise BadShape(f"exports.{name}: {str(error).rstrip('.')}.") from None
    return shape


def _with_files(shape: Shape, folder: Path) -> Shape:
    """The shape with the whole paths of its files."""
    exports = dict(shape.exports)
    for name, export in shape.exports.items():
        if export.file is not None:
            file = (folder / export.file).resolve()
            if not file.is_file():
                raise BadShape(f"exports.{name}: there is no file {file}.")
            exports[name] = msgspec.structs.replace(export, file=str(file))
    return msgspec.structs.replace(shape, exports=exports)


def _check_container(name: str | None) -> None:
    try:
        container(name or "array")
    except ValueError as error:
        raise BadShape(str(error)) from None


def _check_export(name: str, export: ExportShape) -> None:
    source = export.source or name
    if source not in SOURCES:
        raise BadShape(f"there is no source {source}; there are {', '.join(SOURCES)}")
    record = sample(source)
    # Whether a value is a time shows only in a record.
    reshaper(export, record)(record, dict.fromkeys(FACTS, 1))
