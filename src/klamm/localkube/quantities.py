"""Quantities ("500m", "1Gi", "2e3", "4") → exact numbers (Kubernetes docs, "Quantity"); pure."""

import re
from decimal import Decimal
from typing import Final


class InvalidQuantity(ValueError):
    """Not a quantity; the message shows the text."""


_FORM: Final = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:([eE][+-]?[0-9]+)|([KMGTPE]i|[numkMGTPE]))?")
_SUFFIXES: Final = {
    **{f"{letter}i": Decimal(1024) ** (power + 1) for power, letter in enumerate("KMGTPE")},
    **{letter: Decimal(1000) ** (power + 1) for power, letter in enumerate("kMGTPE")},
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
}


def quantity(text: str | int | float) -> Decimal:
    """Return the exact number (cores, bytes, pieces). Raises `InvalidQuantity`."""
    found = _FORM.fullmatch(str(text).strip())
    if found is None:
        raise InvalidQuantity(
            f"{text!r} is not a quantity; write a number with an optional suffix such as m, k, Mi or Gi"
        )
    number, exponent, suffix = found.groups()
    return Decimal(number + (exponent or "")) * _SUFFIXES.get(suffix or "", Decimal(1))
