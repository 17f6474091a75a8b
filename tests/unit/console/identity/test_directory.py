"""Log-in by a directory: who comes in, with which groups, and what typed text cannot do."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.builders.fake_directory import FakeDirectory, Kept, fake_directory
from tests.builders.running_console import cluster_settings, running_console

from klamm.console.identity.attempts import FREE
from klamm.console.identity.directory import NoAnswer, person
from klamm.console.identity.settings import Access, Ldap
from klamm.console.settings import Settings

_PEOPLE = "ou=people,dc=x"
_ANN = f"cn=Ann (ops),{_PEOPLE}"
_AD = "CN=Ann,CN=Users,DC=corp,DC=example"


@pytest.fixture
def directory() -> Iterator[FakeDirectory]:
    entries = {
        "cn=admin,dc=x": Kept("admin-pw"),
        _ANN: Kept("ann-pw", {"uid": ["ann"], "objectClass": ["person"]}),
        f"cn=ben,{_PEOPLE}": Kept("ben-pw", {"uid": ["ben"], "objectClass": ["person"]}),
        f"cn=twin1,{_PEOPLE}": Kept("twin-pw", {"uid": ["twin"], "objectClass": ["person"]}),
        f"cn=twin2,{_PEOPLE}": Kept("twin-pw", {"uid": ["twin"], "objectClass": ["person"]}),
        "cn=ops,ou=groups,dc=x": Kept(None, {"cn": ["ops"], "member": [_ANN]}),
        "cn=all,ou=groups,dc=x": Kept(None, {"cn": ["all"], "member": [_ANN, f"cn=ben,{_PEOPLE}"]}),
        _AD: Kept(
            "ann-pw",
            {
                "userPrincipalName": ["ann@corp.example"],
                "objectClass": ["user"],
                "memberOf": ["CN=Kafka Ops,OU=Groups,DC=corp,DC=example"],
            },
        ),
    }
    with fake_directory(entries, {"ann@corp.example": _AD}) as running:
        yield running


def _searching(directory: FakeDirectory) -> Ldap:
    return Ldap(
        (directory.url,),
        admin="cn=admin,dc=x",
        admin_password="admin-pw",
        user_base=_PEOPLE,
        user_filter="(&(uid={0})(objectClass=person))",
        group_base="ou=groups,dc=x",
    )


def test_who_is_found_and_has_the_password_comes_in_with_his_groups(directory: FakeDirectory) -> None:
    found = person(_searching(directory), "ann", "ann-pw")
    assert found is not None
    assert (found.user, found.provider, found.names["group"]) == ("ann", "ldap", frozenset({"ops", "all"}))


def test_a_pattern_of_names_needs_no_search_for_the_user(directory: FakeDirectory) -> None:
    settings = Ldap((directory.url,), user_dn=f"cn={{0}},{_PEOPLE}", group_base="ou=groups,dc=x")
    found = person(settings, "ben", "ben-pw")
    assert found is not None
    assert found.names["group"] == frozenset({"all"})
    assert person(settings, "ben", "ann-pw") is None


def test_an_active_directory_knows_its_members(directory: FakeDirectory) -> None:
    settings = Ldap((directory.url,), domain="corp.example", kind="ldap_ad")
    for user in ("ann", "ann@corp.example", " ann@CORP.example "):
        found = person(settings, user, "ann-pw")
        assert found is not None
        assert (found.user, found.provider) == ("ann", "ldap_ad")
        assert found.names["group"] == {"Kafka Ops", "CN=Kafka Ops,OU=Groups,DC=corp,DC=example"}
    assert person(settings, "ann", "ben-pw") is None


def test_an_active_directory_lets_nobody_of_another_domain_in(directory: FakeDirectory) -> None:
    child = "CN=Ann,CN=Users,DC=child,DC=example"
    directory.entries = {**directory.entries, child: Kept("child-pw", {"userPrincipalName": ["ann@child.example"]})}
    directory.names = {**directory.names, "ann@child.example": child, "moved@corp.example": child}
    settings = Ldap((directory.url,), domain="corp.example", kind="ldap_ad")
    assert person(settings, "ann@child.example", "child-pw") is None
    assert person(settings, "moved", "child-pw") is None, "who is not found is nobody"


def test_names_have_one_spelling(directory: FakeDirectory) -> None:
    found = person(_searching(directory), "  ann\t", "ann-pw")
    assert found is not None
    assert found.user == "ann"


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("ann", "ben-pw"),
        ("ann", ""),
        ("", ""),
        ("", "ann-pw"),
        (" ", "ann-pw"),
        ("nobody", "ann-pw"),
        ("twin", "twin-pw"),
        ("*", "ann-pw"),
        ("a*", "ann-pw"),
        ("ann)(uid=*", "ann-pw"),
        ("ann)(|(uid=*", "ann-pw"),
        ("ann\0", "ann-pw"),
        ("ann", "ann-pw\0x"),
    ],
)
def test_who_does_not_fit_does_not_come_in(directory: FakeDirectory, user: str, password: str) -> None:
    assert person(_searching(directory), user, password) is None


def test_an_empty_password_never_reaches_the_directory(directory: FakeDirectory) -> None:
    """It would be nobody's log-in, and succeed."""
    for settings in (
        _searching(directory),
        Ldap((directory.url,), user_dn=f"cn={{0}},{_PEOPLE}"),
        Ldap((directory.url,), domain="corp.example"),
    ):
        assert person(settings, "ann", "") is None
    assert directory.asked == []


