"""Copy a result into an object by a multipart upload of ranges read in parallel, or in one request if need be.

Memory is flat: READERS parts are in flight, each in memory once while it is read, sent, and waits for those before it;
and one more while its MD5 is added.

The multipart upload is the checkpoint: the parts that S3 lists are done. The ledger records which upload it is and
which version of the source its parts belong to, since S3 lists neither.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import md5
from io import BytesIO
from itertools import islice

from lambdas.lake.storage.landing import PART_BYTES, Landed, Landing, Part
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Upload
from lambdas.symplify.answers import RateLimited, Refused, Unavailable
from lambdas.symplify.link_renewal import READERS, Remote
from lambdas.symplify.result import Broken, Result, SourceChanged, Span, Version

# A range that breaks is requested again at once; after that the machine waits and calls again.
_TRIES = 3
# A part is begun while BEGIN_SECONDS are left and given up below STOP_SECONDS, which is enough to complete the upload,
# write the manifest and answer.
BEGIN_SECONDS = 10.0
STOP_SECONDS = 5.0
# Of a trial: enough to see a copy of several calls, few enough for any file's history.
TRIAL_CALLS = 20

Remaining = Callable[[], float]
"""How many seconds the function has left."""


@dataclass(frozen=True)
class Partial:
    """The time is up, and the next call resumes from the parts that were copied."""


@dataclass(frozen=True)
class Copied:
    """All bytes are copied; `md5` is declared by the source, `md5_verified` says whether it was compared."""

    landed: Landed
    md5: str | None
    md5_verified: bool


class _OutOfTime(Exception):
    """The function ends soon."""


CopyResult = Copied | Partial | RateLimited | Refused | Unavailable


class MultipartCopy:
    """The copy of one batch's result into one object."""

    def __init__(
        self,
        *,
        remote: Remote,
        landing: Landing,
        ledger: Ledger,
        batch_id: str,
        key: str,
        remaining: Remaining,
        part_bytes: int | None = None,
    ) -> None:
        """`part_bytes` makes it a trial: every call copies a few parts of that size, and the last one completes."""
        self._remote = remote
        self._landing = landing
        self._ledger = ledger
        self._batch_id = batch_id
        self._key = key
        self._remaining = remaining
        self._is_trial = part_bytes is not None
        self._part_bytes = part_bytes or PART_BYTES

    def copy(self) -> CopyResult:
        """Resume the upload of an earlier call, or begin one.

        Raises:
            Broken: the source does not send what it promises, or so slowly that a whole call copied no part.
            Damaged: S3 has other bytes than were sent.
        """
        upload = self._ledger.upload(self._batch_id)
        if upload is not None:
            parts = self._landing.parts(self._key, upload.id)
            if parts is not None:
                try:
                    return self._by_ranges(upload, parts, None)
                except SourceChanged:
                    self._landing.abort(self._key, upload.id)
        return self._begin()

    def _begin(self) -> CopyResult:
        first = self._remote.first(self._part_bytes, self._patience())
        if not isinstance(first, Result):
            return first
        if first.version is None:
            return self._in_one_request(first)
        version = first.version
        upload = Upload(self._landing.start(self._key), version.etag, version.length, first.md5)
        self._ledger.write_upload(self._batch_id, upload)
        try:
            return self._by_ranges(upload, [], first)
        except SourceChanged:
            self._landing.abort(self._key, upload.id)
            return Unavailable("The result changes while it is read.")

    def _in_one_request(self, result: Result) -> CopyResult:
        try:
            return Copied(
                self._landing.store(self._key, self._timed(result.chunks())), result.md5, result.md5 is not None
            )
        except _OutOfTime:
            return Refused(
                "The result does not fit into one call of the function, and its source does not allow several: it "
                "serves no ranges, or does not give the version of the file (ETag)."
            )

    def _by_ranges(self, upload: Upload, listed: Sequence[Part], first: Result | None) -> CopyResult:
        spans = dict(enumerate(_spans(upload.length, self._part_bytes), start=1))
        done = {part.number: part for part in listed if part.number in spans and part.size == spans[part.number].length}
        most = -(-len(spans) // TRIAL_CALLS) if self._is_trial else len(spans)
        missing = deque(islice((number for number in spans if number not in done), most))
        # A trial's call that has copied a part never completes the upload, so that even one part takes two calls.
        is_to_resume = self._is_trial and bool(missing)
        in_flight: deque[Future[tuple[Part, bytes] | RateLimited | Refused | Unavailable]] = deque()
        digest, copied = md5(usedforsecurity=False), 0

        def fetch(number: int) -> tuple[Part, bytes] | RateLimited | Refused | Unavailable:
            body = self._read(spans[number], upload, first if number == 1 else None)
            return (self._landing.put(self._key, upload.id, number, body), body) if isinstance(body, bytes) else body

        with ThreadPoolExecutor(READERS) as pool:
            while True:
                while missing and len(in_flight) < READERS and self._remaining() > BEGIN_SECONDS:
                    in_flight.append(pool.submit(fetch, missing.popleft()))
                if not in_flight:
                    break
                try:
                    outcome = in_flight.popleft().result()
                except _OutOfTime:
                    continue
                if not isinstance(outcome, tuple):
                    return outcome
                part, body = outcome
                done[part.number] = part
                digest.update(body)
                copied += 1
                # Free the memory before the next part is there.
                del outcome, body
        if is_to_resume or len(done) < len(spans):
            if copied == 0:
                raise Broken("The source is so slow that no part was copied within a whole call of the function.")
            return Partial()
        # Parts arrive here in their order, so the MD5 of a copy in one call is known; that of a copy in several calls
        # is verified when the object is read (`lake/storage/raw_object.py`), before anything is loaded.
        in_one_call = copied == len(spans)
        md5_verified = in_one_call and upload.md5 == digest.hexdigest()
        if in_one_call and upload.md5 is not None and not md5_verified:
            self._landing.abort(self._key, upload.id)
            raise Broken("The copied bytes do not have the MD5 that the source declares.")
        return Copied(self._landing.complete(self._key, upload.id, list(done.values())), upload.md5, md5_verified)

    def _read(self, span: Span, upload: Upload, opened: Result | None) -> bytes | RateLimited | Refused | Unavailable:
        """Read a range; one that breaks is tried again at once, a few times."""
        answer: Result | RateLimited | Refused | Unavailable | None = opened
        for tries_left in reversed(range(_TRIES)):
            if answer is None:
                answer = self._remote.range(span, Version(upload.etag, upload.length), self._patience())
            if isinstance(answer, RateLimited | Refused):
                return answer
            if isinstance(answer, Unavailable):
                if not tries_left:
                    return answer
            else:
                try:
                    body = BytesIO()
                    body.writelines(self._timed(answer.chunks()))
                    # Joined from a list, a part would be in memory twice.
                    return body.getvalue()
                except Broken:
                    if not tries_left:
                        raise
            answer = None
        raise AssertionError("unreachable")

    def _timed(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks, until the time is up.

        Raises:
            _OutOfTime: the time is up.
        """
        for chunk in chunks:
            if self._remaining() < STOP_SECONDS:
                raise _OutOfTime
            yield chunk

    def _patience(self) -> float:
        """How long to wait for one answer, so that a source that hangs leaves time to end the call."""
        return max(1.0, self._remaining() - STOP_SECONDS)


def _spans(length: int, part_bytes: int) -> Iterator[Span]:
    for first in range(0, length, part_bytes):
        yield Span(first, min(first + part_bytes, length) - 1)
