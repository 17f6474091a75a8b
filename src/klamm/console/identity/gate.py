"""Who asks: the session that a cookie names, and the ways to get one.

Every way ends in `_open`: a new token, a principal with the roles that it has now. Wrong passwords cost time per
account; checks of hashes stand in line, two at a time, so that guessing neither fills the memory nor takes the machine.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.console.access.rights import ANYBODY, Person, Principal, principal
from klamm.console.identity import directory
from klamm.console.identity.attempts import Attempts
from klamm.console.identity.openid import PENDING, NotLoggedIn, OpenIdDoor
from klamm.console.identity.sessions import Sessions
from klamm.console.identity.settings import Access, Form, Ldap, NoLogIn, OpenId
from klamm.console.problems import Problem, not_found
from klamm.console.routes import Cookie, Visit

_log = logs.room("console.identity")

_CHECKS_AT_ONCE = 2
_MOST_WAITING = 64
"""Log-ins that stand in line for a check; who comes then is sent away."""

_LONGEST_NAME = 256


class Gate:
    """`token`: makes what nobody can guess. `base`: the console's path; two on one host do not share cookies."""

    def __init__(self, access: Access, base: str, clock: Clock, token: Callable[[], str]) -> None:
        self.access = access
        self._base, self._clock = base, clock
        self._sessions, self._attempts = Sessions(token), Attempts()
        self._checks = asyncio.Semaphore(_CHECKS_AT_ONCE)
        self._waiting = 0
        self._calls: aiohttp.ClientSession | None = None
        providers = access.auth.providers if isinstance(access.auth, OpenId) else {}
        self._doors = {name: OpenIdDoor(one, clock, token, self._outward) for name, one in providers.items()}

    @property
    def is_open(self) -> bool:
        """Nobody logs in here."""
        return isinstance(self.access.auth, NoLogIn)

    async def identify(self, visit: Visit) -> Principal | None:
        if self.is_open:
            return ANYBODY
        token = visit.cookies.get(self._cookie(visit))
        return self._sessions.of(token, self._clock.monotonic()) if token else None

    async def log_in(self, visit: Visit, user: str, password: str) -> tuple[Principal, Cookie]:
        """By user and password. A Problem: 401 when they do not fit, 429 when too many did not."""
        auth = self.access.auth
        if not isinstance(auth, Form | Ldap):
            raise not_found("log-in by password", type(auth).__name__)
        now = self._clock.monotonic()
        if len(user) > _LONGEST_NAME:
            raise _wrong()
        account = directory.account(auth, user) if isinstance(auth, Ldap) else user
        wait = self._attempts.wait(account, now)
        if wait > 0:
            raise Problem(429, "TooManyAttempts", f"too many wrong passwords for this user; try again in {wait:.0f} s")
        if self._waiting >= _MOST_WAITING:
            raise Problem(429, "TooManyAttempts", "many log in at this moment; try again in a minute")
        self._attempts.begun(account, now)
        self._waiting += 1
        try:
            async with self._checks:
                person = await asyncio.to_thread(_checked, auth, user, password)
        except directory.NoAnswer as error:
            raise Problem(503, "NoDirectory", str(error)) from error
        finally:
            self._waiting -= 1
        if person is None:
            raise _wrong()
        self._attempts.right(account)
        return self._open(visit, person)

    async def begin(self, visit: Visit, provider: str, following: str) -> tuple[str, Cookie]:
        """The provider's address, and what the browser keeps until it is back."""
        redirect = f"{visit.origin}{self._base}/login/oauth2/code/{provider}"
        address, kept = await self._door(provider).begin(redirect, self.inside(following))
        return address, Cookie(self._pending_cookie(visit), kept, int(PENDING))

    async def finish(
        self, visit: Visit, provider: str, code: str, state: str, issuer: str
    ) -> tuple[Principal, str, tuple[Cookie, ...]]:
        """Who came back, where he goes on, and his cookies."""
        kept = visit.cookies.get(self._pending_cookie(visit), "")
        person, following = await self._door(provider).finish(kept, state, code, issuer)
        who, cookie = self._open(visit, person)
        return who, following, (cookie, Cookie(self._pending_cookie(visit), "", 0))

    def has_begun(self, visit: Visit, provider: str) -> bool:
        """Whether this browser was led to a provider that is known."""
        return provider in self._doors and self._pending_cookie(visit) in visit.cookies

    def stands(self, visit: Visit) -> bool:
        """Whether the session is still open; that one asks does not keep it so."""
        token = visit.cookies.get(self._cookie(visit))
        return self.is_open or (token is not None and self._sessions.stands(token, self._clock.monotonic()))

    def log_out(self, visit: Visit) -> tuple[Principal | None, Cookie]:
        """Whose session it was."""
        name = self._cookie(visit)
        token = visit.cookies.get(name)
        return (self._sessions.close(token) if token else None), Cookie(name, "", 0)

    def inside(self, path: str) -> str:
        """A path of this console, or its first page: a log-in leads nowhere else."""
        try:
            parts = urlsplit(path) if path.isprintable() else None
        except ValueError:
            parts = None
        is_inside = (
            parts is not None
            and not parts.scheme
            and not parts.netloc
            and path.startswith(f"{self._base}/")
            and not path.startswith("//")
            and "\\" not in path
            and ".." not in parts.path.split("/")
        )
        return path if is_inside else f"{self._base}/"

    async def close(self) -> None:
        if self._calls is not None:
            await self._calls.close()

    def _open(self, visit: Visit, person: Person) -> tuple[Principal, Cookie]:
        who = principal(person, self.access.roles)
        old = visit.cookies.get(self._cookie(visit))
        if old:
            self._sessions.close(old)
        return who, Cookie(self._cookie(visit), self._sessions.open(who, self._clock.monotonic()))

    def _door(self, provider: str) -> OpenIdDoor:
        door = self._doors.get(provider)
        if door is None:
            raise NotLoggedIn("this provider is not known here")
        return door

    def _cookie(self, visit: Visit) -> str:
        """With the prefix, browsers take it from this very host over TLS only."""
        return f"{'__Host-' if visit.secure else ''}klamm{self._base.replace('/', '-')}"

    def _pending_cookie(self, visit: Visit) -> str:
        return f"{self._cookie(visit)}-login"

    def _outward(self) -> aiohttp.ClientSession:
        if self._calls is None:
            self._calls = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=True)
        return self._calls


def _checked(auth: Form | Ldap, user: str, password: str) -> Person | None:
    """In a thread. A user who is not there takes as long as one who is."""
    if isinstance(auth, Ldap):
        return directory.person(auth, user, password)
    known = auth.accounts.get(user)
    compared = known or next(iter(auth.accounts.values()))
    if not compared.fits(password) or known is None:
        return None
    groups = auth.groups.get(user, frozenset())
    return Person(user, "login_form", {"user": frozenset({user}), "group": groups})


def _wrong() -> Problem:
    return Problem(401, "WrongPassword", "user and password do not fit together", "password")
