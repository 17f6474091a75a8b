"""Log-in and log-out, and who one is: for pages, in kafka-ui's vocabulary where it has one."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import msgspec

from klamm.base.clock import milliseconds
from klamm.console.access.rights import ACTIONS, Role
from klamm.console.audit.trail import Entry
from klamm.console.identity.openid import NotLoggedIn
from klamm.console.identity.settings import Form, Ldap, OpenId
from klamm.console.problems import Problem
from klamm.console.routes import Call, NoQuery, Route, Turn

_LONGEST = 100
"""Characters of a name that is noted and may not be one."""


class ProviderLine(msgspec.Struct, frozen=True, rename="camel"):
    client_name: str
    authorization_uri: str


class Ways(msgspec.Struct, frozen=True, rename="camel"):
    """`authType`: DISABLED, LOGIN_FORM, OAUTH2 or LDAP."""

    auth_type: str
    o_auth_providers: tuple[ProviderLine, ...] = ()


class PermissionLine(msgspec.Struct, frozen=True, rename="camel"):
    """`value`: a pattern that names must match whole; None: every one."""

    clusters: tuple[str, ...]
    resource: str
    actions: tuple[str, ...]
    value: str | None = None


class UserInfo(msgspec.Struct, frozen=True):
    username: str
    permissions: tuple[PermissionLine, ...]


class Authorization(msgspec.Struct, frozen=True, rename="camel"):
    """`rbacEnabled`: false means that everything is allowed, but for changes of clusters that are `readOnly`.
    `canLogOut`: false where nobody logs in."""

    rbac_enabled: bool
    can_log_out: bool
    read_only: tuple[str, ...]
    user_info: UserInfo


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    username: str
    password: str


class Begin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`next`: the console's path to go to afterwards."""

    next: str = ""


class CameBack(msgspec.Struct, frozen=True):
    """What a provider adds to the address; it may add more."""

    code: str = ""
    state: str = ""
    iss: str = ""
    error: str = ""


async def ways(call: Call[NoQuery, None]) -> Ways:
    auth, base = call.scene.gate.access.auth, call.scene.settings.base
    if isinstance(auth, OpenId):
        lines = [ProviderLine(one.title, f"{base}/oauth2/authorization/{name}") for name, one in auth.providers.items()]
        return Ways("OAUTH2", tuple(lines))
    return Ways("LOGIN_FORM" if isinstance(auth, Form) else "LDAP" if isinstance(auth, Ldap) else "DISABLED")


async def authorization(call: Call[NoQuery, None]) -> Authorization:
    roles = call.who.roles
    return Authorization(
        roles is not None,
        not call.scene.gate.is_open,
        tuple(name for name, one in call.scene.places.items() if one.settings.read_only and call.who.sees(name)),
        UserInfo(call.who.name, () if roles is None else tuple(_permissions(roles))),
    )


async def log_in(call: Call[NoQuery, LogIn]) -> Turn:
    name = call.body.username
    try:
        who, cookie = await call.scene.gate.log_in(call.visit, name, call.body.password)
    except Problem as problem:
        _note(call, name[:_LONGEST], "Log in", problem.said.status, problem.said.title)
        raise
    _note(call, who.name, "Log in")
    return Turn((cookie,))


async def log_out(call: Call[NoQuery, None]) -> Turn:
    who, cookie = call.scene.gate.log_out(call.visit)
    if who is not None:
        _note(call, who.name, "Log out")
    return Turn((cookie,))


async def begin(call: Call[Begin, None]) -> Turn:
    try:
        address, cookie = await call.scene.gate.begin(call.visit, call.path["provider"], call.query.next)
    except NotLoggedIn as error:
        return _back(call.scene.settings.base, str(error))
    return Turn((cookie,), address)


async def came_back(call: Call[CameBack, None]) -> Turn:
    query = call.query
    try:
        if query.error or not query.code:
            raise NotLoggedIn("the provider did not let you in; begin again")
        who, following, cookies = await call.scene.gate.finish(
            call.visit, call.path["provider"], query.code, query.state, query.iss
        )
        _note(call, who.name, "Log in")
    except NotLoggedIn as error:
        # Who has begun nothing was not refused anything.
        if call.scene.gate.has_begun(call.visit, call.path["provider"]):
            _note(call, "somebody", "Log in", 401, "NotLoggedIn")
        return _back(call.scene.settings.base, str(error))
    return Turn(cookies, following)


def _note(call: Call[Any, Any], who: str, what: str, status: int = 200, outcome: str = "ok") -> None:
    at = milliseconds(call.scene.clock)
    call.scene.trail.note(Entry(at, who, what, outcome, status, remote=call.visit.remote), changes=True)


def _back(base: str, why: str) -> Turn:
    return Turn((), f"{base}/login?{urlencode({'problem': why})}")


def _permissions(roles: Iterable[Role]) -> Iterable[PermissionLine]:
    for role in roles:
        for one in role.permissions:
            actions = tuple(each for each in ACTIONS[one.resource] if each in one.actions)
            value = one.value.pattern if one.value is not None else None
            yield PermissionLine(tuple(sorted(role.clusters)), one.resource, actions, value)


ROUTES = (
    Route("GET", "/api/config/authentication", ways, "How one logs in here", answer=Ways, public=True),
    Route("GET", "/api/authorization", authorization, "Who one is and what one may do", answer=Authorization),
    Route("POST", "/api/login", log_in, "Log in by user and password", body=LogIn, public=True),
    Route("POST", "/api/logout", log_out, "Log out", public=True),
    Route(
        "GET",
        "/oauth2/authorization/{provider}",
        begin,
        "Log in at a provider's",
        query=Begin,
        public=True,
    ),
    Route(
        "GET",
        "/login/oauth2/code/{provider}",
        came_back,
        "Where a provider leads back to",
        query=CameBack,
        public=True,
    ),
)
