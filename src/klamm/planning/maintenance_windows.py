"""Maintenance windows: when work that rolls pods, but does not press, may be done.

`spec.maintenanceTimeWindows` lists cron expressions in Quartz' form, read in UTC:
`seconds minutes hours day-of-month month day-of-week [year]`, e.g. `* * 0-1 ? * SUN,MON *` for the two hours
after midnight. A moment is inside a window when all its fields match. No windows means that any moment will
do.

Days of the week count from 1 = SUN (Quartz' rule, one more than cron's). One of the two day fields must be
left open (`?` or `*`), as in Quartz.
"""

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_OPEN = ("*", "?")

Match = Callable[[date], bool]


class UnreadableWindow(ValueError):
    """A cron expression that is no Quartz expression; the message says which field and what it may hold."""


@dataclass(frozen=True)
class Window:
    """A parsed expression. `fields` are the allowed seconds, minutes, hours, months and years (None: all)."""

    expression: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    day: Match

    def contains(self, moment: datetime) -> bool:
        """Whether the moment (any time zone) lies inside, to the second."""
        at = moment.astimezone(UTC)
        return (
            at.second in self.seconds
            and at.minute in self.minutes
            and at.hour in self.hours
            and at.month in self.months
            and at.year in self.years
            and self.day(at.date())
        )


def window_open(windows: Sequence[Window], now: datetime) -> bool:
    """Whether work that waits for a window may be done now."""
    return not windows or any(window.contains(now) for window in windows)


def parse_window(expression: str) -> Window:
    """Read one Quartz cron expression. Raises UnreadableWindow."""
    fields = expression.upper().split()
    if len(fields) not in (6, 7):
        raise UnreadableWindow(
            f"{expression!r} has {len(fields)} fields; write six or seven: "
            "seconds minutes hours day-of-month month day-of-week [year]"
        )
    seconds, minutes, hours, day_of_month, month, day_of_week = fields[:6]
    return Window(
        expression=expression,
        seconds=_numbers("seconds", seconds, 0, 59),
        minutes=_numbers("minutes", minutes, 0, 59),
        hours=_numbers("hours", hours, 0, 23),
        months=_numbers("month", month, 1, 12, _MONTHS),
        years=_numbers("year", fields[6] if len(fields) == 7 else "*", 1970, 2199),
        day=_day(day_of_month, day_of_week),
    )


def _numbers(field: str, text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """The values that a field allows: `*`, lists, ranges (22-2 goes over the end), steps (0/15, */5)."""
    allowed: set[int] = set()
    for part in text.split(","):
        allowed.update(_part(field, part, low, high, names or {}))
    return frozenset(allowed)


def _part(field: str, part: str, low: int, high: int, names: dict[str, int]) -> list[int]:
    span, _, step_text = part.partition("/")
    if "/" in part and not (step_text.isdigit() and int(step_text) > 0):
        raise UnreadableWindow(f"{part!r} in field {field}: the step after '/' must be a number from 1")
    step = int(step_text or 1)
    if span in _OPEN or (span == "" and step_text):
        return list(range(low, high + 1, step))
    first_text, dash, last_text = span.partition("-")
    first = _value(field, first_text, low, high, names)
    open_end = high if step_text else first
    last = _value(field, last_text, low, high, names) if dash else open_end
    if first <= last:
        return list(range(first, last + 1, step))
    size = high - low + 1
    return [(n - low) % size + low for n in range(first, last + size + 1, step)]


def _value(field: str, text: str, low: int, high: int, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if text.isdigit() and low <= int(text) <= high:
        return int(text)
    words = f" or {'/'.join(names)}" if names else ""
    raise UnreadableWindow(f"{text!r} in field {field}: write a number from {low} to {high}{words}")


def _day(day_of_month: str, day_of_week: str) -> Match:
    if day_of_month not in _OPEN and day_of_week not in _OPEN:
        raise UnreadableWindow(
            f"day-of-month {day_of_month!r} and day-of-week {day_of_week!r} are both set; leave one open with '?'"
        )
    if day_of_week in _OPEN:
        return _any_of([_month_day(part) for part in day_of_month.split(",")])
    return _any_of([_week_day(part) for part in day_of_week.split(",")])


def _any_of(matches: Sequence[Match]) -> Match:
    return lambda day: any(match(day) for match in matches)


def _month_day(part: str) -> Match:
    """`L` the last day, `L-3` three before it, `LW` the last weekday, `15W` the weekday nearest the 15th."""
    if part == "LW":
        return lambda day: day.day == _nearest_weekday(day, _last_day(day))
    if last := re.fullmatch(r"L(?:-(\d{1,2}))?", part):
        back = int(last[1] or 0)
        return lambda day: day.day == _last_day(day) - back
    if near := re.fullmatch(r"(\d{1,2})W", part):
        wanted = _value("day-of-month", near[1], 1, 31, {})
        return lambda day: wanted <= _last_day(day) and day.day == _nearest_weekday(day, wanted)
    allowed = _numbers("day-of-month", part, 1, 31)
    return lambda day: day.day in allowed


def _week_day(part: str) -> Match:
    """`6L` the month's last Friday, `6#3` its third, `L` alone Saturday, else names, numbers and ranges."""
    if part == "L":
        return lambda day: _week_number(day) == 7
    if special := re.fullmatch(r"(\w{1,3}?)(?:#([1-5])|L)", part):
        wanted, nth = _value("day-of-week", special[1], 1, 7, _DAYS), special[2]
        if nth is None:
            return lambda day: _week_number(day) == wanted and day.day + 7 > _last_day(day)
        return lambda day: _week_number(day) == wanted and (day.day - 1) // 7 + 1 == int(nth)
    allowed = _numbers("day-of-week", part, 1, 7, _DAYS)
    return lambda day: _week_number(day) in allowed


def _week_number(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> int:
    """The weekday nearest the `wanted` day of the month, never in another month (Quartz' W)."""
    weekday = day.replace(day=wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 7:
        return wanted + 1 if wanted < _last_day(day) else wanted - 2
    return wanted
