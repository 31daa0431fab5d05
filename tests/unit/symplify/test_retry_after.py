"""How long to wait after a 429."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from lambdas.symplify.retry_after import retry_after
from tests.unit.fakes import NOW

JITTER = 10


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 60),
        ("30", 30),
        (" 30 ", 30),
        ("1.5", 1),
        ("0", 1),
        ("-5", 1),
        ("99999999", 3600),
        ("inf", 3600),
        ("1e999", 3600),
        ("nan", 60),
        ("", 60),
        ("soon", 60),
        ("Wed, 99 Foo 2026 99:99:99 GMT", 60),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW + timedelta(seconds=90)).replace("+0000", "-0000"), 90),
        (format_datetime(NOW - timedelta(days=400), usegmt=True), 1),
        (format_datetime(NOW + timedelta(days=400), usegmt=True), 3600),
    ],
)
def test_the_header_counts_within_bounds_and_an_unusable_one_is_a_minute(header: str | None, seconds: int) -> None:
    assert seconds <= retry_after(header, NOW) <= seconds + JITTER + 1


def test_the_jitter_spreads_runs_that_wait_for_the_same_limit() -> None:
    assert len({retry_after(None, NOW) for _ in range(200)}) > 1
