"""A copy of several calls, whatever the size of the result: what a smoke run asks for."""

from typing import Any

import pytest

from lambdas.lake.storage.landing import Landing
from lambdas.ledger.ledger import Ledger
from lambdas.steps import multipart_copy as module
from lambdas.steps.multipart_copy import MultipartCopy, Partial
from lambdas.symplify.client import Client
from lambdas.symplify.link_renewal import Remote
from tests.unit.fakes import BASE_URL, BUCKET, RESULT_HOST, RESULT_URL, TOKEN, FakeHttp
from tests.unit.steps.test_multipart_copy import CONTENT, ENOUGH, KEY, PART, Setup, is_whole


class Trial(Setup):
    """A copy whose parts have a size of their own."""

    def call(self, part_bytes: int | None) -> Any:
        """Call once, with a fresh link; None copies as usual."""
        self.http.answers(200, RESULT_URL)
        client = Client(self.http, BASE_URL, "4711", lambda: TOKEN)
        return MultipartCopy(
            remote=Remote(client, self.http, "7", (RESULT_HOST,), allow_loopback_http=False),
            landing=Landing(self.s3, BUCKET),
            ledger=self.ledger,
            batch_id="7",
            key=KEY,
            remaining=lambda: ENOUGH,
            part_bytes=part_bytes,
        ).copy()


@pytest.fixture
def setup(ledger: Ledger, http: FakeHttp, s3: Any) -> Trial:
    return Trial(ledger, http, s3)


@pytest.mark.parametrize(("size", "most", "calls"), [(1, 20, 1), (len(CONTENT), 20, 4), (len(CONTENT), 2, 2)])
def test_a_trial_takes_several_calls_for_a_file_of_any_size(
    setup: Trial, monkeypatch: pytest.MonkeyPatch, size: int, most: int, calls: int
) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 4 * PART)
    monkeypatch.setattr(module, "TRIAL_CALLS", most)
    setup.file.content = CONTENT[:size]

    for _ in range(calls):
        assert isinstance(setup.call(PART), Partial)
        assert setup.stored is None

    assert is_whole(setup, setup.call(PART), CONTENT[:size])
    assert len(setup.file.ranges) == -(-size // PART)


def test_a_copy_that_a_trial_began_is_completed_in_parts_of_the_usual_size(
    setup: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 2 * PART)
    for _ in range(2):
        assert isinstance(setup.call(PART), Partial)

    assert is_whole(setup, setup.call(None))
