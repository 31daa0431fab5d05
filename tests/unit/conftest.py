"""Shared by all unit tests: no sockets, an AWS in the process, and the collaborators of a step."""

import os
from collections.abc import Iterator
from typing import Any

# Before any client is made.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "lake",
    "POWERTOOLS_METRICS_NAMESPACE": "lake",
}

import pytest  # noqa: E402

from lambdas.ledger.ledger import Ledger  # noqa: E402
from lambdas.settings import Settings  # noqa: E402
from lambdas.vocabulary import EXPORT_TYPES  # noqa: E402
from tests.unit.aws import clients  # noqa: E402
from tests.unit.aws.in_process import Aws, in_process_aws  # noqa: E402
from tests.unit.fakes import BUCKET, FakeHttp, make_settings  # noqa: E402


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """A unit test that opens a socket fails."""


@pytest.fixture
def aws() -> Iterator[Aws]:
    """DynamoDB, S3, Secrets Manager and Glue in the process, empty at first."""
    with in_process_aws() as made:
        yield made


@pytest.fixture
def table(aws: Aws) -> Any:
    """The ledger's table."""
    return clients.dynamodb().create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def ledger(table: Any) -> Ledger:
    """The ledger of OPENS."""
    return Ledger(table, EXPORT_TYPES["OPENS"])


@pytest.fixture
def s3(aws: Aws) -> Any:
    """S3, with the lake's bucket."""
    client = clients.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": client.meta.region_name})
    return client


@pytest.fixture
def settings() -> Settings:
    """Settings like those of a fresh deployment."""
    return make_settings()


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> FakeHttp:
    """Symplify and its file host, scripted; pauses between urllib3's own tries are recorded and not slept."""
    fake = FakeHttp()
    monkeypatch.setattr("urllib3.util.retry.time", fake.clock)
    return fake
