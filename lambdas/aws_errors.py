"""What an AWS call failed with."""

from botocore.exceptions import ClientError


def has_code(error: ClientError, *codes: str) -> bool:
    """Whether the service answered with one of these error codes."""
    return error.response.get("Error", {}).get("Code") in codes
