"""How an operation of the AWS in the process refuses."""


class AwsFailure(Exception):
    """AWS's code and sentence; clients raise it as a `ClientError`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
