"""`python -m checks.file_length`: no Python file is longer than 320 lines. A longer one does more than one thing."""

import sys
from pathlib import Path

MOST_LINES = 320
FOLDERS = ("benchmarks", "checks", "infra", "lambdas", "local", "tests")
_ROOT = Path(__file__).parent.parent


def too_long(root: Path) -> dict[str, int]:
    """The files above the limit, and their lines."""
    files = [*root.glob("*.py"), *(path for folder in FOLDERS for path in (root / folder).rglob("*.py"))]
    lines = {path.relative_to(root).as_posix(): len(path.read_text().splitlines()) for path in sorted(files)}
    return {name: count for name, count in lines.items() if count > MOST_LINES}


def main() -> int:
    """Print the files above the limit; return how many there are."""
    found = too_long(_ROOT)
    for name, count in found.items():
        print(f"{name}: {count} lines, and at most {MOST_LINES} are allowed; part it by what its parts do.")
    print(f"file length: {'failed' if found else 'clean'}")
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
