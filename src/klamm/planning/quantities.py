"""Kubernetes quantities as numbers: `500m`, `10Gi`, `1e3`, `2`."""

import re
from decimal import Decimal

from klamm.resources.structure import Quantity

_FORM = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {f"{letter}i": 10 * power for power, letter in enumerate("KMGTPE", 1)}


def quantity(value: Quantity) -> Decimal | None:
    """The number that a quantity stands for; None when it is none."""
    match = _FORM.match(str(value).strip())
    if match is None:
        return None
    number, exponent, suffix = match.groups()
    if exponent:
        return Decimal(number + exponent)
    if suffix in _BINARY:
        return Decimal(number) * Decimal(2 ** _BINARY[suffix])
    return Decimal(number).scaleb(_DECIMAL.get(suffix or "", 0))
