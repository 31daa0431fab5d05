"""The error that an operation of the AWS fakes raises."""


class AwsFailure(Exception):
    """An AWS error code and message; clients raise it as a `ClientError`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
