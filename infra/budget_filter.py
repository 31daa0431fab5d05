"""The settings of the monthly budget: whose costs it counts, and who hears of it."""

from collections.abc import Mapping, Sequence

# Of AWS Budgets, which sends each notification to at most so many addresses.
_MOST_ADDRESSES = 10


def cost_filters(tag: str, tags: Mapping[str, str]) -> dict[str, list[str]]:
    """The filter of AWS Budgets for the resources with the value of that tag; none for all costs of the account."""
    return {"TagKeyValue": [f"user:{tag}${tags[tag]}"]} if tag else {}


def problem(dollars: int, tag: str, tags: Mapping[str, str], addresses: Sequence[str]) -> str | None:
    """What is wrong with the settings of the budget, as a sentence; None when nothing is."""
    if tag and tag not in tags:
        return f"The setting budgetTag in cdk.json is '{tag}', which is no name in the setting tags."
    if dollars and not 1 <= len(addresses) <= _MOST_ADDRESSES:
        return (
            f"The setting monthlyBudgetUsd in cdk.json needs 1 to {_MOST_ADDRESSES} addresses in alertEmails, to which "
            f"AWS Budgets writes; there are {len(addresses)}."
        )
    return None
