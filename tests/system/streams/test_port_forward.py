"""kubectl port-forward to real pods, tunnelled in a WebSocket as today's kubectl does it, and over SPDY."""

import asyncio
import os
import resource
import signal
from collections.abc import Mapping
from typing import Any

import pytest
from tests.builders.pod_cluster import PYTHON, SPDY, WITHIN, PodCluster, pod, until

from klamm.base.together import side_by_side
from klamm.localkube.objects import DEPLOYMENTS, SERVICES

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROTOCOLS = pytest.mark.parametrize("environment", [{}, SPDY], ids=["tunnel", "spdy"])
Environment = Mapping[str, str]
SERVER = """
import asyncio, sys
async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write(b"<end>")
    writer.close()
async def name(reader, writer):
    writer.write(sys.argv[1].encode())
    writer.close()
async def flood(reader, writer):
    for _ in range(int(await reader.readline())):
        writer.write(bytes(1 << 20))
        await writer.drain()
    writer.close()
async def sink(reader, writer):
    count = 0
    while data := await reader.read(65536):
        count += len(data)
    writer.write(str(count).encode())
    writer.close()
async def deaf(reader, writer):
    await asyncio.sleep(1000)
async def main():
    for port, served in ((7, echo), (8, name), (9, flood), (10, sink), (11, deaf)):
        await asyncio.start_server(served, "127.0.0.1", port)
    await asyncio.sleep(1e6)
asyncio.run(main())
"""
MIB = 1 << 20
ALL_OF_IT_WITHIN = 300.0
"""Seconds for 100 MiB, which take some."""


def server(name: str) -> dict[str, Any]:
    command = [PYTHON, "-c", SERVER, name]
    asks = [PYTHON, "-c", "import socket; socket.create_connection(('127.0.0.1', 11))"]
    probe = {"exec": {"command": asks}, "periodSeconds": 1, "timeoutSeconds": 30}
    return pod(name, [{"name": "c", "image": "host", "command": command, "readinessProbe": probe}])


async def serving(cluster: PodCluster, name: str) -> None:
    cluster.create(server(name))
    await cluster.until(f"{name} is ready", lambda: cluster.container(name).get("ready"))


async def said_by(port: int, given: bytes = b"", *, ends: bool = True) -> bytes:
    """All that a connection answers, after our half of it has ended."""
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(given)
        if ends:
            writer.write_eof()
        answer = await reader.read(-1)
        writer.close()
        return answer


@PROTOCOLS
async def test_several_ports_several_connections_and_half_close(cluster: PodCluster, environment: Environment) -> None:
    await serving(cluster, "web")
    async with cluster.forwarded("pod/web", ":7", ":8", environment=environment) as ((echo, name), _):
        assert await said_by(name, ends=False) == b"web"
        given = [os.urandom(200_000) for _ in range(20)]
        answers = await side_by_side(*(said_by(echo, data) for data in given))
        assert list(answers) == [data + b"<end>" for data in given]
    await cluster.remove("web")


