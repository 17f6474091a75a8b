"""kafka-ui's spelling of log-in and roles, read into plain values.

    auth: {type: LOGIN_FORM}                          spring: {security: {user: {name: admin, password: …}}}
    auth: {type: OAUTH2, oauth2: {client: {google: {provider: google, clientId: …, clientSecret: …}}}}
    auth: {type: LDAP}                                spring: {ldap: {urls: …, base: …}}, oauth2: {ldap: {…}}
    rbac: {roles: [{name: …, clusters: […], subjects: […], permissions: […]}], defaultRole: {…}}

Keys are read as Spring reads them: admin-user, adminUser and ADMIN_USER are the same. Several users for the form stand
in `auth.users`, a list of name, password and groups. What is wrong is refused at the start with field, value, rule and
mend.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from klamm.console.access.rights import ACTIONS, WITHOUT_NAME, Permission, Role, Roles, Subject, with_implied
from klamm.console.identity.directory import is_installed
from klamm.console.identity.passwords import Password, password
from klamm.console.identity.settings import Access, Auth, Form, Ldap, NoLogIn, OpenId, Provider

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "login_form": ("user", "group"),
    "oauth": ("user", "role", "group", "domain"),
    "oauth_google": ("user", "domain", "role", "group"),
    "oauth_github": ("user", "organization", "team"),
    "oauth_cognito": ("user", "group", "role"),
    "ldap": ("user", "group", "role"),
    "ldap_ad": ("user", "group", "role"),
}
"""By provider, the types of its subjects."""

_TYPES = ("DISABLED", "LOGIN_FORM", "OAUTH2", "LDAP")
_SYNONYMS = {"restart": "operate"}
_KNOWN: Mapping[str, Mapping[str, str]] = {
    "google": {"issuer": "https://accounts.google.com", "user_claim": "email"},
    "github": {
        "authorization": "https://github.com/login/oauth/authorize",
        "token": "https://github.com/login/oauth/access_token",
        "user_info": "https://api.github.com/user",
        "user_claim": "login",
    },
    "cognito": {"user_claim": "cognito:username", "roles_claim": "cognito:groups"},
}
_SCOPES = {"google": ("openid", "email"), "github": ("read:user", "read:org")}


class BadSetting(ValueError):
    """`field: value rule`; the rule says how to mend it. Values of secrets are left out."""

    def __init__(self, field: str, value: object, rule: str) -> None:
        super().__init__(f"{field}: {value!r} {rule}")
        self.field = field


class _Missing(BadSetting):
    def __init__(self, field: str, rule: str) -> None:
        ValueError.__init__(self, f"{field}: is not there; {rule}")
        self.field = field


def access(configuration: Mapping[str, Any], clusters: Iterable[str]) -> Access:
    """Of the whole configuration; `clusters`: the names that there are. Raises BadSetting."""
    top = Section(configuration, "")
    return Access(_auth(top), roles(top.raw("rbac"), clusters))


# --- log-in


def _auth(top: "Section") -> Auth:
    given = top.section("auth")
    kind = given.text("type", "DISABLED").upper()
    if kind == "DISABLED":
        return NoLogIn()
    if kind == "LOGIN_FORM":
        return _form(top)
    if kind == "OAUTH2":
        return _openid(given)
    if kind == "LDAP":
        return _ldap(top)
    raise BadSetting("auth.type", kind, f"is no kind of log-in; write one of {', '.join(_TYPES)}")


def _form(top: "Section") -> Form:
    accounts: dict[str, Password] = {}
    groups: dict[str, frozenset[str]] = {}
    single = top.section("spring").section("security").section("user")
    if single.raw("name") is not None or single.raw("password") is not None:
        accounts[single.text("name", "user")] = _password(single)
    for one in top.section("auth").sections("users"):
        name = one.wanted("name", "write the user's name")
        if name in accounts:
            raise BadSetting(one.at("name"), name, "is there twice; each user stands there once")
        accounts[name] = _password(one)
        groups[name] = frozenset(one.texts("groups"))
    if not accounts:
        raise _Missing("spring.security.user", "write name and password, or a list of them in auth.users")
    return Form(accounts, groups)


def _password(given: "Section") -> Password:
    try:
        return password(given.wanted("password", "write a password or, better, its hash"))
    except ValueError as error:
        if isinstance(error, BadSetting):
            raise
        raise BadSetting(given.at("password"), "(hidden)", str(error)) from error


def _openid(auth: "Section") -> OpenId:
    clients = auth.section("oauth2").section("client")
    found = {name: _provider(name, clients.section(name)) for name in clients.names()}
    if not found:
        raise _Missing("auth.oauth2.client", "write a provider with its clientId and clientSecret")
    return OpenId(found)


def _provider(name: str, given: "Section") -> Provider:
    if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
        raise BadSetting(given.field, name, "is no name of a provider; write letters, digits, - and _")
    custom = given.section("customParams")
    kind = custom.text("type", given.text("provider", "oauth")).lower()
    known = _KNOWN.get(kind, {})
    scopes = tuple(" ".join(given.texts("scope")).split()) or _SCOPES.get(kind, ("openid",))
    found = Provider(
        id=name,
        kind=f"oauth_{kind}" if kind in _KNOWN else "oauth",
        client_id=given.wanted("clientId", "write the id that the provider gave this console"),
        client_secret=given.text("clientSecret"),
        title=given.text("clientName", name),
        scopes=scopes,
        issuer=given.text("issuerUri", known.get("issuer", "")),
        authorization=given.text("authorizationUri", known.get("authorization", "")),
        token=given.text("tokenUri", known.get("token", "")),
        keys=given.text("jwkSetUri"),
        user_info=given.text("userInfoUri", known.get("user_info", "")),
        user_claim=given.text("userNameAttribute", known.get("user_claim", "sub")),
        roles_claim=custom.text("roles-field", known.get("roles_claim", "")),
        allowed_domain=custom.text("allowedDomain"),
        redirect=given.text("redirectUri") if "{" not in given.text("redirectUri") else "",
    )
    _addresses_are_safe(found, given)
    if not found.issuer and not (found.authorization and found.token):
        raise _Missing(given.at("issuerUri"), "write the provider's issuer, or its authorization-uri and token-uri")
    if "openid" in scopes and not found.issuer:
        raise _Missing(
            given.at("issuerUri"), "write the issuer that the provider's ID tokens name, or take openid out of scope"
        )
    if "openid" not in scopes and not found.user_info:
        raise _Missing(
            given.at("userInfoUri"), "write where the provider tells who logged in, or put openid into scope"
        )
    return found


def _addresses_are_safe(found: Provider, given: "Section") -> None:
    named = {
        "issuerUri": found.issuer,
        "authorizationUri": found.authorization,
        "tokenUri": found.token,
        "jwkSetUri": found.keys,
        "userInfoUri": found.user_info,
        "redirectUri": found.redirect,
    }
    for name, address in named.items():
        if address and not re.match(r"https?://[^/\s]+", address):
            raise BadSetting(given.at(name), address, "is no web address; write https://…")


def _ldap(top: "Section") -> Ldap:
    given, more = top.section("spring").section("ldap"), top.section("oauth2").section("ldap")
    urls = tuple(given.texts("urls"))
    if not urls:
        raise _Missing("spring.ldap.urls", "write ldaps://HOST:636")
    for url in urls:
        if not re.fullmatch(r"ldaps?://[^/\s]+(/.*)?", url):
            raise BadSetting("spring.ldap.urls", url, "is no address of a directory; write ldaps://HOST:636")
    is_active = more.flag("activeDirectory")
    # In kafka-ui's own documents the first "c" of this key is a Cyrillic one; both are pasted.
    domain = more.text("activeDirectory.domain", more.text("aсtiveDirectory.domain"))
    if is_active and not domain:
        raise _Missing("oauth2.ldap.activeDirectory.domain", "write the Active Directory's domain, example.com")
    found = Ldap(
        urls=urls,
        user_dn=given.text("base"),
        admin=given.text("adminUser"),
        admin_password=given.text("adminPassword"),
        user_base=given.text("userFilterSearchBase"),
        user_filter=given.text("userFilterSearchFilter", "(uid={0})"),
        group_base=given.text("groupFilterSearchBase"),
        group_filter=given.text("groupFilterSearchFilter", "(member={0})"),
        group_attribute=given.text("groupRoleAttribute", "cn"),
        domain=domain if is_active else "",
        kind="ldap_ad" if is_active else "ldap",
        trusted=given.text("trustedCertificates") or None,
    )
    if not is_active and not found.user_base and "{0}" not in found.user_dn:
        raise BadSetting(
            "spring.ldap.base",
            found.user_dn,
            "names no user; write his DN with {0} in his name's place, or user-filter-search-base",
        )
    if found.user_base and "{0}" not in found.user_filter:
        raise BadSetting("spring.ldap.user-filter-search-filter", found.user_filter, "must hold {0}, the user's name")
    if not is_installed():
        raise BadSetting("auth.type", "LDAP", "needs the package ldap3; install klamm[console]")
    return found


# --- roles


def roles(given: Any, clusters: Iterable[str]) -> Roles | None:
    """Of `rbac`; None when no roles are named. Raises BadSetting."""
    rbac, known = Section(given, "rbac"), tuple(clusters)
    found = tuple(_role(one, known, needs_subjects=True) for one in rbac.sections("roles"))
    otherwise = rbac.section("defaultRole") if rbac.raw("defaultRole") else None
    if not found and otherwise is None:
        return None
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadSetting("rbac.roles", twice, "is there twice; each role has a name of its own")
    return Roles(found, None if otherwise is None else _role(otherwise, known, needs_subjects=False))


def _role(given: "Section", known: Sequence[str], needs_subjects: bool) -> Role:
    name = given.wanted("name", "write the role's name") if needs_subjects else given.text("name", "default")
    clusters = given.texts("clusters")
    if not clusters:
        raise _Missing(given.at("clusters"), f"write those that the role is for: {', '.join(known)}")
    spelt = {one.casefold(): one for one in known}
    for one in clusters:
        if one.casefold() not in spelt:
            raise BadSetting(given.at("clusters"), one, f"is no cluster here; write one of {', '.join(known)}")
    subjects = tuple(_subject(one) for one in given.sections("subjects"))
    if needs_subjects and not subjects:
        raise _Missing(given.at("subjects"), "write whom the role is for: provider, type and value")
    permissions = tuple(_permission(one) for one in given.sections("permissions"))
    if not permissions:
        raise _Missing(given.at("permissions"), "write what the role may do: resource, value and actions")
    return Role(name, frozenset(spelt[one.casefold()] for one in clusters), permissions, subjects)


def _subject(given: "Section") -> Subject:
    provider = given.wanted("provider", f"write one of {', '.join(SUBJECTS)}").lower()
    if provider not in SUBJECTS:
        raise BadSetting(given.at("provider"), provider, f"is not known; write one of {', '.join(SUBJECTS)}")
    types = SUBJECTS[provider]
    kind = given.wanted("type", f"write one of {', '.join(types)}").lower()
    if kind not in types:
        raise BadSetting(given.at("type"), kind, f"is nothing that {provider} tells; write one of {', '.join(types)}")
    value = given.wanted("value", f"write the {kind}'s name")
    is_pattern = given.flag("regex") or given.flag("isRegex")
    pattern = _pattern(value, given.at("value"), re.IGNORECASE) if is_pattern else None
    return Subject(provider, kind, value, pattern)


def _permission(given: "Section") -> Permission:
    resource = given.wanted("resource", f"write one of {', '.join(ACTIONS)}").lower()
    if resource not in ACTIONS:
        raise BadSetting(given.at("resource"), resource, f"is not known; write one of {', '.join(ACTIONS)}")
    actions = [_SYNONYMS.get(one.lower(), one.lower()) for one in given.texts("actions")]
    if not actions:
        raise _Missing(given.at("actions"), f"write some of {', '.join(ACTIONS[resource])}, or all")
    for one in actions:
        if one != "all" and one not in ACTIONS[resource]:
            rule = f"is nothing that one does to {resource}; write some of {', '.join(ACTIONS[resource])}, or all"
            raise BadSetting(given.at("actions"), one, rule)
    value = given.text("value")
    if resource in WITHOUT_NAME and value:
        raise BadSetting(given.at("value"), value, f"has no meaning for {resource}, which has no names; leave it out")
    if resource not in WITHOUT_NAME and not value:
        raise _Missing(given.at("value"), f"write a pattern of {resource} names; .* means all of them")
    wanted = ACTIONS[resource] if "all" in actions else actions
    pattern = None if not value or value == ".*" else _pattern(value, given.at("value"))
    return Permission(resource, with_implied(resource, wanted), pattern)


def _pattern(value: str, field: str, flags: int = 0) -> re.Pattern[str]:
    try:
        return re.compile(value, flags | re.DOTALL)
    except re.error as error:
        raise BadSetting(field, value, f"is no regular expression ({error}); .* means every name") from error


# --- Spring's way with keys


class Section:
    """A mapping whose keys are found in any of Spring's spellings. `field`: its path, for what is said of it."""

    def __init__(self, given: Any, field: str) -> None:
        if given is None:
            given = {}
        if not isinstance(given, Mapping):
            raise BadSetting(field or "configuration", given, "is no mapping; write keys and values below it")
        self.field = field
        self._of = {_plain(str(key)): (str(key), value) for key, value in given.items()}

    def names(self) -> list[str]:
        return [key for key, _ in self._of.values()]

    def at(self, name: str) -> str:
        return f"{self.field}.{name}" if self.field else name

    def raw(self, name: str) -> Any:
        found = self._of.get(_plain(name))
        return found[1] if found else None

    def section(self, name: str) -> "Section":
        return Section(self.raw(name), self.at(name))

    def sections(self, name: str) -> list["Section"]:
        return [Section(one, f"{self.at(name)}[{at}]") for at, one in enumerate(self._list(name))]

    def text(self, name: str, otherwise: str = "") -> str:
        value = self.raw(name)
        if value is None or value == "":
            return otherwise
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, str | int | float):
            raise BadSetting(self.at(name), value, "is no text; write one")
        return str(value)

    def wanted(self, name: str, rule: str) -> str:
        return self.text(name) or _missing(self.at(name), rule)

    def texts(self, name: str) -> list[str]:
        """A list, or one text with commas, as the environment has it."""
        value = self.raw(name)
        if isinstance(value, str):
            return [one.strip() for one in value.split(",") if one.strip()]
        return [str(one) for one in self._list(name)]

    def flag(self, name: str) -> bool:
        value = self.text(name, "false").lower()
        if value not in ("true", "false"):
            raise BadSetting(self.at(name), value, "is neither true nor false; write one of them")
        return value == "true"

    def _list(self, name: str) -> list[Any]:
        """Also as the environment spells lists, keys that are numbers."""
        value = self.raw(name)
        if value is None or value == "":
            return []
        if isinstance(value, Mapping) and all(str(key).isdigit() for key in value):
            return [value[key] for key in sorted(value, key=lambda key: int(key))]
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise BadSetting(self.at(name), value, "is no list; write one")
        return list(value)


def _missing(field: str, rule: str) -> NoReturn:
    raise _Missing(field, rule)


def _plain(key: str) -> str:
    return key.replace("-", "").replace("_", "").lower()
