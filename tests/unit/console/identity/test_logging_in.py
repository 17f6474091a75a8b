"""Log-in through HTTP: the form, a provider's way, sessions, cookies, what others may not do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.builders.fake_provider import CLIENT, SECRET, FakeProvider, SigningKey, fake_provider
from tests.builders.running_console import RunningConsole, SaidBack, cluster_settings, running_console

from klamm.base.clock import SystemClock
from klamm.console.identity import attempts
from klamm.console.identity.reading import access
from klamm.console.settings import Settings

_FORM = {"auth": {"type": "LOGIN_FORM"}, "spring": {"security": {"user": {"name": "admin", "password": "pw"}}}}


def _settings(configuration: dict[str, Any], **changes: Any) -> Settings:
    return replace(Settings((cluster_settings(("127.0.0.1:1",)),), access=access(configuration, ["kafka"])), **changes)


@asynccontextmanager
async def _with_form(**changes: Any) -> AsyncIterator[RunningConsole]:
    async with running_console(settings=_settings(_FORM, **changes)) as console:
        yield console


# --- the form


async def test_nobody_comes_in_without_a_log_in_and_everybody_sees_how_to() -> None:
    async with _with_form() as console:
        said = await console.get("/api/clusters")
        assert (said.status, said.json["title"]) == (401, "LogIn")
        assert (await console.get("/api/config/authentication")).json["authType"] == "LOGIN_FORM"
        assert (await console.get("/actuator/health")).status == 200
        assert (await console.get("/clusters/kafka")).status == 200  # the page, which then asks for a log-in


async def test_a_log_in_opens_and_a_log_out_closes() -> None:
    async with _with_form() as console:
        said = await console.log_in("admin", "pw")
        assert (said.status, said.text) == (204, "")
        cookie = said.headers["Set-Cookie"]
        for part in ("HttpOnly", "SameSite=Lax", "Path=/"):
            assert part in cookie
        assert "Secure" not in cookie
        who = (await console.get("/api/authorization")).json
        assert who == {
            "rbacEnabled": False,
            "canLogOut": True,
            "readOnly": [],
            "userInfo": {"username": "admin", "permissions": []},
        }
        token = cookie.partition("=")[2].partition(";")[0]
        assert (await console.ask("POST", "/api/logout")).status == 204
        said = await console.get("/api/authorization", Cookie=f"klamm={token}")
        assert said.status == 401, "the token opens nothing any more, also for who kept it"


async def test_over_tls_the_cookie_stays_with_tls_and_this_host() -> None:
    async with _with_form() as console:
        body = {"username": "admin", "password": "pw"}
        said = await console.ask("POST", "/api/login", body, **{"X-Forwarded-Proto": "https"})
        assert said.headers["Set-Cookie"].startswith("__Host-klamm=")
        assert "Secure" in said.headers["Set-Cookie"]


async def test_each_log_in_has_a_token_of_its_own_and_ends_the_one_before() -> None:
    async with _with_form() as console:
        first = (await console.log_in("admin", "pw")).headers["Set-Cookie"].partition(";")[0]
        second = (await console.log_in("admin", "pw")).headers["Set-Cookie"].partition(";")[0]
        assert first != second
        console.session.cookie_jar.clear()
        assert (await console.get("/api/clusters", Cookie=first)).status == 401
        assert (await console.get("/api/clusters", Cookie=second)).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "admin", "password": "no"}, 401),
        ({"username": "Admin", "password": "pw"}, 401),
        ({"username": "nobody", "password": "pw"}, 401),
        ({"username": "", "password": ""}, 401),
        ({"username": "x" * 10_000, "password": "pw"}, 401),
        ({"username": "admin", "password": "pw", "role": "all"}, 400),
        ({"username": "admin", "password": None}, 400),
        ({"username": ["admin"], "password": "pw"}, 400),
        ([], 400),
    ],
    ids=lambda one: str(one)[:40],
)
async def test_what_does_not_fit_opens_nothing(body: Any, status: int) -> None:
    async with _with_form() as console:
        said = await console.ask("POST", "/api/login", body)
        assert said.status == status
        assert "Set-Cookie" not in said.headers
        assert (await console.get("/api/clusters")).status == 401


async def test_guessing_is_slowed_down_also_side_by_side() -> None:
    async with _with_form() as console:
        said = await asyncio.wait_for(_side_by_side(console, 20), 20)
        assert sorted(one.status for one in said) == [401] * attempts.FREE + [429] * (20 - attempts.FREE)
        assert (await console.log_in("admin", "pw")).status == 429
        assert (await console.log_in("ben", "pw")).status == 401


async def _side_by_side(console: RunningConsole, count: int) -> list[SaidBack]:
    tasks = [asyncio.create_task(console.log_in("admin", f"guess {one}")) for one in range(count)]
    await asyncio.wait(tasks)
    return [one.result() for one in tasks]


async def test_another_site_neither_logs_in_nor_out() -> None:
    async with _with_form() as console:
        await console.log_in("admin", "pw")
        for headers in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            assert (
                await console.ask("POST", "/api/login", {"username": "a", "password": "b"}, **headers)
            ).status == 403
            assert (await console.ask("POST", "/api/logout", **headers)).status == 403
        assert (await console.get("/api/clusters")).status == 200


async def test_behind_a_proxy_that_changes_the_host_pages_still_work() -> None:
    async with _with_form() as console:
        body, asked = {"username": "admin", "password": "pw"}, {"Origin": "http://kafka.example"}
        assert (await console.ask("POST", "/api/login", body, **asked)).status == 403
        asked["X-Forwarded-Host"] = "kafka.example"
        assert (await console.ask("POST", "/api/login", body, **asked)).status == 204


async def test_another_site_reads_nothing_and_may_lead_here() -> None:
    async with _with_form() as console:
        await console.log_in("admin", "pw")
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        assert (await console.get("/api/clusters", **headers)).status == 403
        headers["Sec-Fetch-Mode"] = "navigate"
        assert (await console.get("/api/clusters", **headers)).status == 200


async def test_two_consoles_on_one_host_do_not_share_cookies() -> None:
    async with _with_form(base="/kafka-ui") as console:
        assert (await console.log_in("admin", "pw")).headers["Set-Cookie"].startswith("klamm-kafka-ui=")
        assert (await console.get("/api/clusters")).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8080", 200),
        ("app.localhost", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:80", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:8080", 421),
        ("", 421),
    ],
)
async def test_a_console_of_this_machine_alone_answers_to_no_other_name(host: str, status: int) -> None:
    async with running_console(("127.0.0.1:1",)) as console:
        assert (await console.get("/api/clusters", Host=host)).status == status


# --- a provider's


@asynccontextmanager
async def _with_provider(
    provider: FakeProvider, /, base: str = "", rbac: Any = None, **client: Any
) -> AsyncIterator[RunningConsole]:
    given = {
        "clientId": CLIENT,
        "clientSecret": SECRET,
        "issuer-uri": provider.url,
        "custom-params": {"roles-field": "realm.groups"},
        **client,
    }
    configuration = {"auth": {"type": "OAUTH2", "oauth2": {"client": {"mine": given}}}, "rbac": rbac}
    async with running_console(settings=_settings(configuration, base=base)) as console:
        yield console


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with fake_provider(SystemClock().now().timestamp()) as running:
        yield running


async def _there_and_back(console: RunningConsole, provider: FakeProvider, following: str = "") -> SaidBack:
    begun = await console.get(f"/oauth2/authorization/mine?next={following}")
    assert begun.status == 302
    return await _back(console, provider.code_for(begun.headers["Location"]))


async def _back(console: RunningConsole, brought: dict[str, str]) -> SaidBack:
    words = "&".join(f"{name}={value}" for name, value in brought.items())
    return await console.get(
        f"/login/oauth2/code/mine?{words}&session_state=7",
        **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    )


def _why(said: SaidBack) -> str:
    """With which words the log-in page is shown."""
    location = urlsplit(said.headers["Location"])
    assert (said.status, location.path.rpartition("/")[2]) == (302, "login")
    return parse_qs(location.query)["problem"][0]


async def test_there_and_back_and_on_to_where_one_was_going(provider: FakeProvider) -> None:
    async with _with_provider(provider, base="/kafka-ui") as console:
        ways = (await console.get("/api/config/authentication")).json
        assert ways == {
            "authType": "OAUTH2",
            "oAuthProviders": [{"clientName": "mine", "authorizationUri": "/kafka-ui/oauth2/authorization/mine"}],
        }
        said = await _there_and_back(console, provider, "/kafka-ui/clusters/kafka?tab=x")
        assert (said.status, said.headers["Location"]) == (302, "/kafka-ui/clusters/kafka?tab=x")
        assert (await console.get("/api/authorization")).json["userInfo"]["username"] == "ann"


@pytest.mark.parametrize(
    "following",
    [
        "//evil.example",
        "//[",
        "https://evil.example",
        "/%5C%5Cevil.example",
        "%5Cevil",
        "/a%0d%0aSet-Cookie:x=y",
        "javascript:x",
        "/../x",
    ],
)
async def test_a_log_in_leads_nowhere_else(provider: FakeProvider, following: str) -> None:
    async with _with_provider(provider) as console:
        said = await _there_and_back(console, provider, following)
        assert (said.status, said.headers["Location"]) == (302, "/")


async def test_roles_come_from_claims(provider: FakeProvider) -> None:
    provider.claims["realm"] = {"groups": ["OPS", "all"]}
    rbac = {
        "roles": [
            {
                "name": "ops",
                "clusters": ["kafka"],
                "subjects": [{"provider": "oauth", "type": "role", "value": "ops"}],
                "permissions": [{"resource": "acl", "actions": ["view"]}],
            }
        ]
    }
    async with _with_provider(provider, rbac=rbac) as console:
        await _there_and_back(console, provider)
        said = (await console.get("/api/authorization")).json
        assert said["rbacEnabled"] is True
        assert said["userInfo"]["permissions"] == [
            {"clusters": ["kafka"], "resource": "acl", "actions": ["view"], "value": None}
        ]
        provider.claims = {"sub": "ben"}
        await _there_and_back(console, provider)
        assert (await console.get("/api/authorization")).json["userInfo"]["permissions"] == []
        assert (await console.get("/api/clusters")).json["clusters"] == []


async def test_a_code_counts_once_and_in_the_browser_that_began(provider: FakeProvider) -> None:
    async with _with_provider(provider) as console:
        begun = await console.get("/oauth2/authorization/mine")
        brought = provider.code_for(begun.headers["Location"])
        kept = begun.headers["Set-Cookie"].partition(";")[0]
        console.session.cookie_jar.clear()
        assert "not begun in this browser" in _why(await _back(console, brought))
        other = await console.get("/oauth2/authorization/mine")
        assert other.headers["Set-Cookie"].partition(";")[0] != kept
        assert "not begun in this browser" in _why(await _back(console, brought))
        console.session.cookie_jar.clear()
        path = f"/login/oauth2/code/mine?code={brought['code']}&state={brought['state']}"
        assert (await console.get(path, Cookie=kept)).headers["Location"] == "/"
        console.session.cookie_jar.clear()
        assert "did not take the code" in _why(await console.get(path, Cookie=kept))


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: kept[:-1] + "x",
        lambda kept: "x" + kept,
        lambda kept: "klamm-login=.",
        lambda kept: "klamm-login=é.é",
    ],
)
async def test_what_the_browser_kept_must_be_as_it_was(provider: FakeProvider, change: Any) -> None:
    async with _with_provider(provider) as console:
        begun = await console.get("/oauth2/authorization/mine")
        brought = provider.code_for(begun.headers["Location"])
        kept = change(begun.headers["Set-Cookie"].partition(";")[0])
        console.session.cookie_jar.clear()
        said = await console.get(
            f"/login/oauth2/code/mine?code={brought['code']}&state={brought['state']}", Cookie=kept
        )
        assert "not begun in this browser" in _why(said)


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (lambda claims: {**claims, "iss": "https://evil"}, "issued by somebody else"),
        (lambda claims: {**claims, "aud": "evil"}, "meant for somebody else"),
        (lambda claims: {**claims, "nonce": "other"}, "another log-in"),
        (lambda claims: {**claims, "exp": 1}, "holds no longer"),
        (lambda claims: {**claims, "sub": "ben"}, "another person than its token"),
        (lambda claims: {key: one for key, one in claims.items() if key != "sub"}, "does not say who"),
    ],
)
async def test_a_token_that_is_not_believed_opens_nothing(provider: FakeProvider, lie: Any, why: str) -> None:
    provider.lie = lie
    if why == "does not say who":
        provider.claims = {}
    async with _with_provider(provider, **{"user-name-attribute": "sub"}) as console:
        said = await _there_and_back(console, provider)
        assert why in _why(said)
        assert (await console.get("/api/clusters")).status == 401


async def test_new_keys_of_a_provider_are_read_when_a_token_names_them(provider: FakeProvider) -> None:
    async with _with_provider(provider) as console:
        await _there_and_back(console, provider)
        good, provider.key = provider.key, SigningKey("EdDSA", id="two")
        assert "does not name" in _why(await _there_and_back(console, provider)), "keys were read a moment ago"
        assert provider.asked.count("keys") == 1
        provider.key = good
        assert (await _there_and_back(console, provider)).headers["Location"] == "/"


async def test_an_address_that_was_not_verified_is_nobodys_name(provider: FakeProvider) -> None:
    async with _with_provider(provider, **{"user-name-attribute": "email"}) as console:
        for verified in (False, "false"):
            provider.claims = {"sub": "1", "email": "ann@example.com", "email_verified": verified}
            assert "not verified" in _why(await _there_and_back(console, provider))
        provider.claims["email_verified"] = True
        assert (await _there_and_back(console, provider)).headers["Location"] == "/"
        assert (await console.get("/api/authorization")).json["userInfo"]["username"] == "ann@example.com"


async def test_an_answer_of_another_provider_is_not_taken(provider: FakeProvider) -> None:
    async with _with_provider(provider) as console:
        begun = await console.get("/oauth2/authorization/mine")
        brought = provider.code_for(begun.headers["Location"])
        assert "another provider" in _why(await _back(console, {**brought, "iss": "https://evil"}))


async def test_what_a_provider_refuses_is_told_in_our_words(provider: FakeProvider) -> None:
    async with _with_provider(provider) as console:
        said = await console.get("/login/oauth2/code/mine?error=access_denied&error_description=%3Cscript%3E")
        assert _why(said) == "the provider did not let you in; begin again"
        assert "not known here" in _why(await console.get("/oauth2/authorization/other"))


async def test_an_answer_in_many_pieces_is_read_to_its_end(provider: FakeProvider) -> None:
    provider.more = 900_000
    async with _with_provider(provider) as console:
        assert (await _there_and_back(console, provider)).headers["Location"] == "/"
    provider.more = 2_000_000
    async with _with_provider(provider) as console:
        assert "does not answer as it should" in _why(await _there_and_back(console, provider))


async def test_github_tells_by_its_own_way(provider: FakeProvider) -> None:
    provider.claims = {"login": "ann", "id": 7, "orgs": [*(f"of-ann-{one}" for one in range(50)), "klamm"]}
    client: dict[str, Any] = {
        "provider": "github",
        "issuer-uri": "",
        "authorization-uri": f"{provider.url}/authorize",
        "token-uri": f"{provider.url}/token",
        "user-info-uri": f"{provider.url}/userinfo",
        "custom-params": {},
    }
    rbac = {
        "defaultRole": {"clusters": ["kafka"], "permissions": [{"resource": "acl", "actions": ["view"]}]},
        "roles": [
            {
                "name": "members",
                "clusters": ["kafka"],
                "subjects": [{"provider": "oauth_github", "type": "organization", "value": "klamm"}],
                "permissions": [{"resource": "topic", "value": ".*", "actions": ["view"]}],
            },
            {
                "name": "team",
                "clusters": ["kafka"],
                "subjects": [{"provider": "oauth_github", "type": "team", "value": "klamm/ops"}],
                "permissions": [{"resource": "ksql", "actions": ["execute"]}],
            },
        ],
    }
    async with _with_provider(provider, rbac=rbac, **client) as console:
        said = await _there_and_back(console, provider)
        assert said.headers["Location"] == "/", said.headers
        info = (await console.get("/api/authorization")).json["userInfo"]
        assert (info["username"], [one["resource"] for one in info["permissions"]]) == ("ann", ["topic"])
        provider.claims["orgs"], provider.claims["teams"] = [], [["klamm", "ops"]]
        await _there_and_back(console, provider)
        info = (await console.get("/api/authorization")).json["userInfo"]
        assert [one["resource"] for one in info["permissions"]] == ["ksql"], "of the team"
        provider.claims["teams"] = []
        await _there_and_back(console, provider)
        info = (await console.get("/api/authorization")).json["userInfo"]
        assert [one["resource"] for one in info["permissions"]] == ["acl"], "the default role, for who has no other"
