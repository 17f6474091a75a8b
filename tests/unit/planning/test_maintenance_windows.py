"""Quartz expressions: which moments lie inside. 2026-03-01 is a Sunday."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from klamm.planning.maintenance_windows import UnreadableWindow, parse_window, window_open


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


INSIDE = [
    ("* * 0-1 ? * SUN,MON,TUE,WED,THU *", "2026-03-01 00:59:59"),
    ("* * 8-10 * * ?", "2026-03-02 10:00:00"),
    ("* * 22-2 ? * *", "2026-03-02 01:30:00"),
    ("* * * ? * FRI-MON", "2026-03-01 12:00:00"),
    ("* * * ? * 1", "2026-03-01 12:00:00"),
    ("* 0/15 * * * ?", "2026-03-02 08:45:10"),
    ("* */20 * * * ?", "2026-03-02 08:40:10"),
    ("* * * L * ?", "2026-02-28 01:00:00"),
    ("* * * L-3 * ?", "2026-02-25 01:00:00"),
    ("* * * LW * ?", "2026-02-27 01:00:00"),
    ("* * * 1W * ?", "2026-03-02 01:00:00"),
    ("* * * 15W * ?", "2026-03-16 01:00:00"),
    ("* * * ? * 6L", "2026-03-27 01:00:00"),
    ("* * * ? * FRI#3", "2026-03-20 01:00:00"),
    ("* * * ? JAN,MAR * 2026-2027", "2026-03-20 01:00:00"),
    ("* * * 1,15 * ?", "2026-03-15 01:00:00"),
]
OUTSIDE = [
    ("* * 0-1 ? * SUN,MON,TUE,WED,THU *", "2026-03-01 02:00:00"),
    ("* * 0-1 ? * SUN,MON,TUE,WED,THU *", "2026-03-06 00:30:00"),
    ("* * 22-2 ? * *", "2026-03-02 03:00:00"),
    ("* * * ? * FRI-MON", "2026-03-03 12:00:00"),
    ("* 0/15 * * * ?", "2026-03-02 08:46:10"),
    ("* * * L * ?", "2026-02-27 01:00:00"),
    ("* * * 31W * ?", "2026-02-27 01:00:00"),
    ("* * * ? * 6L", "2026-03-20 01:00:00"),
    ("* * * ? JAN * *", "2026-03-20 01:00:00"),
    ("* * * ? * * 2025", "2026-03-20 01:00:00"),
]


@pytest.mark.parametrize(("expression", "moment"), INSIDE)
def test_inside(expression: str, moment: str) -> None:
    assert parse_window(expression).contains(at(moment))


@pytest.mark.parametrize(("expression", "moment"), OUTSIDE)
def test_outside(expression: str, moment: str) -> None:
    assert not parse_window(expression).contains(at(moment))


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("* * *", "has 3 fields"),
        ("* * 25 ? * *", "'25' in field hours: write a number from 0 to 23"),
        ("* * * 1 * MON", "are both set"),
        ("* * * ? FOO *", "'FOO' in field month"),
        ("* 0/0 * ? * *", "step"),
        ("* 1-x * ? * *", "'X' in field minutes"),
    ],
)
def test_what_is_no_expression_is_told(expression: str, complaint: str) -> None:
    with pytest.raises(UnreadableWindow, match=complaint.replace("*", r"\*")):
        parse_window(expression)


def test_windows_are_read_in_utc() -> None:
    window = parse_window("* * 23 * * ?")
    assert window.contains(datetime(2026, 3, 2, 1, 0, tzinfo=timezone(timedelta(hours=2))))


def test_no_windows_means_any_moment() -> None:
    assert window_open([], at("2026-03-01 05:00:00"))
    assert not window_open([parse_window("* * 1 * * ?")], at("2026-03-01 05:00:00"))
