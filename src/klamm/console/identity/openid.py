"""Log-in at somebody else's: the authorization code with PKCE, state and nonce; OpenID Connect, and GitHub's way.

    begin   → an address of the provider, and what this browser keeps until it comes back (a signed cookie)
    finish  → code and state come back; the code is changed for tokens from here, never through the browser

Nothing is kept here between the two, so nobody fills a table by beginning log-ins.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.console.access.rights import Person
from klamm.console.identity.settings import Provider

_log = logs.room("console.identity")

PENDING = 600.0
"""Seconds that somebody may take at the provider's."""

_PATIENCE = aiohttp.ClientTimeout(total=15)
_LARGEST = 1 << 20
_KEYS_AGE = 3600.0
_KEYS_PAUSE = 30.0
"""Seconds between two askings for keys because of tokens by unknown ones."""


class NotLoggedIn(Exception):
    """Why; said to the person, so without what only this console and the provider know."""


class Pending(msgspec.Struct, frozen=True):
    """What the browser keeps while it is away. `at`: seconds of the console's clock."""

    provider: str
    state: str
    nonce: str
    verifier: str
    redirect: str
    next: str
    at: float


@dataclass(frozen=True, slots=True)
class _Addresses:
    issuer: str
    authorization: str
    token: str
    keys: str
    user_info: str


