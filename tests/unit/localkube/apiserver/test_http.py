"""The API as a client on a socket meets it: codes, bodies, tables, watches, streams."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.builders.api_server import RunningApi, running_api
from tests.builders.fake_streams import FakeStreams


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[RunningApi]:
    async with running_api(tmp_path, FakeStreams()) as running:
        yield running


@pytest.fixture
async def client(api: RunningApi) -> AsyncIterator[aiohttp.ClientSession]:
    context = ssl.create_default_context(cafile=str(api.authority))
    context.load_cert_chain(api.certificate, api.key)
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(api.url, connector=connector, headers={"User-Agent": "tester/1"}) as session:
        yield session


MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"


async def call(client: aiohttp.ClientSession, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    async with client.request(method, path, json=body, **more) as response:
        return response.status, json.loads(await response.read())


async def make_map(client: aiohttp.ClientSession, name: str, **labels: str) -> Any:
    code, made = await call(client, "POST", MAPS, {"metadata": {"name": name, "labels": labels}})
    assert code == 201
    return made


async def make_pod(client: aiohttp.ClientSession) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "x"}]}}
    assert (await call(client, "POST", PODS, pod))[0] == 201


async def test_without_a_certificate_or_token_nobody_gets_in(api: RunningApi) -> None:
    context = ssl.create_default_context(cafile=str(api.authority))
    async with aiohttp.ClientSession(api.url, connector=aiohttp.TCPConnector(ssl=context)) as stranger:
        assert (await call(stranger, "GET", "/version"))[0] == 200
        code, body = await call(stranger, "GET", "/api/v1/pods")
        assert (code, body["reason"]) == (401, "Unauthorized")
        code, _ = await call(stranger, "GET", "/api/v1/pods", headers={"Authorization": "Bearer a.b.c"})
        assert code == 401


async def test_a_service_accounts_token_gets_in_until_the_account_goes(
    api: RunningApi, client: aiohttp.ClientSession
) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    await call(client, "POST", accounts, {"metadata": {"name": "a"}})
    code, answer = await call(client, "POST", f"{accounts}/a/token", {"spec": {}})
    assert code == 201
    headers = {"Authorization": f"Bearer {answer['status']['token']}"}
    reviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    _, who = await call(client, "POST", reviews, {}, headers=headers)
    assert who["status"]["userInfo"]["username"] == "system:serviceaccount:default:a"
    await call(client, "DELETE", f"{accounts}/a")
    assert (await call(client, "GET", MAPS, headers=headers))[0] == 401


async def test_the_user_agent_is_the_manager(client: aiohttp.ClientSession) -> None:
    made = await make_map(client, "a", x="y")
    (entry,) = made["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("tester", "Update")
    assert entry["fieldsV1"] == {"f:metadata": {"f:labels": {".": {}, "f:x": {}}}}


ERRORS: list[tuple[str, str, str, Any, int, str]] = [
    ("no such object", "GET", f"{MAPS}/a", None, 404, "NotFound"),
    ("a body that is no object", "POST", MAPS, [], 400, "BadRequest"),
    ("an unknown method", "DELETE", "/api/v1/namespaces", None, 405, "MethodNotAllowed"),
    ("a label selector that cannot be read", "GET", f"{MAPS}?labelSelector=a%20b", None, 400, "BadRequest"),
    ("a field nobody selects by", "GET", f"{MAPS}?fieldSelector=data.a=b", None, 400, "BadRequest"),
    ("a version from the future", "GET", f"{MAPS}?resourceVersion=99999", None, 504, "Timeout"),
    ("a continue token of another server", "GET", f"{MAPS}?continue=xyz", None, 400, "BadRequest"),
    ("a policy that is none", "DELETE", f"{MAPS}/a?propagationPolicy=Later", None, 422, "Invalid"),
]


@pytest.mark.parametrize("row", ERRORS, ids=[row[0] for row in ERRORS])
async def test_errors_have_their_status(
    client: aiohttp.ClientSession, row: tuple[str, str, str, Any, int, str]
) -> None:
    _, method, path, body, code, reason = row
    got, status = await call(client, method, path, body)
    assert (got, status["reason"], status["kind"]) == (code, reason, "Status")


async def test_lists_are_selected_and_paged(client: aiohttp.ClientSession) -> None:
    for name in "abcd":
        await make_map(client, name, app="x" if name != "d" else "y")
    _, chosen = await call(client, "GET", f"{MAPS}?labelSelector=app in (x),!z&fieldSelector=metadata.name!=b")
    assert [each["metadata"]["name"] for each in chosen["items"]] == ["a", "c"]
    _, first = await call(client, "GET", f"{MAPS}?limit=3")
    assert first["metadata"]["remainingItemCount"] == 1
    await call(client, "DELETE", f"{MAPS}/d")
    _, second = await call(client, "GET", f"{MAPS}?limit=3&continue={first['metadata']['continue']}")
    assert [each["metadata"]["name"] for each in second["items"]] == ["d"], "pages show the first page's state"


async def test_a_table_has_kubectls_columns(client: aiohttp.ClientSession) -> None:
    await make_pod(client)
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    _, table = await call(client, "GET", PODS, headers=accept)
    shown = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    assert shown == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert table["rows"][0]["cells"][:4] == ["p", "0/1", "Pending", "0"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def events(client: aiohttp.ClientSession, query: str, count: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    async with asyncio.timeout(60), client.get(f"{MAPS}?watch=1&{query}") as response:
        while len(found) < count:
            event = json.loads(await response.content.readline())
            found.append((event["type"], event["object"].get("metadata", {}).get("name", "")))
    return found


async def test_an_object_that_leaves_a_selection_is_deleted_for_its_watcher(client: aiohttp.ClientSession) -> None:
    made = await make_map(client, "a", app="x")
    version = made["metadata"]["resourceVersion"]
    merge = {"Content-Type": "application/merge-patch+json"}
    await call(client, "PATCH", f"{MAPS}/a", {"data": {"a": "1"}}, headers=merge)
    await call(client, "PATCH", f"{MAPS}/a", {"metadata": {"labels": {"app": "y"}}}, headers=merge)
    await call(client, "PATCH", f"{MAPS}/a", {"metadata": {"labels": {"app": "x"}}}, headers=merge)
    seen = await events(client, f"labelSelector=app=x&resourceVersion={version}", 3)
    assert seen == [("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "a")]


async def test_initial_events_end_with_a_bookmark(client: aiohttp.ClientSession) -> None:
    await make_map(client, "a")
    query = "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    assert await events(client, query, 2) == [("ADDED", "a"), ("BOOKMARK", "")]


async def test_a_watch_from_before_the_window_is_told_so(client: aiohttp.ClientSession, api: RunningApi) -> None:
    await make_map(client, "a")
    api.registry.storage._forgotten["/configmaps"] = api.registry.storage.version
    async with client.get(f"{MAPS}?watch=1&resourceVersion=1") as response:
        event = json.loads(await response.content.readline())
    assert (response.status, event["type"], event["object"]["code"]) == (200, "ERROR", 410)


async def test_apply_creates_then_says_nothing_new(client: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": "application/apply-patch+yaml"}
    body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n"
    path = f"{MAPS}/a?fieldManager=one"
    async with client.patch(path, data=body, headers=headers) as response:
        first = await response.json()
        assert response.status == 201
    async with client.patch(path, data=body, headers=headers) as response:
        assert (response.status, await response.json()) == (200, first)
    other = body.replace("a: b", "a: c")
    async with client.patch(f"{MAPS}/a?fieldManager=two", data=other, headers=headers) as response:
        status = await response.json()
    assert (response.status, status["details"]["causes"][0]["field"]) == (409, ".data.a")


async def test_a_dry_run_writes_nothing(client: aiohttp.ClientSession) -> None:
    code, _ = await call(client, "POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "a"}})
    assert code == 201
    assert (await call(client, "GET", f"{MAPS}/a"))[0] == 404


async def test_unknown_and_double_fields_warn(client: aiohttp.ClientSession) -> None:
    body = b'{"metadata":{"name":"a"},"odd":1,"data":{"a":"1","a":"2"}}'
    headers = {"Content-Type": "application/json"}
    async with client.post(f"{MAPS}?fieldValidation=Warn", data=body, headers=headers) as response:
        warnings = response.headers.getall("Warning")
    assert warnings == ['299 - "unknown field \\"odd\\""', '299 - "duplicate field \\"data.a\\""']


async def test_scale_changes_replicas(client: aiohttp.ClientSession) -> None:
    base = "/apis/apps/v1/namespaces/default/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    await call(client, "POST", base, {"metadata": {"name": "d"}, "spec": spec})
    _, scale = await call(client, "GET", f"{base}/d/scale")
    assert (scale["spec"], scale["status"]["selector"]) == ({"replicas": 1}, "a=b")
    await call(client, "PUT", f"{base}/d/scale", {**scale, "spec": {"replicas": 4}})
    assert (await call(client, "GET", f"{base}/d"))[1]["spec"]["replicas"] == 4


async def test_a_budget_forbids_an_eviction(client: aiohttp.ClientSession) -> None:
    await make_pod(client)
    budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
    await call(client, "POST", budgets, {"metadata": {"name": "b"}, "spec": {"selector": {}, "minAvailable": 1}})
    code, status = await call(client, "POST", f"{PODS}/p/eviction", {"metadata": {"name": "p"}})
    assert (code, status["details"]["causes"][0]["reason"]) == (429, "DisruptionBudget")


async def test_discovery_names_what_is_served(client: aiohttp.ClientSession) -> None:
    accept = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    _, core = await call(client, "GET", "/api", headers=accept)
    pods = next(each for each in core["items"][0]["versions"][0]["resources"] if each["resource"] == "pods")
    assert (pods["shortNames"], pods["categories"]) == (["po"], ["all"])
    _, listed = await call(client, "GET", "/apis/apps/v1")
    assert {"deployments", "deployments/scale", "deployments/status"} <= {each["name"] for each in listed["resources"]}


async def test_a_watcher_that_goes_away_is_worth_no_word(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    made = await make_map(client, "a")
    watching = await client.get(f"{MAPS}?watch=1&resourceVersion={made['metadata']['resourceVersion']}")
    watching.close()
    for number in range(20):
        await make_map(client, f"b{number}")
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_what_is_no_http_is_refused_without_a_word_in_the_log(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    await make_map(client, "a")  # on a first request aiohttp is quiet by itself
    with pytest.raises(aiohttp.ClientResponseError, match="400"):
        await client.request("BREW", MAPS, raise_for_status=True)
    assert caplog.records == []
