"""Kubernetes quantities as exact numbers: one reader for the whole house."""

from decimal import Decimal

import pytest

from klamm.base.quantities import InvalidQuantity, parsed, quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4", 4),
        ("500m", "0.5"),
        ("1Gi", 1 << 30),
        ("1.5Ki", 1536),
        ("2e3", 2000),
        ("1E", 10**18),
        ("100k", 100_000),
        ("-1", -1),
        (3, 3),
        (0.5, "0.5"),
        (".5", "0.5"),
        ("1.5k", 1500),
        ("1e-3", "0.001"),
    ],
)
def test_a_quantity_is_an_exact_number(text: str | int, number: int | str) -> None:
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "Gi", "1gb", "1 Gi", "1e", "0x1", "ten", "10gi", "--1", "1e9999999", "١"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuantity, match="not a quantity"):
        quantity(text)
    assert parsed(text) is None
