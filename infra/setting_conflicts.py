"""Settings of which each is fine by itself and which mean nothing together."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.settings import Settings


def problem(settings: "Settings") -> str | None:
    """What is wrong with a combination, as a sentence without its end; None if nothing is."""
    if settings.poll_first_seconds > settings.poll_max_seconds:
        return (
            f"The setting pollFirstSeconds ({settings.poll_first_seconds}) is above pollMaxSeconds "
            f"({settings.poll_max_seconds}) in cdk.json; waits grow from the first to the second"
        )
    if settings.delete_data_with_stack and settings.use_existing_data:
        return (
            "The settings deleteDataWithStack and useExistingData in cdk.json exclude each other: data that an earlier "
            "stack has left belong to no stack, so removing this one cannot delete them; unset one of the two"
        )
    if settings.token_secret_key_arn and not settings.token_secret_arn:
        return (
            "The setting tokenSecretKeyArn in cdk.json is the key of the secret that tokenSecretArn names, and that is "
            "empty; the stack's own secret takes kmsKeyArn"
        )
    return None
