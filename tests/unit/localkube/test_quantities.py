from decimal import Decimal

import pytest

from klamm.localkube.quantities import InvalidQuantity, quantity


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
    ],
)
def test_a_quantity_is_an_exact_number(text: str | int, number: int | str) -> None:
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "Gi", "1gb", "1 Gi", "1e", "0x1"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuantity, match="not a quantity"):
        quantity(text)
