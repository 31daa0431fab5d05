"""Settings of which each is fine by itself and which mean nothing together."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.settings import Settings


def problem(settings: "Settings") -> str | None:
    """What is wrong with a combination, as a sentence without its end; None if nothing is."""
    if settings.delete_data_with_stack and settings.use_existing_data:
        return (
            "The settings deleteDataWithStack and useExistingData in cdk.json exclude each other: data that an earlier "
            "stack has left belong to no stack, so removing this one cannot delete them; unset one of the two"
        )
    return None
