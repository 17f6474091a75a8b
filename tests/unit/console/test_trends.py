"""When a group's lag will be gone."""

import pytest

from klamm.console.health.trends import Trends, seconds_until_gone


@pytest.mark.parametrize(
    ("samples", "seconds"),
    [
        ([], None),
        ([(0, 0)], 0.0),
        ([(0, 100), (10, 50)], None),  # too few to tell
        ([(0, 300), (10, 200), (20, 100)], 10.0),
        ([(0, 100), (10, 200), (20, 300)], None),  # it grows
        ([(0, 100), (10, 100), (20, 100)], None),  # it stands
        ([(0, 400), (10, 300), (20, 350), (30, 100)], 100 / 8.5),  # a burst in between
        ([(5, 1), (5, 2), (5, 3)], None),  # no time went by
        ([(0, 50), (10, 20), (20, 0)], 0.0),
    ],
)
def test_seconds_until_gone(samples: list[tuple[float, int]], seconds: float | None) -> None:
    found = seconds_until_gone(samples)
    assert found == (None if seconds is None else pytest.approx(seconds))


def test_looks_are_remembered_within_bounds_and_not_more_often_than_needed() -> None:
    trends = Trends(samples=3, every=10.0)
    for at in range(0, 100, 5):
        trends.add(float(at), {"shop": 1000 - at, "gone": 1})
    assert [at for at, _ in trends.of("shop")] == [70.0, 80.0, 90.0]
    assert trends.gone_in("shop") == pytest.approx(910.0)
    trends.add(100.0, {"shop": 900})
    assert trends.of("gone") == []
    trends.forget("shop")
    assert trends.gone_in("shop") is None
