"""kafka-ui's spelling of log-in, roles and audit: what it means, and what is refused at the start."""

import copy
from typing import Any

import pytest

from klamm.console.access.rights import ACTIONS, Person, principal
from klamm.console.audit import trail
from klamm.console.audit.trail import AuditSettings
from klamm.console.identity.reading import BadSetting, access, roles
from klamm.console.identity.settings import Form, Ldap, NoLogIn, OpenId

_CLUSTERS = ["local", "prod"]

# --- log-in


def test_without_a_word_nobody_logs_in() -> None:
    given: Any
    for given in ({}, {"auth": None}, {"auth": {"type": "disabled"}}, {"kafka": {"clusters": []}}):
        assert access(given, _CLUSTERS).auth == NoLogIn()


@pytest.mark.parametrize(
    "given",
    [
        {"auth": {"type": "LOGIN_FORM"}, "spring": {"security": {"user": {"name": "admin", "password": "pw"}}}},
        {"AUTH": {"TYPE": "login_form"}, "SPRING": {"SECURITY": {"USER": {"NAME": "admin", "PASSWORD": "pw"}}}},
        {"auth": {"type": "LOGIN_FORM", "users": [{"name": "admin", "password": "pw"}]}},
        {"auth": {"type": "LOGIN_FORM", "users": {"0": {"name": "admin", "password": "{noop}pw"}}}},
    ],
)
def test_a_form_knows_its_users(given: dict[str, Any]) -> None:
    auth = access(given, _CLUSTERS).auth
    assert isinstance(auth, Form)
    assert auth.accounts["admin"].fits("pw")


def test_a_google_client_needs_only_its_id_and_secret() -> None:
    client = {"google": {"provider": "google", "clientId": "i", "client-secret": "s", "scope": "openid,email"}}
    given = {"auth": {"type": "OAUTH2", "oauth2": {"client": client}}}
    auth = access(given, _CLUSTERS).auth
    assert isinstance(auth, OpenId)
    one = auth.providers["google"]
    assert (one.kind, one.issuer, one.user_claim) == ("oauth_google", "https://accounts.google.com", "email")
    assert one.scopes == ("openid", "email")
    assert "s" not in repr(one.client_secret) or "client_secret" not in repr(one)


def test_a_client_of_another_provider_says_who_it_is() -> None:
    client = {
        "keycloak": {
            "clientId": "i",
            "clientSecret": "s",
            "scope": ["openid", "profile"],
            "issuer-uri": "https://id.example/realms/x",
            "user-name-attribute": "preferred_username",
            "redirect-uri": "{baseUrl}/login/oauth2/code/{registrationId}",
            "custom-params": {"type": "oauth", "roles-field": "groups"},
        }
    }
    auth = access({"auth": {"type": "OAUTH2", "oauth2": {"client": client}}}, _CLUSTERS).auth
    assert isinstance(auth, OpenId)
    one = auth.providers["keycloak"]
    assert (one.kind, one.user_claim, one.roles_claim, one.redirect) == (
        "oauth",
        "preferred_username",
        "groups",
        "",
    )


_LDAP: dict[str, Any] = {
    "auth": {"type": "LDAP"},
    "spring": {
        "ldap": {
            "urls": "ldap://one:389, ldaps://two:636",
            "base": "cn={0},ou=people,dc=planetexpress,dc=com",
            "admin-user": "cn=admin,dc=planetexpress,dc=com",
            "admin-password": "pw",
            "user-filter-search-base": "dc=planetexpress,dc=com",
            "user-filter-search-filter": "(&(uid={0})(objectClass=inetOrgPerson))",
            "group-filter-search-base": "ou=people,dc=planetexpress,dc=com",
        }
    },
}


def test_a_directory() -> None:
    auth = access(_LDAP, _CLUSTERS).auth
    assert isinstance(auth, Ldap)
    assert auth.urls == ("ldap://one:389", "ldaps://two:636")
    assert (auth.admin, auth.user_base, auth.kind) == (
        "cn=admin,dc=planetexpress,dc=com",
        "dc=planetexpress,dc=com",
        "ldap",
    )
    assert "pw" not in repr(auth)


