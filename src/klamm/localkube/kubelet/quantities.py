"""Kubernetes' quantities ("500m", "2Gi", "1e3") as exact numbers (API reference, "Quantity")."""

import re
from fractions import Fraction

_FORM = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def quantity(text: str | int | float) -> Fraction:
    """Raises ValueError for what is no quantity."""
    match = _FORM.match(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is no quantity: write a number with one of the suffixes m k M G Ki Mi Gi …")
    number, exponent, suffix = Fraction(match[1]), match[2], match[3] or ""
    if exponent is not None:
        return number * Fraction(f"1e{int(exponent)}")
    if suffix in _BINARY:
        return number * (1 << _BINARY[suffix])
    return number * Fraction(f"1e{_DECIMAL[suffix]}")
