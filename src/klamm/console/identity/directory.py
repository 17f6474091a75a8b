"""Log-in by an LDAP server or an Active Directory: who the user is, whether his password opens his entry, his groups.

ldap3 waits in a thread; it is a package of its own (`klamm[console]`), for few need it. What people type goes into
filters and names escaped. An empty password is refused before the server sees it: many servers take it as no log-in at
all, and say yes.
"""

import importlib
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from klamm.base import logs
from klamm.console.access.rights import Person
from klamm.console.identity.attempts import spelled
from klamm.console.identity.settings import Ldap

_log = logs.room("console.identity")

_PATIENCE = 10
_MOST_GROUPS = 1000


class NoAnswer(Exception):
    """The directory could not be asked; nothing is known about the password."""


def is_installed() -> bool:
    try:
        importlib.import_module("ldap3")
    except ImportError:
        return False
    return True


def person(settings: Ldap, user: str, password: str) -> Person | None:
    """None when user and password do not fit. Blocks; call it in a thread."""
    if not user.strip() or not password or "\0" in user + password:
        return None
    user = account(settings, user)
    ldap3: Any = importlib.import_module("ldap3")
    exceptions: Any = importlib.import_module("ldap3.core.exceptions")
    why: Exception | None = None
    for url in settings.urls:
        directory = _Directory(ldap3, _server(ldap3, settings, url), settings)
        try:
            return directory.active(user, password) if settings.domain else directory.plain(user, password)
        except exceptions.LDAPException as error:
            why = error
            _log.warning("a directory does not answer as it should", because=f"{type(error).__name__}: {error}")
    raise NoAnswer("the directory does not answer as it should; try again later") from why


def account(settings: Ldap, user: str) -> str:
    """The one that is meant, however it is spelled: without the domain that all of an Active Directory have."""
    name, suffix = spelled(user), f"@{settings.domain}"
    return name[: -len(suffix)] if settings.domain and name.lower().endswith(suffix.lower()) else name


def _server(ldap3: Any, settings: Ldap, url: str) -> Any:
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=settings.trusted)
    return ldap3.Server(url, tls=tls, connect_timeout=_PATIENCE, get_info=ldap3.NONE)


class _Directory:
    def __init__(self, ldap3: Any, server: Any, settings: Ldap) -> None:
        self._ldap3, self._server, self._settings = ldap3, server, settings

    def plain(self, user: str, password: str) -> Person | None:
        own = self._settings
        dn = own.user_dn.replace("{0}", self._in_dn(user)) if own.user_dn and not own.user_base else self._found(user)
        if dn is None:
            return None
        his = self._bound(dn, password)
        if his is None:
            return None
        asking = self._bound(own.admin, own.admin_password) if own.admin else his
        try:
            groups = self._groups(asking, dn, user) if own.group_base and asking is not None else frozenset()
        finally:
            his.unbind()
            if asking is not None and asking is not his:
                asking.unbind()
        return _person(own, user, groups)

    def active(self, user: str, password: str) -> Person | None:
        own = self._settings
        # Always of this domain: another one's user of the same name is somebody else.
        principal = f"{user}@{own.domain}"
        his = self._bound(principal, password)
        if his is None:
            return None
        base = own.user_base or ",".join(f"DC={part}" for part in own.domain.split("."))
        wanted = f"(&(objectClass=user)(userPrincipalName={self._in_filter(principal)}))"
        try:
            entries = self._search(his, base, wanted, ["memberOf"])
        finally:
            his.unbind()
        if not entries:
            return None
        groups = [str(one) for one in _values(entries[0], "memberOf")]
        return _person(own, user, frozenset(_first_name(one) for one in groups) | frozenset(groups))

    def _found(self, user: str) -> str | None:
        """The one entry that is the user's; two are nobody's."""
        own = self._settings
        asking = self._bound(own.admin, own.admin_password) if own.admin else self._anonymous()
        if asking is None:
            raise NoAnswer("the directory does not take the console's own account (spring.ldap.admin-user)")
        try:
            wanted = own.user_filter.replace("{0}", self._in_filter(user))
            entries = self._search(asking, own.user_base, wanted, [])
        finally:
            asking.unbind()
        return str(entries[0]["dn"]) if len(entries) == 1 else None

    def _groups(self, asking: Any, dn: str, user: str) -> frozenset[str]:
        own = self._settings
        wanted = own.group_filter.replace("{0}", self._in_filter(dn)).replace("{1}", self._in_filter(user))
        entries = self._search(asking, own.group_base, wanted, [own.group_attribute])
        return frozenset(str(one) for entry in entries for one in _values(entry, own.group_attribute))

    def _bound(self, dn: str, password: str) -> Any | None:
        connection = self._ldap3.Connection(
            self._server, dn, password, receive_timeout=_PATIENCE, read_only=True, auto_referrals=False
        )
        if connection.bind():
            return connection
        if connection.result["result"] != 49:  # invalidCredentials
            _log.warning("the directory did not take a log-in", because=connection.result["description"])
        connection.unbind()
        return None

    def _anonymous(self) -> Any | None:
        connection = self._ldap3.Connection(
            self._server, receive_timeout=_PATIENCE, read_only=True, auto_referrals=False
        )
        return connection if connection.bind() else None

    def _search(self, connection: Any, base: str, wanted: str, attributes: Sequence[str]) -> list[Mapping[str, Any]]:
        connection.search(base, wanted, attributes=list(attributes) or None, size_limit=_MOST_GROUPS)
        return [one for one in connection.response or [] if one.get("type") == "searchResEntry"]

    def _in_filter(self, text: str) -> str:
        return str(importlib.import_module("ldap3.utils.conv").escape_filter_chars(text))

    def _in_dn(self, text: str) -> str:
        return str(importlib.import_module("ldap3.utils.dn").escape_rdn(text))


def _person(settings: Ldap, user: str, groups: frozenset[str]) -> Person:
    return Person(user, settings.kind, {"user": frozenset({user}), "group": groups, "role": groups})


def _values(entry: Mapping[str, Any], name: str) -> list[Any]:
    found: Any = next((one for key, one in entry["attributes"].items() if key.lower() == name.lower()), [])
    return found if isinstance(found, list) else [found]


def _first_name(dn: str) -> str:
    """CN=ops,OU=groups,DC=… → ops"""
    return dn.partition(",")[0].partition("=")[2]
