"""Times of native objects, read as Kubernetes reads them and written in the one form that it answers.

That is UTC, whole seconds (MicroTime: microseconds). What cannot be read is refused in the words of Go's time package,
which clients know.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

_LAYOUT = "2006-01-02T15:04:05{}Z07:00"
_PARTS = ("2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05")
_ZONE = r"Z|[+-]\d\d:\d\d"


class WrongTime(ValueError):
    pass


@lru_cache(1024)
def canonical(text: str, micro: bool) -> str:
    """Raises `WrongTime`."""
    _check(text, micro)
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).astimezone(UTC)
    except ValueError as error:
        raise WrongTime(f'parsing time "{text}": {error}') from error
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def _check(text: str, micro: bool) -> None:
    layout, rest = _LAYOUT.format(".000000" if micro else ""), text
    wanted = [(part, r"\d" * len(part) if part.isdigit() else part) for part in _PARTS]
    wanted.append((".000000", r"\.\d{6}") if micro else ("", r"(\.\d+)?"))
    wanted.append(("Z07:00", _ZONE))
    for part, form in wanted:
        found = re.match(form, rest)
        if found is None:
            raise WrongTime(f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{part}"')
        rest = rest[found.end() :]
    if rest:
        raise WrongTime(f'parsing time "{text}": extra text: "{rest}"')