@pytest.mark.parametrize("key", ["activeDirectory.domain", "aсtiveDirectory.domain"], ids=["latin", "cyrillic"])
def test_an_active_directory(key: str) -> None:
    given = {
        "auth": {"type": "LDAP"},
        "spring": {"ldap": {"urls": "ldap://one"}},
        "oauth2": {"ldap": {"activeDirectory": "true", key: "memelord.lol"}},
    }
    auth = access(given, _CLUSTERS).auth
    assert isinstance(auth, Ldap)
    assert (auth.kind, auth.domain) == ("ldap_ad", "memelord.lol")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"auth": {"type": "MAGIC"}}, "auth.type: 'MAGIC' is no kind of log-in; write one of DISABLED, LOGIN_FORM"),
        ({"auth": []}, "auth: [] is no mapping"),
        ({"auth": {"type": "LOGIN_FORM"}}, "spring.security.user: is not there; write name and password"),
        (
            {"auth": {"type": "LOGIN_FORM", "users": [{"name": "a"}]}},
            "auth.users[0].password: is not there; write a password or, better, its hash",
        ),
        (
            {"auth": {"type": "LOGIN_FORM", "users": [{"name": "a", "password": "{md5}x"}]}},
            "auth.users[0].password: '(hidden)' names a kind of hash that is not known",
        ),
        (
            {"auth": {"type": "LOGIN_FORM", "users": [{"name": "a", "password": "x"}] * 2}},
            "auth.users[1].name: 'a' is there twice",
        ),
        ({"auth": {"type": "OAUTH2"}}, "auth.oauth2.client: is not there"),
        (
            {"auth": {"type": "OAUTH2", "oauth2": {"client": {"x": {"clientId": "i"}}}}},
            "auth.oauth2.client.x.issuerUri: is not there; write the provider's issuer",
        ),
        (
            {"auth": {"type": "OAUTH2", "oauth2": {"client": {"x": {"clientId": "i", "issuer-uri": "javascript:1"}}}}},
            "auth.oauth2.client.x.issuerUri: 'javascript:1' is no web address",
        ),
        (
            {"auth": {"type": "OAUTH2", "oauth2": {"client": {"x/y": {"clientId": "i", "issuer-uri": "https://x"}}}}},
            "auth.oauth2.client.x/y: 'x/y' is no name of a provider",
        ),
        ({"auth": {"type": "LDAP"}}, "spring.ldap.urls: is not there; write ldaps://HOST:636"),
        (
            {"auth": {"type": "LDAP"}, "spring": {"ldap": {"urls": "http://x"}}},
            "spring.ldap.urls: 'http://x' is no address of a directory",
        ),
        (
            {"auth": {"type": "LDAP"}, "spring": {"ldap": {"urls": "ldap://x", "base": "dc=x"}}},
            "spring.ldap.base: 'dc=x' names no user",
        ),
        (
            {
                "auth": {"type": "LDAP"},
                "spring": {"ldap": {"urls": "ldap://x"}},
                "oauth2": {"ldap": {"activeDirectory": True}},
            },
            "oauth2.ldap.activeDirectory.domain: is not there",
        ),
    ],
    ids=lambda one: one[:50] if isinstance(one, str) else "",
)
def test_a_wrong_log_in_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSetting) as error:
        access(given, _CLUSTERS)
    assert str(error.value).startswith(said)


# --- roles

_ROLE: dict[str, Any] = {
    "name": "memelords",
    "clusters": ["LOCAL"],
    "subjects": [
        {"provider": "oauth_google", "type": "domain", "value": "memelord.lol"},
        {"provider": "OAUTH_GITHUB", "type": "user", "value": "Haarolean"},
        {"provider": "ldap", "type": "group", "value": "kafka-.*", "regex": True},
    ],
    "permissions": [
        {"resource": "TOPIC", "value": "derp.*", "actions": ["VIEW", "messages_read"]},
        {"resource": "clusterconfig", "actions": "all"},
        {"resource": "connect", "value": ".*", "actions": ["restart"]},
    ],
}


def _role(*path: Any, value: Any) -> dict[str, Any]:
    """The role with one field changed."""
    made = copy.deepcopy(_ROLE)
    at: Any = made
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return {"roles": [made]}


@pytest.mark.parametrize(
    ("person", "has_it"),
    [
        (Person("a", "oauth_google", {"domain": frozenset({"memelord.lol"})}), True),
        (Person("a", "oauth_google", {"domain": frozenset({"memelord.lol.evil"})}), False),
        (Person("a", "oauth_github", {"domain": frozenset({"memelord.lol"})}), False),
        (Person("a", "oauth_github", {"user": frozenset({"haarolean"})}), True),
        (Person("a", "oauth_github", {"organization": frozenset({"Haarolean"})}), False),
        (Person("a", "ldap", {"group": frozenset({"x", "kafka-admins"})}), True),
        (Person("a", "ldap", {"group": frozenset({"no-kafka-admins"})}), False),
        (Person("a", "ldap", {}), False),
    ],
)
def test_a_role_is_for_its_subjects(person: Person, has_it: bool) -> None:
    who = principal(person, roles({"roles": [_ROLE]}, _CLUSTERS))
    assert who.sees("local") == has_it
    assert not who.sees("prod")


