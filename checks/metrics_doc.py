"""Write the tables of metrics into docs/metrics.md: `python -m checks.metrics_doc`."""

from pathlib import Path

from lambdas.lake.views.metrics import COUNTS, RATES

DOCUMENT = Path(__file__).parent.parent / "docs" / "metrics.md"
_BEGIN, _END = "<!-- written by make docs -->\n", "<!-- end of what is written -->\n"


def tables() -> str:
    """The tables of counts and rates, in Markdown."""
    counts = [
        f"| `{one.name}` | {one.meaning} | {one.unit} | {one.vendor or '–'} | `{_cell(one.formula)}` |"
        for one in COUNTS
    ]
    rates = [
        f"| `{one.name}` | {one.meaning} | `{one.numerator}` | `{one.denominator}` | {one.vendor or '–'} |"
        for one in RATES
    ]
    return "\n".join(
        [
            "| count | what it is | unit | the vendor's wording | formula over rows of `email_sends` |",
            "|---|---|---|---|---|",
            *counts,
            "",
            "| rate | what it is | of these | the share of these | the vendor's wording |",
            "|---|---|---|---|---|",
            *rates,
            "",
        ]
    )


def renewed(text: str) -> str:
    """The document with the tables as they are now."""
    before, rest = text.split(_BEGIN)
    return f"{before}{_BEGIN}\n{tables()}\n{_END}{rest.split(_END)[1]}"


def _cell(formula: str) -> str:
    return formula.replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text()))
