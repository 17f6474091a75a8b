"""Who is logged in. The browser holds a random token, the table only its hash: what leaks from here opens nothing."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from klamm.console.access.rights import Principal

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
        # In the order of their last use, and each user's in the order of their begins.
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._of_user: dict[str, list[str]] = {}

    def open(self, who: Principal, now: float) -> str:
        """The token. When there are too many, those that were used longest ago end."""
        while self._open and _is_over(next(iter(self._open.values())), now):
            self._end(next(iter(self._open)))
        while len(self._of_user.get(who.name, ())) >= MOST_OF_ONE:
            self._end(self._of_user[who.name][0])
        while len(self._open) >= MOST:
            self._end(next(iter(self._open)))
        token = self._token()
        self._open[_hash(token)] = Session(who, now, now)
        self._of_user.setdefault(who.name, []).append(_hash(token))
        return token

    def of(self, token: str, now: float) -> Principal | None:
        key = _hash(token)
        session = self._open.get(key)
        if session is None:
            return None
        if _is_over(session, now):
            self._end(key)
            return None
        self._open[key] = replace(session, used=now)
        self._open.move_to_end(key)
        return session.who

    def stands(self, token: str, now: float) -> bool:
        """Without counting as a use."""
        session = self._open.get(_hash(token))
        return session is not None and not _is_over(session, now)

    def close(self, token: str) -> Principal | None:
        """Whose it was."""
        return self._end(_hash(token))

    def _end(self, key: str) -> Principal | None:
        session = self._open.pop(key, None)
        if session is None:
            return None
        his = self._of_user[session.who.name]
        his.remove(key)
        if not his:
            del self._of_user[session.who.name]
        return session.who

    def __len__(self) -> int:
        return len(self._open)


def _is_over(session: Session, now: float) -> bool:
    return now - session.used > IDLE or now - session.begun > LONGEST


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
