"""How people log in, as plain values; `reading.py` makes them from kafka-ui's spelling."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from klamm.console.access.rights import Roles
from klamm.console.identity.passwords import Password


@dataclass(frozen=True, slots=True)
class NoLogIn:
    """Everybody who reaches the port has every right."""


@dataclass(frozen=True, slots=True)
class Form:
    """User names and what is known of their passwords. `groups`: by user, for roles."""

    accounts: Mapping[str, Password]
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provider:
    """One that people log in at. `kind`: of roles' subjects, "oauth_google", say.

    With `issuer` alone, its other addresses are asked of it. `keys`: address of its public keys (JWKS); a provider
    without `openid` among its scopes needs `user_info` instead. `user_claim`: that names the user. `roles_claim`:
    that lists groups or roles, dots lead inwards. `allowed_domain`: of Google accounts that may come in at all.
    `redirect`: where the provider leads back to, if not to where the browser came from.
    """

    id: str
    kind: str
    client_id: str
    client_secret: str = field(repr=False, default="")
    title: str = ""
    scopes: tuple[str, ...] = ("openid",)
    issuer: str = ""
    authorization: str = ""
    token: str = ""
    keys: str = ""
    user_info: str = ""
    user_claim: str = "sub"
    roles_claim: str = ""
    allowed_domain: str = ""
    redirect: str = ""


@dataclass(frozen=True, slots=True)
class OpenId:
    providers: Mapping[str, Provider]


@dataclass(frozen=True, slots=True)
class Ldap:
    """`user_dn`: a pattern with {0} in the user's place; or `admin` looks for him with `user_filter` below
    `user_base`. Groups: `group_filter` below `group_base`, {0} is the user's DN and {1} his name; a group's name is its
    `group_attribute`. `domain`: of an Active Directory, where one logs in as user@domain and groups are his memberOf.
    """

    urls: tuple[str, ...]
    user_dn: str = ""
    admin: str = ""
    admin_password: str = field(repr=False, default="")
    user_base: str = ""
    user_filter: str = "(uid={0})"
    group_base: str = ""
    group_filter: str = "(member={0})"
    group_attribute: str = "cn"
    domain: str = ""
    kind: Literal["ldap", "ldap_ad"] = "ldap"
    trusted: str | None = None
    """A file with certificates that ldaps:// servers are checked against; None: the system's."""


Auth = NoLogIn | Form | OpenId | Ldap


@dataclass(frozen=True, slots=True)
class Access:
    """How one comes in, and what one may do then. `roles`: None, everything."""

    auth: Auth = NoLogIn()
    roles: Roles | None = None
