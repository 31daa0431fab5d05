"""In-process fakes of S3, Glue, DynamoDB and Secrets Manager: real boto3 clients whose calls are answered from memory.

Paginators, resources, events, transfers and parameter validation are boto3's; only the HTTP request is left out, so a
call is tens of times cheaper than a mocked request. `test_contract.py` compares the responses with moto's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from threading import Lock
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from tests.unit.aws.dynamodb import DynamoDB
from tests.unit.aws.failure import AwsFailure
from tests.unit.aws.glue import Glue
from tests.unit.aws.s3 import S3
from tests.unit.aws.secrets import Secrets


class Aws:
    """The fakes of all services, and their state."""

    def __init__(self) -> None:
        self._services: dict[str, Any] = {
            "s3": S3(),
            "glue": Glue(),
            "dynamodb": DynamoDB(),
            "secretsmanager": Secrets(),
        }
        # Transfers call from several threads.
        self._lock = Lock()

    def answer(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a call.

        Raises:
            AwsFailure: the service refuses it.
        """
        with self._lock:
            answer: dict[str, Any] | None = getattr(self._services[service], operation)(**params)
        return answer or {}

    def snapshot(self) -> Mapping[str, Any]:
        """A snapshot of the state, for `restore`."""
        return deepcopy(self._services)

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Reset the state to a snapshot."""
        self._services = dict(deepcopy(snapshot))


@contextmanager
def in_process_aws() -> Iterator[Aws]:
    """Route every call of every boto3 client to an empty fake."""
    aws = Aws()

    def call(client: Any, operation: str, given: Mapping[str, Any]) -> Any:
        return _call(aws, client, operation, given)

    with patch.object(BaseClient, "_make_api_call", call):
        yield aws


def _call(aws: Aws, client: Any, operation: str, given: Mapping[str, Any]) -> Any:
    """As botocore's method, with the same events in the same order, but without the request."""
    model = client.meta.service_model.operation_model(operation)
    context: dict[str, Any] = {"client_region": client.meta.region_name, "client_config": client.meta.config}
    params = client._emit_api_params(api_params=given, operation_model=model, context=context)
    if model.input_shape is not None:
        report = ParamValidator().validate(params, model.input_shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
    name = f"{client.meta.service_model.service_id.hyphenize()}.{operation}"
    request = {"headers": {}, "body": b"", "method": "", "url_path": "/", "query_string": {}, "context": context}
    client.meta.events.emit_until_response(
        f"before-call.{name}", model=model, params=request, request_signer=None, context=context
    )
    status, answer = 200, {}
    try:
        answer = aws.answer(client.meta.service_model.service_name, operation, params)
    except AwsFailure as failure:
        status, answer = failure.status, {"Error": {"Code": failure.code, "Message": failure.message}}
    answer["ResponseMetadata"] = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RequestId": "0", "RetryAttempts": 0}
    http = SimpleNamespace(status_code=status, headers={})
    client.meta.events.emit(f"after-call.{name}", http_response=http, parsed=answer, model=model, context=context)
    if status >= 300:
        raise client.exceptions.from_code(answer["Error"]["Code"])(answer, operation)
    return answer
