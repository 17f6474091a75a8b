"""The node's network: pods reach each other, services, names, the API, and the host reaches node ports."""

import asyncio
import os
import signal
import socket
from typing import TYPE_CHECKING

from tests.builders.ports import free_port
from tests.system.node.conftest import WITHIN

from klamm.localkube.kubelet.runtime import Backend, Network, ServicePort

if TYPE_CHECKING:
    from tests.system.node.conftest import Node

# Answers each connection with its name, then sends back what it gets.
SERVER = """
import socketserver, sys
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(sys.argv[1].encode() + b"\\n")
        while data := self.request.recv(1 << 20):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
print("listening", flush=True)
Server(("0.0.0.0", 9092), Handler).serve_forever()
"""
SAY = """
import socket, sys
print(socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).recv(9).decode(), end="")
"""
LOOK_UP = "import socket,sys; print(sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[1], 1)}))"
SERVICE = "10.96.7.7"
AT_ONCE = 3.0
"""Seconds; a kernel that asks for a neighbour that is gone asks for longer."""


async def _server(node: "Node", name: str) -> str:
    sandbox = await node.sandbox(name)
    await node.run(name, "/usr/bin/python3", "-u", "-c", SERVER, name)
    async with asyncio.timeout(WITHIN):
        while await node.runtime.probe_tcp(sandbox.id, 9092, 1):
            await asyncio.sleep(0.02)
    return sandbox.ip


def _service(*addresses: str, node_port: int | None = None) -> ServicePort:
    return ServicePort(SERVICE, 9092, "TCP", node_port, tuple(Backend(a, 9092) for a in addresses))


async def _say(node: "Node", pod: str, address: str, port: int = 9092, within: float = WITHIN) -> tuple[int, str]:
    return await node.output(pod, "/usr/bin/python3", "-c", SAY, address, str(port), str(within))


async def test_pods_reach_each_other_and_services_by_name(node: "Node") -> None:
    a, b = await _server(node, "a"), await _server(node, "b")
    names = {"boot.kafka.svc.cluster.local": (SERVICE,), "b.brokers.kafka.svc.cluster.local": (b,)}
    await node.runtime.configure(Network((_service(a, b),), names))
    assert await _say(node, "a", b) == (0, "b\n")
    assert await _say(node, "a", "b.brokers") == (0, "b\n")
    answers: set[str] = set()
    for _ in range(64):  # each time another one at random
        answers.add((await _say(node, "a", "boot.kafka.svc"))[1])
        if len(answers) == 2:
            break
    assert answers == {"a\n", "b\n"}, "a pod reaches every backend, itself included"
    assert (await node.output("a", "/usr/bin/python3", "-c", LOOK_UP, "boot"))[1] == f"['{SERVICE}']\n"
    code, text = await node.output("a", "/usr/bin/python3", "-c", LOOK_UP, "nosuch")
    assert (code, "Name or service not known" in text) == (1, True)


async def test_a_backend_that_is_gone_is_passed_over_and_none_is_refused(node: "Node") -> None:
    a = await _server(node, "a")
    await node.runtime.configure(Network((_service("10.244.200.200", a),)))
    assert {await _say(node, "a", SERVICE) for _ in range(3)} == {(0, "a\n")}
    await node.runtime.configure(Network((_service(),)))
    code, text = await _say(node, "a", SERVICE)
    assert (code, "Connection refused" in text) == (1, True)


async def test_who_remembers_a_pods_address_reaches_its_successor_at_once(node: "Node") -> None:
    """The caller's kernel remembers where the address was: without the same link address it would wait for seconds."""
    await _server(node, "caller")
    first = await _server(node, "a")
    assert await _say(node, "caller", first) == (0, "a\n")
    await node.runtime.remove_sandbox("uid-a")
    await node.runtime.forget_container("uid-a/main/0")
    assert await _server(node, "a") == first
    assert await _say(node, "caller", first, within=AT_ONCE) == (0, "a\n")


async def test_pods_that_go_cut_nobody_off_from_services(node: "Node") -> None:
    """A bridge has the lowest link address of its ports, unless it was given one: of twelve one goes most likely."""
    others = [f"other-{number}" for number in range(12)]
    for other in others:
        await node.sandbox(other)
    await node.runtime.configure(Network((_service(await _server(node, "a")),)))
    assert await _say(node, "a", SERVICE) == (0, "a\n")
    for other in others:
        await node.runtime.remove_sandbox(f"uid-{other}")
    assert await _say(node, "a", SERVICE) == (0, "a\n")


async def test_a_new_configuration_leaves_connections_alone(node: "Node") -> None:
    port = free_port()
    a, b = await _server(node, "a"), await _server(node, "b")
    await node.runtime.configure(Network((_service(a, node_port=port),)))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.readline() == b"a\n"
    await node.runtime.configure(Network((_service(b, node_port=port),)))
    big = os.urandom(8 << 20)
    writer.write(big)
    assert await asyncio.wait_for(reader.readexactly(len(big)), WITHIN) == big
    writer.close()
    other, _ = await asyncio.open_connection("127.0.0.1", port)
    assert await other.readline() == b"b\n"
    await node.runtime.configure(Network())
    with socket.create_server(("127.0.0.1", port)):
        pass  # the host's port is free again


async def test_a_node_port_in_use_is_told_with_its_number(node: "Node") -> None:
    a = await _server(node, "a")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = await node.runtime.configure(Network((_service(a, node_port=port),)))
        assert list(refused) == [port]
        assert f"127.0.0.1:{port}" in refused[port]
        assert "Address already in use" in refused[port]
        assert await _say(node, "a", SERVICE) == (0, "a\n")


async def test_a_killed_relay_comes_back_with_what_it_had(node: "Node") -> None:
    port = free_port()
    a = await _server(node, "a")
    await node.runtime.configure(Network((_service(a, node_port=port),), {"a.kafka.svc.cluster.local": (a,)}))
    os.kill(node.process("relay"), signal.SIGKILL)
    async with asyncio.timeout(WITHIN):
        while True:
            if await _say(node, "a", "a.kafka.svc") == (0, "a\n") and await _say(node, "a", SERVICE) == (0, "a\n"):
                break
    reader, _ = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.readline() == b"a\n"


async def test_pods_reach_the_api_at_its_cluster_address(node: "Node") -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"api\n")
        writer.close()

    await _server(node, "a")
    server = await asyncio.start_unix_server(answer, f"{node.home}/run/api.sock")
    assert await _say(node, "a", "10.96.0.1", 443) == (0, "api\n")
    server.close()


async def test_a_port_is_forwarded_into_the_pod(node: "Node") -> None:
    await _server(node, "a")
    connection = await node.runtime.connect("uid-a", 9092)
    assert await connection.read() == b"a\n"
    await connection.write(b"hello")
    assert await connection.read() == b"hello"
    await connection.close()
    assert await node.runtime.probe_tcp("uid-a", 9, 1) is not None
