"""Errors of AWS, by their codes."""

from botocore.exceptions import ClientError


def error_code(error: ClientError) -> str:
    """The code by which AWS names an error, such as `ConditionalCheckFailedException`; empty when there is none."""
    return error.response.get("Error", {}).get("Code", "")
