"""The names of Symplify."""

from datetime import timedelta

import pytest

from lambdas.vocabulary import EXPORT_TYPES, Period, UnknownName, export_type, period


@pytest.mark.parametrize("name", ["OPENS", "opens", " Opens ", "OPENED", "opened"])
def test_a_type_is_found_in_any_case_and_by_its_alias(name: str) -> None:
    assert export_type(name) is EXPORT_TYPES["OPENS"]


@pytest.mark.parametrize("name", ["", "OPEN", "SMS"])
def test_an_unknown_type_is_refused_with_all_that_exist(name: str) -> None:
    with pytest.raises(UnknownName) as refused:
        export_type(name)

    assert all(known in str(refused.value) for known in EXPORT_TYPES)


@pytest.mark.parametrize("name", ["", "LAST_YEAR"])
def test_an_unknown_period_is_refused_with_all_that_exist(name: str) -> None:
    with pytest.raises(UnknownName) as refused:
        period(name)

    assert all(known in str(refused.value) for known in Period)


def test_a_period_is_trusted_for_a_day_less_than_its_name_says() -> None:
    assert period("last_3_days").trusted == timedelta(days=2)
    assert Period.TODAY.trusted == Period.LAST_DAY.trusted == timedelta(0)


def test_entities_have_no_event_time_and_events_do() -> None:
    entities = {name for name, export in EXPORT_TYPES.items() if not export.is_event}

    assert entities == {"LISTS", "CAMPAIGNS", "MESSAGES", "PROJECTS"}
