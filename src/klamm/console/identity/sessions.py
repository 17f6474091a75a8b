"""Who is logged in. The browser holds a random token, the table only its hash: what leaks from here opens nothing."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from klamm.console.rights import Principal

IDLE = 4 * 3600.0
LONGEST = 24 * 3600.0
"""Seconds after the log-in; then roles are asked for anew."""

MOST = 10_000
MOST_OF_ONE = 50


@dataclass(frozen=True, slots=True)
class Session:
    who: Principal
    begun: float
    used: float


class Sessions:
    """`token`: makes what nobody can guess. Times are seconds of a clock that never goes back."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token
        self._open: OrderedDict[str, Session] = OrderedDict()

    def open(self, who: Principal, now: float) -> str:
        """The token. When there are too many, those that were used longest ago end."""
        self._end_old(now)
        his = [key for key, one in self._open.items() if one.who.name == who.name]
        for key in his[: max(0, len(his) - MOST_OF_ONE + 1)]:
            del self._open[key]
        while len(self._open) >= MOST:
            self._open.popitem(last=False)
        token = self._token()
        self._open[_hash(token)] = Session(who, now, now)
        return token

    def of(self, token: str, now: float) -> Principal | None:
        key = _hash(token)
        session = self._open.get(key)
        if session is None:
            return None
        if _is_over(session, now):
            del self._open[key]
            return None
        self._open[key] = replace(session, used=now)
        self._open.move_to_end(key)
        return session.who

    def close(self, token: str) -> Principal | None:
        """Whose it was."""
        session = self._open.pop(_hash(token), None)
        return session.who if session else None

    def _end_old(self, now: float) -> None:
        for key in [key for key, one in self._open.items() if _is_over(one, now)]:
            del self._open[key]

    def __len__(self) -> int:
        return len(self._open)


def _is_over(session: Session, now: float) -> bool:
    return now - session.used > IDLE or now - session.begun > LONGEST


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