@PROTOCOLS
async def test_services_and_deployments_lead_to_one_of_their_pods(
    cluster: PodCluster, environment: Environment
) -> None:
    ports = [{"port": 80, "targetPort": 8}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    cluster.objects.create(SERVICES, "default", service | {"spec": {"selector": {"app": "d"}, "ports": ports}})
    template = {"metadata": {"labels": {"app": "d"}}, "spec": server("of-d")["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "d"}}, "template": template}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}
    cluster.objects.create(DEPLOYMENTS, "default", deployment)

    def is_available() -> bool:
        status = cluster.objects.get(DEPLOYMENTS, "default", "d").get("status") or {}
        return status.get("availableReplicas") == 1

    await cluster.until("the deployment is there", is_available)
    for target, port in (("service/s", ":80"), ("deployment/d", ":8")):
        async with cluster.forwarded(target, port, environment=environment) as ((local,), _):
            assert await said_by(local, ends=False) == b"of-d"
    for resource_, name in ((SERVICES, "s"), (DEPLOYMENTS, "d")):
        cluster.objects.delete(resource_, "default", name)
    await cluster.until("all is gone", lambda: not cluster.names())


@PROTOCOLS
async def test_100_mib_go_through_both_ways_and_memory_stays_flat(
    cluster: PodCluster, environment: Environment
) -> None:
    await serving(cluster, "big")
    async with cluster.forwarded("big", ":9", ":10", environment=environment) as ((flood, sink), _):
        assert len(await said_by(flood, b"1\n", ends=False)) == MIB
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert await received(flood, 100) == 100 * MIB
        assert await sent(sink, 100) == 100 * MIB
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 20 << 10, f"{grown} KiB more"
    await cluster.remove("big")


async def received(port: int, mib: int) -> int:
    async with asyncio.timeout(ALL_OF_IT_WITHIN):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{mib}\n".encode())
        count = 0
        while data := await reader.read(65536):
            count += len(data)
        writer.close()
        return count


async def sent(port: int, mib: int) -> int:
    async with asyncio.timeout(ALL_OF_IT_WITHIN):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(mib):
            writer.write(bytes(MIB))
            await writer.drain()
        writer.write_eof()
        count = int(await reader.read(-1))
        writer.close()
        return count


@PROTOCOLS
async def test_who_does_not_read_holds_up_the_writer_and_nothing_is_collected(
    cluster: PodCluster, environment: Environment
) -> None:
    await serving(cluster, "slow")
    async with cluster.forwarded("slow", ":9", environment=environment) as ((flood,), _):
        reader, writer = await asyncio.open_connection("127.0.0.1", flood)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        writer.write(b"200\n")
        count = len(await reader.readexactly(MIB))
        # The pod would have written all of it by now, were it not held up: kubectl and we hold little.
        await asyncio.sleep(1)
        while data := await reader.read(65536):
            count += len(data)
        writer.close()
        assert count == 200 * MIB
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 20 << 10, f"{grown} KiB more"
    await cluster.remove("slow")


@PROTOCOLS
async def test_a_closed_port_is_told_in_kubectls_words(cluster: PodCluster, environment: Environment) -> None:
    await serving(cluster, "closed")
    async with cluster.forwarded("closed", ":7", ":99", environment=environment) as ((_, shut), process):
        assert await said_by(shut, ends=False) == b""
        assert process.stderr is not None
        async with asyncio.timeout(WITHIN):
            errors = (await process.stderr.readuntil(b"refused")).decode()
        assert f"an error occurred forwarding {shut} -> 99: error forwarding port 99 to pod " in errors
        assert "dial tcp 127.0.0.1:99: Connection refused" in errors
    await cluster.remove("closed")


@PROTOCOLS
async def test_a_forward_that_ends_leaves_nothing(cluster: PodCluster, environment: Environment) -> None:
    await serving(cluster, "left")
    before = len(os.listdir("/proc/self/fd"))
    for end in (signal.SIGINT, signal.SIGKILL):
        async with cluster.forwarded("left", ":7", ":11", environment=environment) as ((echo, deaf), process):
            streams = [await asyncio.open_connection("127.0.0.1", port) for port in (echo, deaf)]
            for _, writer in streams:
                writer.write(b"x" * 100_000)
            assert await streams[0][0].readexactly(100_000)
            process.send_signal(end)
            await process.wait()
            for _, writer in streams:
                writer.transport.abort()

    async def nothing_is_left() -> bool:
        return len(os.listdir("/proc/self/fd")) <= before

    await until("descriptors are given back", nothing_is_left)
    await cluster.remove("left")


async def test_a_pod_that_does_not_run_is_told_in_kubernetes_words(cluster: PodCluster) -> None:
    cluster.create(pod("never", [{"name": "c", "image": "there-is-none"}]))
    await cluster.until("it waits", lambda: cluster.container("never").get("state", {}).get("waiting"))
    said = await cluster.kubectl("port-forward", "never", ":80", "--pod-running-timeout=1s")
    assert "unable to forward port because pod is not running. Current status=Pending" in said.err
    await cluster.remove("never")
