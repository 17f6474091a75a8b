"""What outlives what: guardian, control plane, node; and a stop that leaves nothing."""

import asyncio
import os
import select
import signal
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.system.node.conftest import WITHIN

from klamm.localkube.node.client import AlreadyGuarded, GuardianClient, PortInUse, start_guardian
from klamm.localkube.node.runtime import NodeRuntime

if TYPE_CHECKING:
    from tests.system.node.conftest import Node

ANSWERING = """
import socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    caller, _ = listener.accept()
    caller.sendall(b"up")
    caller.close()
"""
PATH = {"PATH": "/usr/bin:/bin"}
GRACE = 4.0
"""Seconds: as long as it takes to end one that is deaf, and enough for a polite one's last word."""


async def _until(what: str, condition: Callable[[], Awaitable[Any]]) -> Any:
    try:
        async with asyncio.timeout(WITHIN):
            while not (found := await condition()):
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"waited {WITHIN:g} s: {what}")
    return found


async def _runs_another(guardian: GuardianClient, pid: int) -> bool:
    return guardian.status()["control_plane"]["pid"] not in (0, pid)


async def _logged(path: str, word: str) -> bool:
    return word in Path(path).read_text()


async def test_a_killed_control_plane_comes_back_on_the_same_socket_and_pods_run_on(home: str) -> None:
    import sys

    argv = (sys.executable, "-I", "-S", "-c", ANSWERING, "{api_fd}")
    started = start_guardian(home, argv, environment=PATH)
    guardian = GuardianClient(home)
    for _ in range(2):
        reader, _writer = await asyncio.open_connection("127.0.0.1", started.api_port)
        assert await asyncio.wait_for(reader.read(), WITHIN) == b"up"
        before = guardian.status()
        killed = before["control_plane"]["pid"]
        os.kill(killed, signal.SIGKILL)
        await _until("another one runs", partial(_runs_another, guardian, killed))
    after = guardian.status()
    assert after["node"] == before["node"]


async def test_a_new_control_plane_is_told_of_what_runs_and_what_ended_meanwhile(node: "Node") -> None:
    sandbox = await node.sandbox("p")
    await node.run("p", "sleep", "60", name="stays")
    await node.run("p", "sh", "-c", "sleep 0.1; exit 4", name="ends")
    await node.runtime.close()
    later = NodeRuntime(node.home)
    await later.open()

    async def both_known() -> bool:
        state = await later.state()
        assert state.sandboxes == (sandbox,)
        return {(c.id, c.running, c.exit_code) for c in state.containers} == {
            ("uid-p/stays/0", True, None),
            ("uid-p/ends/0", False, 4),
        }

    await _until("the end is known", both_known)
    await later.close()


async def test_a_killed_node_is_started_again_and_its_containers_are_told_as_killed(node: "Node") -> None:
    await node.sandbox("p")
    await node.run("p", "sleep", "60")
    told = asyncio.ensure_future(anext(node.runtime.exits()))
    await asyncio.sleep(0)
    os.kill(node.guardian.status()["node"]["pid"], signal.SIGKILL)
    state = await asyncio.wait_for(told, WITHIN)
    assert (state.id, state.exit_code) == ("uid-p/main/0", 137)
    assert (await node.runtime.state()).containers == ()
    await node.sandbox("p")
    await node.run("p", "true")


async def test_a_second_guardian_is_told_of_the_first(node: "Node") -> None:
    with pytest.raises(AlreadyGuarded, match=f"already guarded by process {node.guardian.status()['pid']}"):
        start_guardian(node.home, ("/bin/true",), environment=PATH)


async def test_an_api_port_in_use_is_named(home: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port} .the API.: Address already in use"):
            start_guardian(home, ("/bin/true",), environment=PATH, api_port=port)


async def test_a_killed_guardian_takes_its_pods_along_and_a_new_one_starts_over_the_leftovers(node: "Node") -> None:
    await node.sandbox("p")
    await node.run("p", "sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done")
    await _until("the container is up", lambda: _logged(node.log("p"), "up"))
    guardian = os.pidfd_open(node.guardian.status()["pid"])
    signal.pidfd_send_signal(guardian, signal.SIGKILL)
    await asyncio.to_thread(select.select, [guardian], [], [], WITHIN)  # until it has ended
    os.close(guardian)
    start_guardian(node.home, ("/bin/sleep", "60"), environment=PATH)
    assert (await node.runtime.state()).containers == ()


async def test_stop_ends_pods_gracefully_and_leaves_nothing(node: "Node") -> None:
    await node.sandbox("p")
    script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    await node.run("p", "sh", "-c", script, name="polite")
    await node.run("p", "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done", name="deaf")
    await _until("the container is up", lambda: _logged(node.log("p", "polite"), "up"))
    await asyncio.to_thread(node.guardian.stop, GRACE)
    assert "stdout F bye" in Path(node.log("p", "polite")).read_text()
    assert sorted(path.name for path in Path(node.home, "run").iterdir()) == [
        "guardian.lock",
        "node.lock",
        "pods",
        "root",
    ]
    assert not any(Path(node.home, "run", "pods").iterdir())


async def test_a_newer_control_plane_takes_over_while_pods_run_on(node: "Node") -> None:
    await node.sandbox("p")
    await node.run("p", "sleep", "60")
    node.guardian.restart_control_plane(("/bin/sleep", "99"), PATH, {"version": "2"})

    async def replaced() -> bool:
        pid = node.guardian.status()["control_plane"]["pid"]
        try:
            return b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except FileNotFoundError:
            return False  # the old one has ended since it was named, or there is none at the moment

    await _until("the new control plane runs", replaced)
    assert node.guardian.status()["settings"] == {"version": "2"}
    assert [c.running for c in (await node.runtime.state()).containers] == [True]
