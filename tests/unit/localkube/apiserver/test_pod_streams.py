"""Exec, attach and port-forward as clients meet them on a socket: WebSocket v4 and v5, SPDY, SPDY in a WebSocket."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.builders.api_server import RunningApi, running_api
from tests.builders.fake_streams import FakeStreams
from tests.builders.spdy_client import SpdyClient, raw_call, spdy

from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.apiserver.spdy import Data, FrameReader, FrameWriter, GoAway, Ping, RstStream, SynReply, SynStream
from klamm.localkube.objects import PODS, Refused, TerminalSize

PATH = "/api/v1/namespaces/default/pods/p"
EXEC = f"{PATH}/exec?command=echo&command=hi&stdin=true&stdout=true&stderr=true"
CHANNELS, PORTS = "v4.channel.k8s.io", "portforward.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
NOT_RUNNING = Refused(500, "InternalError", 'container not found ("c")')


@pytest.fixture
def streams() -> FakeStreams:
    return FakeStreams()


@pytest.fixture
async def api(tmp_path: Path, streams: FakeStreams) -> AsyncIterator[RunningApi]:
    async with running_api(tmp_path, streams, ping_seconds=0.2) as running:
        registry = running.registry
        for name, more in (("p", {"nodeName": "n"}), ("unbound", {})):
            spec = {"containers": [{"name": "c", "image": "x"}], **more}
            LocalObjects(registry, "test").create(PODS, "default", {"metadata": {"name": name}, "spec": spec})
        yield running


@pytest.fixture
async def client(api: RunningApi) -> AsyncIterator[aiohttp.ClientSession]:
    context = ssl.create_default_context(cafile=str(api.authority))
    context.load_cert_chain(api.certificate, api.key)
    async with aiohttp.ClientSession(api.url, connector=aiohttp.TCPConnector(ssl=context)) as session:
        yield session


async def messages(socket: aiohttp.ClientWebSocketResponse) -> list[bytes]:
    async with asyncio.timeout(60):
        return [message.data async for message in socket if len(message.data) > 1]


async def test_a_node_s_metrics_are_those_of_its_kubelet(client: aiohttp.ClientSession) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    await client.post("/api/v1/nodes", json=node)
    async with client.get("/api/v1/nodes/n/proxy/metrics/cadvisor") as response:
        assert (response.content_type, await response.text()) == ("text/plain", "n metrics/cadvisor\n")
    for method, path, code in (("GET", "none/proxy/metrics", 404), ("POST", "n/proxy/metrics", 405)):
        async with client.request(method, f"/api/v1/nodes/{path}") as response:
            assert response.status == code


# WebSocket


async def test_logs_and_exec_reach_the_streams(client: aiohttp.ClientSession) -> None:
    async with client.get(f"{PATH}/log?tailLines=3") as response:
        assert await response.text() == "default/p/c tail=3\n"
    async with client.ws_connect(EXEC, protocols=["v5.channel.k8s.io"]) as socket:
        await socket.send_bytes(b"\x00more")
        await socket.send_bytes(b"\xff\x00")
        said = await messages(socket)
    assert said[:2] == [b"\x01echo hi", b"\x01more"]
    status = json.loads(said[2][1:])
    assert (said[2][0], status["details"]["causes"]) == (3, [{"reason": "ExitCode", "message": "3"}])


async def test_attach_succeeds_whatever_the_container_exits_with(
    client: aiohttp.ClientSession, streams: FakeStreams
) -> None:
    streams._code = 0
    async with client.ws_connect(f"{PATH}/attach?stdin=1&stdout=1", protocols=["v5.channel.k8s.io"]) as socket:
        await socket.send_bytes(b"\x04" + b'{"Width":80,"Height":25}')
        await socket.send_bytes(b"\xff\x00")
        said = await messages(socket)
    assert said[0] == b"\x01attached"
    assert json.loads(said[1][1:])["status"] == "Success"
    assert streams.sessions[0].sizes == [TerminalSize(80, 25)]


@pytest.mark.parametrize("wanted", ["stdout=1", "stdout=1&stderr=1&tty=1", "stdin=1"])
async def test_what_nobody_asked_for_is_read_and_dropped(
    client: aiohttp.ClientSession, streams: FakeStreams, wanted: str
) -> None:
    async with client.ws_connect(f"{PATH}/attach?{wanted}", protocols=["v5.channel.k8s.io"]) as socket:
        await socket.send_bytes(b"\xff\x00")
        said = await messages(socket)
    assert streams.sessions[0].errors == [], "its writer would wait for ever"
    assert [message[:1] for message in said] == ([b"\x03"] if wanted == "stdin=1" else [b"\x01", b"\x03"])


async def test_what_does_not_run_is_told_in_kubernetes_words(
    client: aiohttp.ClientSession, api: RunningApi, streams: FakeStreams
) -> None:
    streams.refusal = NOT_RUNNING
    async with client.ws_connect(EXEC, protocols=["v5.channel.k8s.io"]) as socket:
        (status,) = await messages(socket)
    told = 'Internal error occurred: unable to upgrade connection: container not found ("c")'
    assert json.loads(status[1:])["message"] == told
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect(EXEC, protocols=[CHANNELS])
    assert refused.value.status == 500
    async with raw_call(api, EXEC, f"X-Stream-Protocol-Version: {CHANNELS}") as (head, connection):
        assert head.startswith("HTTP/1.1 500 ")
        assert await connection.reader.read(1 << 16) == b'container not found ("c")'


async def test_what_cannot_be_executed_is_told_at_the_end(client: aiohttp.ClientSession) -> None:
    path = EXEC.replace("command=echo", "command=nosuch")
    async with client.ws_connect(path, protocols=["v5.channel.k8s.io"]) as socket:
        (status,) = await messages(socket)
    told = 'Internal error occurred: error executing command in container: cannot execute "nosuch"'
    assert json.loads(status[1:])["message"] == told


REFUSED: list[tuple[str, str, dict[str, str], int, str]] = [
    ("no upgrade", EXEC, {}, 400, "Upgrade request required"),
    ("no stream", f"{PATH}/exec?command=a", {}, 400, "you must specify at least 1 of stdin, stdout, stderr"),
    ("no command", f"{PATH}/exec?stdout=1", {}, 400, "you must specify at least 1 command for the container"),
    ("no node", EXEC.replace("pods/p/", "pods/unbound/"), {}, 400, "pod unbound does not have a host assigned"),
    ("no such container", f"{EXEC}&container=x", {}, 400, "container x is not valid for pod p"),
    ("no protocol", EXEC, {"Upgrade": "SPDY/3.1"}, 400, "X-Stream-Protocol-Version is required"),
    (
        "an unknown protocol",
        EXEC,
        {"Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v9"},
        403,
        "client supports [v9], server accepts [v4.channel.k8s.io]",
    ),
    (
        "no port",
        f"{PATH}/portforward",
        {"Upgrade": "websocket", "Sec-WebSocket-Protocol": CHANNELS},
        400,
        "query parameter",
    ),
    (
        "no tail",
        f"{PATH}/log?tailLines=-1",
        {},
        422,
        "tailLines: Invalid value: -1: must be greater than or equal to 0",
    ),
    ("no limit", f"{PATH}/log?limitBytes=0", {}, 422, "limitBytes: Invalid value: 0: must be greater than 0"),
    ("no time", f"{PATH}/log?sinceTime=noon", {}, 400, "sinceTime: 'noon' is no time"),
    ("two times", f"{PATH}/log?sinceSeconds=1&sinceTime=2026-03-01T12:00:00Z", {}, 422, "at most one of `sinceTime`"),
]


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
async def test_refusals_before_the_connection_is_one_of_streams(
    client: aiohttp.ClientSession, row: tuple[str, str, dict[str, str], int, str]
) -> None:
    _, path, headers, code, says = row
    if headers:
        headers = {"Connection": "Upgrade", **headers}
    async with client.get(path, headers=headers) as response:
        assert (response.status, says in await response.text()) == (code, True)


async def test_the_log_of_a_pod_without_a_node_is_empty(client: aiohttp.ClientSession) -> None:
    async with client.get("/api/v1/namespaces/default/pods/unbound/log") as response:
        assert response.status == 204


# SPDY: exec


async def open_command(client: SpdyClient, *kinds: str) -> dict[str, int]:
    streams = {kind: await client.open(streamtype=kind) for kind in kinds}
    await client.until("replies", lambda heard: sum(isinstance(frame, SynReply) for frame in heard) == len(kinds))
    return streams


async def test_a_command_over_spdy(api: RunningApi, streams: FakeStreams) -> None:
    async with spdy(api, EXEC, CHANNELS) as client:
        command = await open_command(client, "error", "stdin", "stdout", "stderr")
        await client.send(Data(command["stdin"], b"more"))
        await client.send(Data(command["stdin"], b"", True))
        await client.until("the status", lambda _: client.has_ended(command["error"]))
        assert client.data(command["stdout"]) == b"echo himore"
        assert json.loads(client.data(command["error"]))["details"]["causes"] == [
            {"reason": "ExitCode", "message": "3"}
        ]
        assert any(isinstance(frame, GoAway) for frame in client.heard)


async def test_a_terminal_over_spdy_is_resized_however_the_sizes_are_cut(api: RunningApi, streams: FakeStreams) -> None:
    async with spdy(api, EXEC + "&tty=true", CHANNELS) as client:
        command = await open_command(client, "error", "stdin", "stdout", "resize")
        for piece in (b'{"Width":80,"Hei', b'ght":25}\n{"Width":81,"Height":26}\n', b"no size\n"):
            await client.send(Data(command["resize"], piece))
        await client.send(Data(command["stdin"], b"", True))
        await client.until("the status", lambda _: client.has_ended(command["error"]))
    assert streams.sessions[0].sizes == [TerminalSize(80, 25), TerminalSize(81, 26)]


async def test_streams_that_nobody_asked_for_are_reset(api: RunningApi) -> None:
    async with spdy(api, EXEC, CHANNELS) as client:
        odd = await client.open(streamtype="odd")
        error = await client.open(streamtype="error")
        twice = await client.open(streamtype="error")
        await client.send(SynStream(2, {"streamtype": "stdin"}))
        await client.until("the resets", lambda heard: sum(isinstance(f, RstStream) for f in heard) == 3)
        assert client.was_reset(odd)
        assert client.was_reset(twice)
        assert client.was_reset(2)
        assert not client.was_reset(error)


async def test_pings_are_answered_and_bad_frames_end_the_connection(api: RunningApi, streams: FakeStreams) -> None:
    async with spdy(api, EXEC, CHANNELS) as client:
        await open_command(client, "error", "stdin", "stdout", "stderr")
        await client.send(Ping(7))
        await client.until("the ping", lambda heard: Ping(7) in heard)
        await client.send_bytes(b"\x80\x02\x00\x01\x00\x00\x00\x00")
        await client.until_ended()
        assert [frame.status for frame in client.heard if isinstance(frame, GoAway)] == [1]
        async with asyncio.timeout(60):
            await streams.sessions[0].closed.wait()


@pytest.mark.parametrize("reads", [True, False], ids=["that reads", "that does not read its input"])
async def test_a_client_that_goes_away_ends_its_command(api: RunningApi, streams: FakeStreams, reads: bool) -> None:
    async with spdy(api, EXEC, CHANNELS) as client:
        command = await open_command(client, "error", "stdin", "stdout", "stderr")
        await client.until("the first words", lambda _: client.data(command["stdout"]) != b"")
        if not reads:
            streams.sessions[0].takes_input.clear()
            client.writer.write(client.encoder.encode(Data(command["stdin"], b"x" * 8_000_000)))
            await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await streams.sessions[0].closed.wait()


async def test_input_that_is_not_taken_stays_with_the_client(api: RunningApi, streams: FakeStreams) -> None:
    async with spdy(api, EXEC, CHANNELS) as client:
        command = await open_command(client, "error", "stdin", "stdout", "stderr")
        await client.until("the first words", lambda _: client.data(command["stdout"]) != b"")
        streams.sessions[0].takes_input.clear()
        sending = asyncio.ensure_future(send_for_ever(client, command["stdin"]))
        _, unsent = await asyncio.wait([sending], timeout=1)
        assert unsent, "what is not taken is not collected either"
        sending.cancel()
        streams.sessions[0].takes_input.set()
        await client.until("the echo of what came through", lambda _: len(client.data(command["stdout"])) > 1_000_000)


async def send_for_ever(client: SpdyClient, stream: int) -> None:
    while True:
        await client.send(Data(stream, b"x" * 1_000_000))


# Port-forward


async def open_port(client: SpdyClient, port: int, request: str) -> tuple[int, int]:
    headers = {"port": str(port), "requestid": request}
    error = await client.open(streamtype="error", **headers)
    await client.finish(error)
    return error, await client.open(streamtype="data", **headers)


async def test_connections_of_one_forward_are_independent(api: RunningApi, streams: FakeStreams) -> None:
    async with spdy(api, f"{PATH}/portforward", PORTS) as client:
        error, first = await open_port(client, 80, "0")
        closed_error, closed = await open_port(client, 81, "1")
        await client.until("the refusal", lambda _: client.was_reset(closed) and client.has_ended(closed_error))
        assert client.data(closed_error).decode().endswith("dial tcp 127.0.0.1:81: Connection refused")
        _, second = await open_port(client, 80, "2")
        for stream in (first, second):
            await client.send(Data(stream, f"to {stream}".encode()))
        await client.until("both echoes", lambda _: bool(client.data(first) and client.data(second)))
        assert client.data(first) == f"to {first}".encode()
        await client.send(Data(first, b"", True))
        await client.until("the end of the first", lambda _: client.has_ended(first) and client.has_ended(error))
        assert streams.connections[0].input_ended
        await client.send(Data(second, b"still here"))
        await client.until("the second goes on", lambda _: b"still here" in client.data(second))
        await client.send(RstStream(second, 5))
        await client.send(Ping(1))
        await client.until("the ping", lambda heard: Ping(1) in heard)
    assert await ended(lambda: all(connection.closed for connection in streams.connections))


async def test_old_clients_send_no_request_number(api: RunningApi) -> None:
    async with spdy(api, f"{PATH}/portforward", PORTS) as client:
        await client.open(streamtype="error", port="80")
        data = await client.open(streamtype="data", port="80")
        await client.send(Data(data, b"hello"))
        await client.until("the echo", lambda _: client.data(data) == b"hello")


async def test_ports_that_are_none_are_reset(api: RunningApi) -> None:
    async with spdy(api, f"{PATH}/portforward", PORTS) as client:
        bad = [await client.open(streamtype="data", port=port) for port in ("", "0", "65536", "x", "-1")]
        await client.until("the resets", lambda _: all(client.was_reset(stream) for stream in bad))


async def test_spdy_in_a_websocket_may_be_cut_anywhere(client: aiohttp.ClientSession) -> None:
    encoder, reader = FrameWriter(), FrameReader()
    async with client.ws_connect(f"{PATH}/portforward", protocols=[TUNNEL]) as socket:
        assert socket.protocol == TUNNEL
        wire = b"".join(
            encoder.encode(frame)
            for frame in (
                SynStream(1, {"streamtype": "error", "port": "80", "requestid": "0"}, True),
                SynStream(3, {"streamtype": "data", "port": "80", "requestid": "0"}),
                Data(3, b"hello"),
            )
        )
        for at in range(0, len(wire), 5):
            await socket.send_bytes(wire[at : at + 5])
        heard: list[Any] = []
        async with asyncio.timeout(60):
            while b"".join(frame.payload for frame in heard if isinstance(frame, Data)) != b"hello":
                heard += reader.feed((await socket.receive()).data)
        assert [frame.stream for frame in heard if isinstance(frame, SynReply)] == [1, 3]


async def test_the_plain_form_has_a_channel_for_each_port(client: aiohttp.ClientSession) -> None:
    async with client.ws_connect(f"{PATH}/portforward?ports=80&ports=81", protocols=[CHANNELS]) as socket:
        await socket.send_bytes(b"\x00hello")
        said: set[bytes] = set()
        async with asyncio.timeout(60):
            while len(said) < 6:
                said.add((await socket.receive()).data)
    heads = {bytes([channel, port, 0]) for channel, port in ((0, 80), (1, 80), (2, 81), (3, 81))}
    refusal = b"\x03error forwarding port 81: dial tcp 127.0.0.1:81: Connection refused"
    assert said == heads | {b"\x00hello", refusal}


async def test_what_comes_before_the_port_is_reached_is_not_lost(
    client: aiohttp.ClientSession, streams: FakeStreams
) -> None:
    streams.dials.clear()
    async with client.ws_connect(f"{PATH}/portforward?ports=80", protocols=[CHANNELS]) as socket:
        await socket.send_bytes(b"\x00hello")
        heads = [(await socket.receive()).data for _ in range(2)]
        streams.dials.set()
        async with asyncio.timeout(60):
            assert (await socket.receive()).data == b"\x00hello"
    assert heads == [b"\x00\x50\x00", b"\x01\x50\x00"]


STOPS_WITHIN = 20.0
"""Seconds, on a machine that does much else; who waited for its clients would wait for as long as they stay."""


async def test_a_server_that_stops_ends_its_streams(tmp_path: Path, streams: FakeStreams) -> None:
    spec = {"nodeName": "n", "containers": [{"name": "c", "image": "x"}]}
    stopping = asyncio.get_running_loop().time()
    async with AsyncExitStack() as clients:
        async with running_api(tmp_path, streams) as api:
            LocalObjects(api.registry, "test").create(PODS, "default", {"metadata": {"name": "p"}, "spec": spec})
            command = await clients.enter_async_context(spdy(api, EXEC, CHANNELS))
            await open_command(command, "error", "stdin", "stdout", "stderr")
            forward = await clients.enter_async_context(spdy(api, f"{PATH}/portforward", PORTS))
            _, data = await open_port(forward, 80, "0")
            await forward.send(Data(data, b"hello"))
            await forward.until("the echo", lambda _: forward.data(data) == b"hello")
            stopping = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - stopping < STOPS_WITHIN
        await command.until_ended()
        await forward.until_ended()
    assert streams.sessions[0].closed.is_set()
    assert streams.connections[0].closed


async def ended(holds: Any) -> bool:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)
    return True