@pytest.mark.parametrize("user", ["ben,ou=people,dc=x", "x+cn=ben", 'ben"', "ben;cn=x", "#ben", "ben\\2c"])
def test_what_is_typed_stays_one_name(directory: FakeDirectory, user: str) -> None:
    settings = Ldap((directory.url,), user_dn=f"cn={{0}},{_PEOPLE}")
    assert person(settings, user, "ben-pw") is None
    (asked,) = directory.asked
    names = re.split(r"(?<!\\)[,+;]", asked.removeprefix("bind "))
    assert (len(names), names[1:]) == (3, ["ou=people", "dc=x"])


def test_a_directory_that_does_not_answer_is_told_as_such(directory: FakeDirectory) -> None:
    directory.is_silent = True
    with pytest.raises(NoAnswer):
        person(_searching(directory), "ann", "ann-pw")
    with pytest.raises(NoAnswer):
        person(Ldap(("ldap://127.0.0.1:1",), user_dn="cn={0}"), "ann", "ann-pw")


def test_the_next_directory_is_asked_when_one_is_away(directory: FakeDirectory) -> None:
    settings = replace(_searching(directory), urls=("ldap://127.0.0.1:1", directory.url))
    assert person(settings, "ann", "ann-pw") is not None


def test_the_consoles_own_account_must_fit(directory: FakeDirectory) -> None:
    with pytest.raises(NoAnswer, match="admin-user"):
        person(replace(_searching(directory), admin_password="wrong"), "ann", "ann-pw")


async def test_through_the_console(directory: FakeDirectory) -> None:
    settings = Settings((cluster_settings(("127.0.0.1:1",)),), access=Access(_searching(directory)))
    async with running_console(settings=settings) as console:
        assert (await console.get("/api/config/authentication")).json["authType"] == "LDAP"
        assert (await console.log_in("ann", "wrong")).status == 401
        assert (await console.log_in("ann", "ann-pw")).status == 204
        assert (await console.get("/api/authorization")).json["userInfo"]["username"] == "ann"
        for number in range(FREE):
            assert (await console.log_in(" " * number + "ben", "wrong")).status == 401
        assert (await console.log_in("ben ", "ben-pw")).status == 429
        directory.is_silent = True
        assert (await console.log_in("twin", "ben-pw")).status == 503