class OpenIdDoor:
    """One provider. `token`: makes what nobody can guess; `session`: for calls to the provider."""

    def __init__(
        self, settings: Provider, clock: Clock, token: Callable[[], str], session: Callable[[], aiohttp.ClientSession]
    ) -> None:
        self.settings = settings
        self._clock, self._token, self._session = clock, token, session
        self._seal = token().encode()
        self._addresses: _Addresses | None = None
        self._keys: list[dict[str, Any]] = []
        self._keys_at = -_KEYS_AGE
        self._asking = asyncio.Lock()

    async def begin(self, redirect: str, following: str) -> tuple[str, str]:
        """Where to send the browser, and what it is to keep. `redirect`: where it comes back to."""
        addresses = await self._known()
        pending = Pending(
            self.settings.id,
            self._token(),
            self._token(),
            self._token(),
            self.settings.redirect or redirect,
            following,
            self._clock.monotonic(),
        )
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": pending.redirect,
            "scope": " ".join(self.settings.scopes),
            "state": pending.state,
            "code_challenge": _challenge(pending.verifier),
            "code_challenge_method": "S256",
        }
        if "openid" in self.settings.scopes:
            query["nonce"] = pending.nonce
        glue = "&" if "?" in addresses.authorization else "?"
        return f"{addresses.authorization}{glue}{urlencode(query)}", self._sealed(pending)

    async def finish(self, kept: str, state: str, code: str, issuer: str) -> tuple[Person, str]:
        """Who it is, and where he wanted to go."""
        pending = self._opened(kept)
        if not hmac.compare_digest(pending.state.encode(), state.encode()):
            raise NotLoggedIn("this log-in was not begun in this browser; begin again")
        addresses = await self._known()
        if issuer and addresses.issuer and issuer != addresses.issuer:
            raise NotLoggedIn("the answer came from another provider than was asked")
        found = await self._changed(pending, code, addresses)
        return person(self.settings, found), pending.next

    async def _changed(self, pending: Pending, code: str, addresses: _Addresses) -> Mapping[str, Any]:
        """A code for what is known of the person."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": pending.redirect,
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
            "code_verifier": pending.verifier,
        }
        given = await self._ask("POST", addresses.token, data={name: one for name, one in form.items() if one})
        if not isinstance(given, dict) or "error" in given:
            raise NotLoggedIn("the provider did not take the code; begin again")
        found: dict[str, Any] = {}
        if "openid" in self.settings.scopes:
            found.update(await self._believed(str(given.get("id_token", "")), pending.nonce, addresses))
        if addresses.user_info and self._needs_more(found):
            bearer = {"Authorization": f"Bearer {given.get('access_token', '')}"}
            more = await self._ask("GET", addresses.user_info, headers=bearer)
            if not isinstance(more, dict) or ("sub" in found and more.get("sub") != found["sub"]):
                raise NotLoggedIn("the provider tells of another person than its token")
            found = {**more, **found}
            if self.settings.kind == "oauth_github":
                found |= await self._of_github(addresses.user_info, bearer)
        return found

    def _needs_more(self, found: Mapping[str, Any]) -> bool:
        """A token that says who it is and what he belongs to is enough; some tell it elsewhere only."""
        wanted = [self.settings.user_claim, *filter(None, [self.settings.roles_claim])]
        return bool(self.settings.user_info) or any(_inner(found, one) is None for one in wanted)

    async def _of_github(self, address: str, bearer: Mapping[str, str]) -> dict[str, Any]:
        """Organizations, and teams as "organization/team" where the scope lets one see them."""
        lists = await self._ask("GET", f"{address}/orgs?per_page=100", headers=dict(bearer))
        found: dict[str, Any] = {"organizations": [one.get("login") for one in lists if isinstance(one, dict)]}
        if "read:org" in self.settings.scopes:
            teams = await self._ask("GET", f"{address}/teams?per_page=100", headers=dict(bearer))
            found["teams"] = [
                f"{(one.get('organization') or {}).get('login')}/{one.get('slug')}"
                for one in teams
                if isinstance(one, dict)
            ]
        return found

    async def _believed(self, token: str, nonce: str, addresses: _Addresses) -> Mapping[str, Any]:
        # Here, for it imports cryptography, which a console without such a log-in does not need.
        from klamm.console.identity.tokens import BadToken, UnknownKey, claims

        async def read(fresh: bool) -> Mapping[str, Any]:
            keys = await self._signing_keys(addresses, fresh)
            now = self._clock.now().timestamp()
            return claims(token, keys, issuer=addresses.issuer, client=self.settings.client_id, nonce=nonce, now=now)

        try:
            try:
                return await read(fresh=False)
            except UnknownKey:
                return await read(fresh=True)
        except BadToken as error:
            _log.warning("a provider's token is not believed", provider=self.settings.id, because=str(error))
            raise NotLoggedIn(f"the provider's token is not believed: {error}") from error

    async def _known(self) -> _Addresses:
        if self._addresses is None:
            self._addresses = await self._discovered()
        return self._addresses

    async def _discovered(self) -> _Addresses:
        own, found = self.settings, {}
        if own.issuer and not (own.authorization and own.token and own.keys):
            found = await self._ask("GET", f"{own.issuer.rstrip('/')}/.well-known/openid-configuration")
            if not isinstance(found, dict) or found.get("issuer") != own.issuer:
                _log.warning("a provider calls itself otherwise", provider=own.id, issuer=own.issuer)
                raise NotLoggedIn("the provider calls itself by another name than the console's settings (issuer-uri)")
        return _Addresses(
            own.issuer,
            own.authorization or str(found.get("authorization_endpoint", "")),
            own.token or str(found.get("token_endpoint", "")),
            own.keys or str(found.get("jwks_uri", "")),
            own.user_info or str(found.get("userinfo_endpoint", "")),
        )

    async def _signing_keys(self, addresses: _Addresses, fresh: bool) -> list[dict[str, Any]]:
        async with self._asking:
            age = self._clock.monotonic() - self._keys_at
            if age > _KEYS_AGE or (fresh and age > _KEYS_PAUSE) or not self._keys:
                found = await self._ask("GET", addresses.keys)
                keys = found.get("keys") if isinstance(found, dict) else None
                self._keys = [one for one in keys if isinstance(one, dict)] if isinstance(keys, list) else []
                self._keys_at = self._clock.monotonic()
            return self._keys

    async def _ask(self, method: str, address: str, **more: Any) -> Any:
        more.setdefault("headers", {})["Accept"] = "application/json"
        try:
            async with self._session().request(
                method, address, timeout=_PATIENCE, allow_redirects=False, **more
            ) as answer:
                content = bytearray()
                async for piece in answer.content.iter_chunked(1 << 16):
                    content += piece
                    if len(content) > _LARGEST:
                        raise ValueError(f"the answer has more than {_LARGEST >> 20} MiB")
                if answer.status >= 500 or (answer.status >= 300 and method == "GET"):
                    raise NotLoggedIn(f"the provider answers {answer.status}; try again later")
                return msgspec.json.decode(content)
        except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError) as error:
            where = urlsplit(address).hostname
            _log.warning(
                "a provider does not answer as it should", provider=self.settings.id, host=where, because=error
            )
            raise NotLoggedIn("the provider does not answer as it should; try again later") from error

    def _sealed(self, pending: Pending) -> str:
        content = _text(msgspec.json.encode(pending))
        return f"{content}.{self._stamp(content)}"

    def _opened(self, kept: str) -> Pending:
        content, _, stamp = kept.partition(".")
        try:
            if not hmac.compare_digest(self._stamp(content).encode(), stamp.encode()):
                raise ValueError("not sealed here")
            pending = msgspec.json.decode(_bytes(content), type=Pending)
        except ValueError as error:
            raise NotLoggedIn("this log-in was not begun in this browser; begin again") from error
        if pending.provider != self.settings.id or self._clock.monotonic() - pending.at > PENDING:
            raise NotLoggedIn("this log-in took too long; begin again")
        return pending

    def _stamp(self, content: str) -> str:
        return hmac.new(self._seal, content.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def person(settings: Provider, found: Mapping[str, Any]) -> Person:
    """What the claims mean for roles. Without the user's name nobody is logged in."""
    user = _inner(found, settings.user_claim)
    if not isinstance(user, str | int) or isinstance(user, bool) or not str(user).strip():
        raise NotLoggedIn(f"the provider does not say who it is (claim {settings.user_claim}); see user-name-attribute")
    users, domain = {str(user)}, found.get("hd")
    # An address that was not verified may be anybody's.
    verified = str(found.get("email_verified")).lower()  # some write it as text
    if settings.user_claim == "email" and verified == "false":
        raise NotLoggedIn("the provider has not verified this e-mail address")
    if isinstance(found.get("email"), str) and verified == "true":
        users.add(found["email"])
    if settings.allowed_domain and domain != settings.allowed_domain:
        raise NotLoggedIn(f"only accounts of {settings.allowed_domain} come in here")
    roles = _texts(_inner(found, settings.roles_claim)) if settings.roles_claim else frozenset()
    return Person(
        str(user),
        settings.kind,
        {
            "user": frozenset(users),
            "domain": _texts(domain),
            "role": roles,
            "group": roles,
            "organization": _texts(found.get("organizations")),
            "team": _texts(found.get("teams")),
        },
    )


def _inner(found: Mapping[str, Any], path: str) -> Any:
    """The claim of that name, or, where dots lead inwards, what is there."""
    if path in found:
        return found[path]
    value: Any = found
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _texts(value: Any) -> frozenset[str]:
    values = value if isinstance(value, list) else [value]
    return frozenset(one for one in values if isinstance(one, str) and one)


def _challenge(verifier: str) -> str:
    return _text(hashlib.sha256(verifier.encode()).digest())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
