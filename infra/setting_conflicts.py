"""Settings of which each is fine by itself and which mean nothing together."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.settings import Settings

# Of AWS Budgets, which sends each notification to at most so many addresses.
_MOST_ADDRESSES = 10


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
    if settings.budget_tag and settings.budget_tag not in settings.tags:
        return f"The setting budgetTag in cdk.json is '{settings.budget_tag}', which is no name in the setting tags"
    if settings.monthly_budget_usd and not 1 <= len(settings.alert_emails) <= _MOST_ADDRESSES:
        return (
            f"The setting monthlyBudgetUsd in cdk.json needs 1 to {_MOST_ADDRESSES} addresses in alertEmails, to which "
            f"AWS Budgets writes; there are {len(settings.alert_emails)}"
        )
    return None
