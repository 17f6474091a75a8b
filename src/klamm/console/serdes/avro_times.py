"""Avro's logical types of time: numbers as people write them, and back. Writing raises ValueError for what is none."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = date(1970, 1, 1)


def _instant(parts: int) -> tuple[Callable[[int], str], Callable[[str], int]]:
    """`parts`: of a second."""

    def shown(value: int) -> str:
        moment = _EPOCH + timedelta(microseconds=value * (1_000_000 // parts))
        return moment.isoformat(timespec="milliseconds" if parts == 1000 else "microseconds").replace("+00:00", "Z")

    def meant(text: str) -> int:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(microseconds=1_000_000 // parts)

    return shown, meant


def _of_day(parts: int) -> tuple[Callable[[int], str], Callable[[str], int]]:
    def shown(value: int) -> str:
        whole = timedelta(microseconds=value * (1_000_000 // parts))
        if not timedelta() <= whole < timedelta(days=1):
            raise ValueError("no time of a day")
        return (datetime.min + whole).time().isoformat(timespec="milliseconds" if parts == 1000 else "microseconds")

    def meant(text: str) -> int:
        one = time.fromisoformat(text)
        whole = timedelta(hours=one.hour, minutes=one.minute, seconds=one.second, microseconds=one.microsecond)
        return whole // timedelta(microseconds=1_000_000 // parts)

    return shown, meant


def _shown_date(value: int) -> str:
    return (_DAY + timedelta(days=value)).isoformat()


def _meant_date(text: str) -> int:
    return (date.fromisoformat(text) - _DAY).days


WORDS: Mapping[tuple[str, str], tuple[Callable[[int], str], Callable[[str], int]]] = {
    ("date", "int"): (_shown_date, _meant_date),
    ("time-millis", "int"): _of_day(1000),
    ("time-micros", "long"): _of_day(1_000_000),
    ("timestamp-millis", "long"): _instant(1000),
    ("timestamp-micros", "long"): _instant(1_000_000),
}
"""By logical type and the type that carries it: how a number is shown, and what a text means."""
