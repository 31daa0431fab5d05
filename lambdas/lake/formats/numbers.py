"""JSON numbers by their text: their exact value, and whether a double or a 64-bit integer represents it."""

import math
import re
from dataclasses import dataclass

_INT64 = range(-(2**63), 2**63)
# More significant digits of a double are artefacts.
_DOUBLE_DIGITS = 17

_PARTS = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)0*([0-9]+))?")
_LONGEST_EXPONENT = 18


@dataclass(frozen=True)
class Number:
    """A number in canonical form: sign, digits (without zeros at either end, none for zero) and power of ten."""

    sign: str
    digits: str
    power: int

    @property
    def whole(self) -> int | None:
        """The number as a 64-bit integer, if it is one (`5.0` is)."""
        if not self.digits:
            return 0
        if self.power < 0 or len(self.digits) + self.power > 19:
            return None
        value = int(self.sign + self.digits + "0" * self.power)
        return value if value in _INT64 else None

    def __str__(self) -> str:
        whole = self.whole
        return f"d{self.sign}{self.digits}e{self.power}" if whole is None else f"i{whole}"


def parse(text: bytes | str) -> Number | None:
    """Parse a JSON number; None when its exponent is absurdly large."""
    parts = _PARTS.fullmatch(text if isinstance(text, str) else text.decode("ascii"))
    if parts is None:
        raise ValueError("That is no JSON number.")
    sign, whole, fraction, exponent_sign, exponent = parts.groups(default="")
    if len(exponent) > _LONGEST_EXPONENT:
        return None
    digits = (whole + fraction).lstrip("0")
    kept = digits.rstrip("0")
    if not kept:
        return Number("", "", 0)
    power = int(f"{exponent_sign}{exponent or 0}") - len(fraction) + len(digits) - len(kept)
    return Number(sign, kept, power)


def spelling(text: bytes) -> str:
    """The canonical spelling of a number."""
    number = parse(text)
    return f"d{text.decode()}" if number is None else str(number)


def double(text: bytes) -> tuple[float | None, bool]:
    """The nearest double, if there is one, and whether it is exact to the digits written."""
    value, number = float(text), parse(text)
    if number is None or not math.isfinite(value):
        return None, False
    if not number.digits:
        # The engine keeps the sign of -0.0; the integer -0 has none.
        return (0.0 if text.lstrip(b"-").isdigit() else value), True
    shown = len(number.digits)
    return value, shown <= _DOUBLE_DIGITS and parse(f"{value:.{shown - 1}e}") == number
