"""`make demo`'s own command: a whole night from nothing, and nothing left."""

import re
from pathlib import Path

from lambdas.vocabulary import EXPORT_TYPES
from local.demo import NEXT, QUERIES
from local.report import FOLDER
from tests.conftest import ROOT, local
from tests.local.test_cli import left_over


def masked(lines: str) -> list[str]:
    """The lines without what differs from run to run: digits, and the width of columns."""
    return [re.sub(r"─+", "─", " ".join(re.sub(r"[\d.,]*\d", "0", line).split())) for line in lines.splitlines()]


def test_the_demo_shows_a_whole_night_and_leaves_nothing(tmp_path: Path) -> None:
    done = local("demo", home=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" loaded") >= 2 * len(EXPORT_TYPES)
    for export in EXPORT_TYPES:
        assert export in done.stdout
    for title in QUERIES:
        assert title in done.stdout
    assert "no rows" not in done.stdout
    (shown,) = re.findall(
        r"^<!-- demo: [^\n]*\n```\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    printed = iter(masked(done.stdout))
    assert all(line in printed for line in masked(shown)), "README.md shows other lines, or in another order"
    assert done.stdout.rstrip().splitlines()[-len(NEXT) :] == [f"{words:<13}  {line}" for words, line in NEXT.items()]
    assert left_over(tmp_path) == [tmp_path / FOLDER]
    (report,) = (tmp_path / FOLDER).iterdir()
    assert f"\n{report}\n" in done.stdout
    words = re.sub(r"<[^>]*>|\s+", " ", report.read_text())
    assert "Every export that is switched on succeeded in the last day." in words
    assert "find their send in the lake" in words
    assert "What became of the sends is not known" not in words
