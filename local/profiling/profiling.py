"""Profile files: each as the load would read it, and held against the earlier ones of its type."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lambdas.lake import engine
from local.problem import Misused
from local.profiling.audit import audit
from local.profiling.document import document
from local.profiling.options import Options, export_of
from local.profiling.reading import Known, Reading, read
from local.profiling.reprofile import reprofiled


def profile(files: Sequence[Path], options: Options) -> list[dict[str, Any]]:
    """The document of each file, in their order.

    Raises:
        Misused: a file cannot be read, or its export type is not known.
    """
    for file in files:
        _check(file)
    exports = [options.export or export_of(file) for file in files]
    known: dict[str, Known] = {}
    read_before: dict[str, list[Reading]] = {}
    documents = []
    with TemporaryDirectory() as folder, engine.connect(Path(folder)) as duck:
        for number, (file, export) in enumerate(zip(files, exports, strict=True)):
            before = known.get(export.name, Known())
            reading = read(
                duck,
                file,
                export,
                options.order(number),
                known=before,
                settings=options.settings,
                folder=Path(folder) / str(number),
            )
            reading = reprofiled(duck, reading, before, options.settings, Path(folder) / str(number))
            known[export.name] = reading.after(before)
            again = {one.file: one for one in known[export.name].loaded}
            earlier = [again.get(one.file, one) for one in read_before.get(export.name, ())]
            documents.append(document(reading, audit(duck, reading, earlier)))
            read_before[export.name] = [*earlier, reading]
    return documents


def _check(file: Path) -> None:
    if file.is_dir():
        raise Misused(f"{file} is a folder, and not a result file.")
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}.") from None
