"""The client of Symplify's API."""

import pytest

from lambdas.symplify.client import Client
from tests.unit.fakes import BASE_URL, TOKEN, FakeHttp
from tests.unit.symplify.calls import Secret


@pytest.fixture
def client(http: FakeHttp) -> Client:
    return Client(http, BASE_URL + "/", "4711", Secret(TOKEN))
