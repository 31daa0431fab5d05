"""The data dictionary is what the comments of the catalog are made of."""

from checks.data_dictionary import PAGE, page


def test_the_page_is_written_from_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "Write it again: make docs"
