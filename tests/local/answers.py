"""AWS as a test scripts it, by botocore's Stubber: answers and parameters that its models refuse fail the test."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.stub import Stubber

Answer = Mapping[str, Any] | tuple[str, str]
"""What a call answers, or the code and message of its error."""


class Scripted:
    """A client that answers each operation as scripted, however often and in whatever order it is called."""

    def __init__(self, service: str, answers: Mapping[str, Answer]) -> None:
        """`answers` by `service__operation`; what is not among them is denied."""
        self._service = service
        self._answers = answers
        self._client: Any = boto3.client(
            service,  # type: ignore[call-overload]
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        self._stubber = Stubber(self._client)
        self._stubber.activate()

    def __getattr__(self, operation: str) -> Any:
        self._script(operation)
        return getattr(self._client, operation)

    def get_paginator(self, operation: str) -> Any:
        """The client's own, with one page."""
        self._script(operation)
        return self._client.get_paginator(operation)

    def _script(self, operation: str) -> None:
        answer = self._answers.get(f"{self._service}__{operation}", ("AccessDenied", f"no right to {operation}"))
        if isinstance(answer, tuple):
            self._stubber.add_client_error(operation, *answer)
        else:
            self._stubber.add_response(operation, dict(answer))
