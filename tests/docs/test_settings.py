"""The page of settings has every setting with its default."""

import re

import msgspec

from infra.settings import Settings
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "settings.md").read_text()


def test_the_page_has_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) *\|", PAGE, re.MULTILINE))
    fields = {field.encode_name: field.default for field in msgspec.structs.fields(Settings)}
    assert set(rows) == set(fields)
    for name, default in fields.items():
        shown = rows[name].strip("`")
        if isinstance(default, bool):
            assert shown == str(default).lower(), name
        elif isinstance(default, str | int | float):
            assert shown == str(default), name
