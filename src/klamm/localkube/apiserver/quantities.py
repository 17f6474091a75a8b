"""Quantities in the one form that Kubernetes stores and answers: "1024Mi" is "1Gi", 0.5 is "500m", 2 is "2".

Source: Kubernetes' "Quantity". The suffixes of a kind stay (binary, decimal, exponent), but for numbers that need none
and for what would lose precision.
"""

import re
from decimal import ROUND_UP, Decimal
from functools import lru_cache

from klamm.base.quantities import parsed

RULE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_NANO = Decimal("1e-9")


@lru_cache(4096)
def canonical(text: str) -> str | None:
    """None when it is no quantity."""
    number = parsed(text)
    if number is None:
        return None
    number = number.quantize(_NANO, ROUND_UP) if number.as_tuple().exponent < -9 else number  # type: ignore[operator]
    if number == 0:
        return "0"
    whole = number == number.to_integral_value()
    if text.strip().endswith("i") and whole and abs(number) >= 1024:
        return _binary(int(number))
    mantissa, exponent = _decimal(number)
    if re.search(r"[eE][+-]?\d+$", text):
        return f"{mantissa}e{exponent}" if exponent else str(mantissa)
    return f"{mantissa}{_DECIMAL.get(exponent, f'e{exponent}')}"


def _binary(number: int) -> str:
    power = 0
    while number % 1024 == 0 and power < len(_BINARY) - 1:
        number, power = number // 1024, power + 1
    return f"{number}{_BINARY[power]}"


def _decimal(number: Decimal) -> tuple[int, int]:
    """An integer and a power of ten that is a multiple of three, as large as can be."""
    exponent = -9
    mantissa = int(number.scaleb(9))
    while mantissa % 1000 == 0 and exponent < 18:
        mantissa, exponent = mantissa // 1000, exponent + 3
    return mantissa, exponent
