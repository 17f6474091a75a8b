"""Kubernetes quantities ("500m", "10Gi", "2e3", "4") as exact numbers (Kubernetes docs, "Quantity"); pure."""

import re
from decimal import Decimal
from typing import Final


class InvalidQuantity(ValueError):
    """Not a quantity; the message shows the text."""


_FORM: Final = re.compile(
    r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3})|([KMGTPE]i|[numkMGTPE]))?", re.ASCII
)
_SUFFIXES: Final = {
    **{f"{letter}i": Decimal(1024) ** (power + 1) for power, letter in enumerate("KMGTPE")},
    **{letter: Decimal(1000) ** (power + 1) for power, letter in enumerate("kMGTPE")},
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
}


def quantity(text: str | int | float) -> Decimal:
    """The exact number (cores, bytes, pieces). Raises `InvalidQuantity`."""
    found = parsed(text)
    if found is None:
        raise InvalidQuantity(
            f"{str(text)[:60]!r} is not a quantity; write a number with an optional suffix such as m, k, Mi or Gi"
        )
    return found


def parsed(text: str | int | float) -> Decimal | None:
    """The same, or None for what is no quantity."""
    found = _FORM.fullmatch(str(text).strip())
    if found is None:
        return None
    number, exponent, suffix = found.groups()
    if exponent is not None:
        return Decimal(f"{number}e{exponent}")
    return Decimal(number) * _SUFFIXES[suffix] if suffix else Decimal(number)
