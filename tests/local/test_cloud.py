"""The embedded cloud starts whatever else happens on the machine."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cloud
from local.problem import Problem


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that something else listens at."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def test_a_port_that_is_lost_while_the_cloud_starts_is_replaced_by_another(
    tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = iter([taken_port, cloud.free_port(None)])
    monkeypatch.setattr(cloud, "free_port", lambda _: next(ports))
    booted = cloud.boot(tmp_path)
    try:
        assert booted.process.is_alive
        assert not booted.endpoint.endswith(str(taken_port))
    finally:
        booted.process.stop()


def test_a_chosen_port_that_is_lost_while_the_cloud_starts_is_reported(
    tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "free_port", lambda wanted: wanted)
    with pytest.raises(Problem, match=f"{taken_port}.*while the embedded cloud started"):
        cloud.boot(tmp_path, taken_port)
