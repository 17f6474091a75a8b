"""Columns and spans of time."""

import pytest

from klamm.cli.columns import aligned, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0.9, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (600, "10m"),
        (3600 * 3 - 1, "179m"),
        (3600 * 5 + 600, "5h10m"),
        (3600 * 8, "8h"),
        (86400 * 3 + 3600 * 4, "3d4h"),
        (86400 * 40, "40d"),
    ],
)
def test_a_span_has_two_units_while_they_matter(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned([["NAME", "AGE"], ["my-cluster", "5s"], ["a", ""]]) == [
        "NAME         AGE",
        "my-cluster   5s",
        "a",
    ]


def test_nothing_has_no_lines() -> None:
    assert aligned([]) == []
