"""The console's ways that need more beside them than Kafka: a log-in by OpenID Connect, and the operator's page.

A console of its own before the cluster of bench/console.py, with a provider (the fake of tests/builders) and an API of
localkube's that has the Kafka resource and a KafkaTopic for each topic, none of them ready. Both are in this process;
what they take counts.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from random import Random
from typing import Any, cast

import aiohttp
from tests.builders.api_server import api_registry, running_api
from tests.builders.definitions import store_with
from tests.builders.fake_provider import CLIENT, SECRET, FakeProvider, fake_provider

from bench.console_world import TOPICS, in_a_process, topic_name
from klamm.base.clock import SystemClock
from klamm.console.identity.reading import access
from klamm.console.service import serve
from klamm.console.settings import ClusterSettings, KubernetesSettings, Settings
from klamm.kafka.admin import Connection
from klamm.kube.connection import from_kubeconfig
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import Streams

_NAMESPACE, _CLUSTER = "kafka", "my-cluster"
_KINDS = ("kafkas.kafka", "kafkatopics.kafka", "kafkausers.kafka", "kafkanodepools.kafka", "strimzipodsets.core")
_LISTENER = {"name": "plain", "port": 9092, "type": "internal", "tls": False}
_KAFKA = {"kafka": {"replicas": 1, "listeners": [_LISTENER], "storage": {"type": "ephemeral"}}}
_BY_REDIRECT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
_OPERATOR = "/api/clusters/kafka/operator"
_WITHIN = 60.0


def measure(bootstrap: str, rounds: int) -> list[str]:
    """Seconds of each way: in the middle, of the first time, at most."""
    found = asyncio.run(_measured(bootstrap, rounds))
    return [
        f"  {statistics.median(all):6.3f} {all[0]:6.3f} {max(all):6.3f}  {way}  (beside {TOPICS} KafkaTopics)"
        for way, all in found.items()
    ]


async def _measured(bootstrap: str, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    async with _world() as (provider, kubeconfig):
        be = partial(_be_console, bootstrap, str(kubeconfig), provider.url)
        with in_a_process(be) as port:
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookie_jar=jar) as browser:
                await _log_in(browser, provider)
                await _joined(browser)
                for _ in range(rounds):
                    for way, took in (await _round(browser, provider)).items():
                        found.setdefault(way, []).append(took)
                    await asyncio.sleep(3.0)
    return found


@asynccontextmanager
async def _world() -> AsyncIterator[tuple[FakeProvider, Path]]:
    with tempfile.TemporaryDirectory(prefix="klamm-bench-") as folder:
        registry = api_registry(store_with(_KINDS, Path(folder) / "objects.db"))
        _fill(registry)
        async with (
            fake_provider(SystemClock().now().timestamp()) as provider,
            running_api(Path(folder), cast(Streams, None), registry) as api,
        ):
            yield provider, api.kubeconfig


def _fill(registry: Registry) -> None:
    def create(group: str, version: str, plural: str, namespace: str | None, obj: dict[str, Any]) -> None:
        kind = registry.kind(group, version, plural)
        assert kind is not None
        registry.create(kind, namespace, obj, WriteOptions())

    def resource(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        labels = {"strimzi.io/cluster": _CLUSTER}
        metadata = {"name": name, "namespace": _NAMESPACE, "labels": labels}
        return {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": kind, "metadata": metadata, "spec": spec}

    named = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}
    create("", "v1", "namespaces", None, named)
    create("kafka.strimzi.io", "v1beta2", "kafkas", _NAMESPACE, resource("Kafka", _CLUSTER, _KAFKA))
    for number in range(TOPICS):
        topic = resource("KafkaTopic", topic_name(number), {"partitions": 4, "replicas": 1})
        create("kafka.strimzi.io", "v1beta2", "kafkatopics", _NAMESPACE, topic)


def _be_console(bootstrap: str, kubeconfig: str, provider: str, told: Pipe) -> None:
    """Says its port."""
    client = {"clientId": CLIENT, "clientSecret": SECRET, "issuer-uri": provider}
    configuration = {"auth": {"type": "OAUTH2", "oauth2": {"client": {"mine": client}}}}
    connection = Connection(tuple(bootstrap.split(",")), client_id="console-in-a-benchmark")
    cluster = ClusterSettings("kafka", lambda: connection, resource=f"{_NAMESPACE}/{_CLUSTER}")
    settings = Settings(
        (cluster,),
        host="127.0.0.1",
        port=0,
        access=access(configuration, ["kafka"]),
        kubernetes=KubernetesSettings(from_kubeconfig(Path(kubeconfig)), (_NAMESPACE,)),
    )

    async def stand() -> None:
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(settings, SystemClock(), Random(1), stop, told.send))
        await asyncio.to_thread(told.recv)
        stop.set()
        await serving

    asyncio.run(stand())


async def _joined(browser: aiohttp.ClientSession) -> None:
    """The console has seen the resource and all topics of it."""
    begun = time.monotonic()
    while time.monotonic() - begun < _WITHIN:
        async with browser.get(_OPERATOR) as answer:
            if answer.ok and (await answer.json())["topics"] == TOPICS:
                return
        await asyncio.sleep(0.2)
    raise AssertionError(f"the console does not see {TOPICS} KafkaTopics within {_WITHIN:g} s")


async def _round(browser: aiohttp.ClientSession, provider: FakeProvider) -> dict[str, float]:
    took = await _log_in(browser, provider)
    for path in (_OPERATOR, f"{_OPERATOR}/moving"):
        begun = time.monotonic()
        async with browser.get(path) as answer:
            # The second does not end: what counts is until it says how things are.
            await (answer.content.readuntil(b"\n\n") if path.endswith("moving") else answer.read())
            assert answer.ok, await answer.text()
            took[path] = time.monotonic() - begun
    return took


async def _log_in(browser: aiohttp.ClientSession, provider: FakeProvider) -> dict[str, float]:
    begun = time.monotonic()
    async with browser.get("/oauth2/authorization/mine", allow_redirects=False) as answer:
        away, location = time.monotonic() - begun, answer.headers["Location"]
    brought, begun = provider.code_for(location), time.monotonic()
    way = "/login/oauth2/code/mine"
    async with browser.get(way, params=brought, headers=_BY_REDIRECT, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/", answer.headers["Location"]
        return {"/oauth2/authorization/mine": away, way: time.monotonic() - begun}