def test_a_role_gives_what_it_says_and_what_that_implies() -> None:
    found = roles({"roles": [_ROLE]}, _CLUSTERS)
    who = principal(Person("a", "oauth_github", {"user": frozenset({"Haarolean"})}), found)
    assert who.may("local", "topic", "view", "derp-1")
    assert who.may("local", "topic", "messages_read", "derp-1")
    assert not who.may("local", "topic", "edit", "derp-1")
    assert not who.may("local", "topic", "view", "a-derp")
    assert not who.may("prod", "topic", "view", "derp-1")
    assert all(who.may("local", "clusterconfig", one) for one in ACTIONS["clusterconfig"])
    assert who.may("local", "connect", "operate", "x")
    assert who.may("local", "connect", "view", "x"), "whoever may operate it may look at it"
    assert not who.may("local", "acl", "view")


def test_without_roles_everything_is_allowed_and_with_them_only_what_they_say() -> None:
    given: Any
    for given in (None, {}, {"roles": []}):
        assert roles(given, _CLUSTERS) is None
    assert principal(Person("a", "ldap"), None).may("prod", "topic", "delete", "x")
    nobody = principal(Person("a", "ldap"), roles({"roles": [_ROLE]}, _CLUSTERS))
    assert not any(nobody.may(one, "topic", "view", "x") or nobody.sees(one) for one in _CLUSTERS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (_role("name", value=None), "rbac.roles[0].name: is not there"),
        (_role("clusters", value=[]), "rbac.roles[0].clusters: is not there; write those that the role is for: local"),
        (_role("clusters", value=["x"]), "rbac.roles[0].clusters: 'x' is no cluster here; write one of local, prod"),
        (_role("subjects", value=[]), "rbac.roles[0].subjects: is not there"),
        (_role("permissions", value=[]), "rbac.roles[0].permissions: is not there"),
        (_role("subjects", 0, "provider", value="x"), "rbac.roles[0].subjects[0].provider: 'x' is not known"),
        (_role("subjects", 0, "type", value="x"), "rbac.roles[0].subjects[0].type: 'x' is nothing that oauth_google"),
        (_role("subjects", 0, "value", value=None), "rbac.roles[0].subjects[0].value: is not there"),
        (_role("subjects", 2, "value", value="("), "rbac.roles[0].subjects[2].value: '(' is no regular expression"),
        (_role("permissions", 0, "resource", value="x"), "rbac.roles[0].permissions[0].resource: 'x' is not known"),
        (_role("permissions", 0, "actions", value=["x"]), "rbac.roles[0].permissions[0].actions: 'x' is nothing that"),
        (_role("permissions", 0, "actions", value=[]), "rbac.roles[0].permissions[0].actions: is not there"),
        (_role("permissions", 0, "value", value="*"), "rbac.roles[0].permissions[0].value: '*' is no regular expr"),
        (_role("permissions", 0, "value", value=None), "rbac.roles[0].permissions[0].value: is not there; write a"),
        (_role("permissions", 1, "value", value="x"), "rbac.roles[0].permissions[1].value: 'x' has no meaning for"),
        ({"roles": [_ROLE, _ROLE]}, "rbac.roles: 'memelords' is there twice"),
        ({"roles": "x"}, "rbac.roles: 'x' is no list"),
        ({"roles": [7]}, "rbac.roles[0]: 7 is no mapping"),
        (_role("subjects", 2, "regex", value="maybe"), "rbac.roles[0].subjects[2].regex: 'maybe' is neither true"),
    ],
    ids=lambda one: one[:50] if isinstance(one, str) else "",
)
def test_a_wrong_role_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSetting) as error:
        roles(given, _CLUSTERS)
    assert str(error.value).startswith(said)


# --- audit


def test_audit_settings() -> None:
    assert trail.read(None, "kafka.clusters[0].audit") == AuditSettings()
    given = {"topicAuditEnabled": True, "console-audit-enabled": "true", "level": "all", "auditTopicsPartitions": 2}
    assert trail.read(given, "x") == AuditSettings(True, True, "ALL", partitions=2)
    assert trail.read({"auditTopicProperties": {"retention.ms": 5}}, "x").properties == {"retention.ms": "5"}
    with pytest.raises(BadSetting, match=r"^x\.level: 'SOME' is no level; write ALL or ALTER_ONLY"):
        trail.read({"level": "SOME"}, "x")
    with pytest.raises(BadSetting, match=r"^x\.auditTopicsPartitions: '0' is no number"):
        trail.read({"auditTopicsPartitions": "0"}, "x")
