"""The client against localkube's API server, over TLS with a client certificate: two houses that must agree."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import cast

import pytest

from klamm.base.clock import SystemClock
from klamm.base.deadlines import until
from klamm.base.together import ended
from klamm.certificates.issue import Authority, Subject, issue_authority, issue_leaf
from klamm.certificates.keys import key_to_pem, new_key
from klamm.control import status
from klamm.kube import errors
from klamm.kube.client import Client, connect
from klamm.kube.connection import Connection
from klamm.kube.events import Recorder, reference
from klamm.kube.kinds import Name
from klamm.kube.leases import Election
from klamm.kube.native import CONFIG_MAPS, EVENTS, LEASES, PODS
from klamm.kube.watching import Watched
from klamm.localkube.apiserver.authentication import Authenticator, Tokens
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.server import Server, server_context
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.apiserver.web import build_app
from klamm.localkube.objects import Streams
from klamm.resources.custom.status import Status
from klamm.resources.native.configuration import ConfigMap
from klamm.resources.native.container import Container
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.native.pod import Pod, PodSpec

A = Name("default", "a")


def _identity(folder: Path) -> tuple[bytes, bytes, bytes]:
    """The authority, and a certificate and key that serve as the server's and as the client's; also as files."""
    now, key, leaf_key = SystemClock().now(), new_key(), new_key()
    authority = Authority(issue_authority(Subject("test-ca"), key, now=now, days=1), key_to_pem(key))
    subject = Subject("admin", "system:masters")
    leaf = issue_leaf(authority, subject, leaf_key, now=now, days=1, alternative_names=frozenset({"127.0.0.1"}))
    pem = key_to_pem(leaf_key)
    for name, content in (("ca.crt", authority.certificate), ("tls.crt", leaf), ("tls.key", pem)):
        (folder / name).write_bytes(content)
    return authority.certificate, leaf, pem


@asynccontextmanager
async def _client(folder: Path) -> AsyncIterator[Client]:
    clock = SystemClock()
    ca, certificate, key = _identity(folder)
    registry = Registry(Storage(folder / "cluster.db"), clock, Random(1), lambda: str(uuid.uuid4()))
    tokens = Tokens(new_key(), clock, lambda: "id")  # type: ignore[arg-type]
    app = build_app(registry, cast(Streams, None), Authenticator(tokens, lambda bound: True), tokens)
    listening = socket.create_server(("127.0.0.1", 0))
    context = server_context(folder / "tls.crt", folder / "tls.key", folder / "ca.crt")
    server = Server(app, [listening], context)
    await server.start()
    url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    try:
        async with connect(Connection(url, ca, certificate, key), "klamm-test", Random(1)) as client:
            yield client
    finally:
        await server.stop()


def _map(name: str = "a", **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="default", labels={"app": name}), data=data)


async def _holds(watched: Watched[ConfigMap], expected: Callable[[set[str]], bool]) -> None:
    def reason() -> str | None:
        names = {each.metadata.name or "" for each in watched.all()}
        return None if expected(names) else f"it holds {sorted(names)}"

    await until(5, "the cache", reason, every=0.01)


async def test_apply_makes_changes_and_removes_what_is_ours(tmp_path: Path) -> None:
    async with _client(tmp_path) as client:
        rehearsed = await client.apply(CONFIG_MAPS, _map(one="1"), dry_run=True)
        assert rehearsed.data == {"one": "1"}
        assert await client.find(CONFIG_MAPS, A) is None
        first = await client.apply(CONFIG_MAPS, _map(one="1", two="2"))
        same = await client.apply(CONFIG_MAPS, _map(one="1", two="2"))
        assert same.metadata.resource_version == first.metadata.resource_version
        second = await client.apply(CONFIG_MAPS, _map(one="1"))
        assert second.data == {"one": "1"}


async def test_create_replace_patch_and_delete_with_their_refusals(tmp_path: Path) -> None:
    async with _client(tmp_path) as client:
        made = await client.create(CONFIG_MAPS, _map(one="1"))
        with pytest.raises(errors.AlreadyExists, match="create ConfigMap default/a: 409 AlreadyExists"):
            await client.create(CONFIG_MAPS, _map(one="1"))
        patched = await client.patch(CONFIG_MAPS, A, {"data": {"two": "2", "one": None}})
        assert patched.data == {"two": "2"}
        with pytest.raises(errors.Conflict):
            await client.replace(CONFIG_MAPS, made)
        tested = [{"op": "test", "path": "/data/two", "value": "2"}, {"op": "remove", "path": "/data/two"}]
        assert (await client.patch(CONFIG_MAPS, A, tested)).data == {}
        with pytest.raises(errors.Conflict):
            await client.delete(CONFIG_MAPS, A, uid="of another")
        assert await client.delete(CONFIG_MAPS, A, uid=made.metadata.uid)
        assert not await client.delete(CONFIG_MAPS, A)
        with pytest.raises(errors.NotFound, match="read ConfigMap default/a: 404 NotFound"):
            await client.get(CONFIG_MAPS, A)


async def test_an_object_that_breaks_a_rule_names_the_field(tmp_path: Path) -> None:
    async with _client(tmp_path) as client:
        with pytest.raises(errors.Invalid) as caught:
            await client.create(CONFIG_MAPS, _map("Not-Lower-Case"))
        assert [cause.field for cause in caught.value.causes] == ["metadata.name"]


async def test_a_list_in_pages_and_by_label(tmp_path: Path) -> None:
    async with _client(tmp_path) as client:
        for number in range(12):
            await client.create(CONFIG_MAPS, _map(f"m{number:02d}"))
        listed = await client.list(CONFIG_MAPS, "default", {"app": "m07"})
        assert [each.metadata.name for each in listed.items] == ["m07"]
        assert len((await client.list(CONFIG_MAPS, "default", "app")).items) == 12
        await client.delete_collection(CONFIG_MAPS, "default", "app in (m00, m01)")
        assert len((await client.list(CONFIG_MAPS, "default", "app", page=5)).items) == 10


async def test_the_cache_follows_the_server(tmp_path: Path) -> None:
    async with _client(tmp_path) as client:
        await client.create(CONFIG_MAPS, _map("a"))
        watched = Watched(client, CONFIG_MAPS, Random(1), labels="app")
        running = asyncio.ensure_future(watched.run())
        await _holds(watched, lambda names: names == {"a"})
        await client.create(CONFIG_MAPS, _map("b"))
        await client.delete(CONFIG_MAPS, A)
        await _holds(watched, lambda names: names == {"b"})
        await ended(running)


async def test_status_event_and_lease(tmp_path: Path) -> None:
    async with _client(tmp_path) as client:
        clock = SystemClock()
        spec = PodSpec(containers=[Container(name="c", image="i")])
        pod = await client.create(PODS, Pod(metadata=ObjectMeta(name="a", namespace="default"), spec=spec))
        assert await status.write(client, PODS, pod, None, Status(conditions=[status.ready()]), clock.now())
        conditions = (await client.get(PODS, A)).status
        assert conditions is not None
        assert [each.type for each in conditions.conditions] == ["Ready"]

        recorder = Recorder(client, "klamm", "test", clock)
        writing = asyncio.ensure_future(recorder.run())
        for _ in range(3):
            recorder.note(reference(PODS, pod), "Normal", "Restarted", "its certificate was renewed")
        await recorder.drained()
        writing.cancel()
        events = (await client.list(EVENTS, "default")).items
        assert [(each.reason, each.count) for each in events] == [("Restarted", 3)]

        led: list[str | None] = []

        async def work() -> None:
            led.append((await client.get(LEASES, Name("default", "l"))).spec.holder_identity)

        await Election(client, Name("default", "l"), "one", clock, Random(1)).lead(work)
        assert led == ["one"]
        assert not (await client.get(LEASES, Name("default", "l"))).spec.holder_identity
