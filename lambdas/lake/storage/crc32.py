"""CRC-32 of an object from the CRC-32s of its parts, and as S3 writes it.

A CRC is the remainder of a polynomial over GF(2). Bytes that follow multiply what came before by x to the power of
their bits, so CRC(a + b) = CRC(a) * x^(8 |b|) + CRC(b), modulo CRC-32's polynomial (zlib's `crc32_combine`, which
Python's zlib module lacks). Bits are reflected: the highest one is x^0.
"""

import base64
from collections.abc import Iterable
from functools import cache

_POLYNOMIAL = 0xEDB88320
_ONE, _X = 1 << 31, 1 << 30


def combined(parts: Iterable[tuple[int, int]]) -> int:
    """The CRC-32 of consecutive parts, each given as its CRC-32 and its length in bytes."""
    whole = 0
    for crc, length in parts:
        whole = _times(_power(8 * length), whole) ^ crc
    return whole


def as_text(crc: int) -> str:
    """Base64 of the big-endian bytes: the form of S3's checksum headers."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


def from_text(text: str) -> int:
    """The reverse of `as_text`."""
    return int.from_bytes(base64.b64decode(text), "big")


@cache
def _power(exponent: int) -> int:
    """x to that power; cached, since parts share their size."""
    power, square = _ONE, _X
    while exponent:
        if exponent & 1:
            power = _times(square, power)
        square = _times(square, square)
        exponent >>= 1
    return power


def _times(a: int, b: int) -> int:
    product = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
    return product
