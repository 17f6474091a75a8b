"""Pods on a real node: what a container sees, how it ends, and commands inside it."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.system.node.conftest import WITHIN

from klamm.localkube.kubelet.runtime import CannotStart
from klamm.localkube.objects import Mount, TerminalSize

if TYPE_CHECKING:
    from tests.system.node.conftest import Node


async def test_a_container_sees_its_pod_and_not_the_host(node: "Node") -> None:
    sandbox = await node.sandbox("broker-0")
    await node.run("broker-0", "sleep", "60")
    assert await node.output("broker-0", "hostname") == (0, "broker-0\n")
    _, hosts = await node.output("broker-0", "cat", "/etc/hosts")
    assert f"{sandbox.ip} broker-0.svc.test broker-0" in hosts
    _, resolver = await node.output("broker-0", "cat", "/etc/resolv.conf")
    assert "search kafka.svc.cluster.local svc.cluster.local cluster.local" in resolver
    _, listing = await node.output("broker-0", "ls", "/")
    assert "home" not in listing.split()
    _, processes = await node.output("broker-0", "sh", "-c", "ls /proc | grep -c '^[0-9]'; cat /proc/1/comm")
    assert processes.splitlines()[1] == "sleep"
    assert int(processes.splitlines()[0]) < 6


async def test_its_output_is_logged_as_the_cri_writes_it(node: "Node") -> None:
    await node.sandbox("p")
    await node.run("p", "sh", "-c", "echo one; echo two >&2; printf three")
    state = await node.exit_of("uid-p/main/0")
    assert state.exit_code == 0
    lines = [line.split(" ", 1)[1] for line in Path(node.log("p")).read_text().splitlines()]
    assert sorted(lines) == ["stderr F two", "stdout F one", "stdout F three"]


async def test_its_end_tells_code_signal_and_last_words(node: "Node") -> None:
    await node.sandbox("p")
    told = node.runtime.exits()
    first = asyncio.ensure_future(anext(told))
    script = "trap 'echo disk full > /dev/termination-log; exit 3' TERM; echo up; while :; do sleep 0.05; done"
    await node.run("p", "sh", "-c", script)
    await node.runtime.signal_container("uid-p/main/0", 0)
    while "up" not in Path(node.log("p")).read_text():
        await asyncio.sleep(0.01)
    await node.runtime.signal_container("uid-p/main/0", 15)
    state = await asyncio.wait_for(first, WITHIN)
    assert (state.exit_code, state.signal, state.message) == (3, None, "disk full\n")
    await node.run("p", "sleep", "60", name="other")
    await node.runtime.signal_container("uid-p/other/0", 9)
    killed = await asyncio.wait_for(anext(told), WITHIN)
    assert (killed.exit_code, killed.signal) == (137, 9)
    await node.runtime.forget_container("uid-p/main/0")
    assert {state.id for state in (await node.runtime.state()).containers} == {"uid-p/other/0"}


@pytest.mark.parametrize(("user", "group"), [(None, None), (1001, None), (1001, 1002), (0, 7)])
async def test_it_runs_as_the_wanted_user_and_so_do_commands_in_it(
    node: "Node", user: int | None, group: int | None
) -> None:
    await node.sandbox("p")
    await node.run("p", "sleep", "60", user=user, group=group)
    _, ids = await node.output("p", "sh", "-c", "id -u; id -g; stat -c %u /proc/1")
    assert ids.split() == [str(user or 0), str(group or 0), str(user or 0)]


async def test_volumes_lie_over_a_read_only_image(node: "Node", home: str) -> None:
    image, volume = Path(home, "image"), Path(home, "volume")
    (image / "bin").mkdir(parents=True)
    (image / "bin" / "tool").write_text("tool")
    (image / "link").symlink_to("bin/tool")
    volume.mkdir()
    (volume / "server.config").write_text("config")
    await node.sandbox("p")
    mounts = (
        Mount(str(volume), "/opt/kafka/custom-config"),
        Mount(str(volume), "/var/lib/data/deep", read_only=False),
        Mount(str(volume / "server.config"), "/opt/kafka/bin/extra"),
    )
    script = (
        "cat /opt/kafka/link /opt/kafka/bin/tool /opt/kafka/custom-config/server.config /opt/kafka/bin/extra; "
        "touch /opt/kafka/bin/tool /opt/kafka/new /opt/kafka/custom-config/new /usr/new; "
        "touch /var/lib/data/deep/new && echo written; df -k --output=size /cache | tail -n 1"
    )
    root = (Mount(str(image), "/opt/kafka"), *node.spec("p").root)
    await node.run("p", "sleep", "60", root=root, mounts=mounts, memory_mounts=(("/cache", 1 << 20),))
    _, text = await node.output("p", "sh", "-c", script)
    assert text.startswith("tooltoolconfigconfigwritten\n")
    assert "1024\n" in text
    assert text.count("Read-only file system") == 4
    assert (volume / "new").exists()
    assert sorted(path.name for path in image.iterdir()) == ["bin", "link"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"command": ("nosuch",)}, 'cannot execute "nosuch" in PATH /usr/bin:/bin: No such file'),
        ({"command": ("/etc/hosts",)}, 'cannot execute "/etc/hosts": Permission denied'),
        ({"mounts": (Mount("/nowhere", "/data"),)}, "mount /nowhere at /data: "),
        ({"sandbox_id": "gone"}, "there is no sandbox gone"),
    ],
)
async def test_what_cannot_start_says_why(node: "Node", change: dict[str, object], says: str) -> None:
    await node.sandbox("p")
    with pytest.raises(CannotStart, match=says.replace("/", "/")):
        await node.run("p", *(change.pop("command", ("true",))), **change)  # type: ignore[misc]
    assert (await node.runtime.state()).containers == ()


async def test_an_exec_has_stdin_and_an_exit_code(node: "Node") -> None:
    await node.sandbox("p")
    await node.run("p", "sleep", "60")
    session = await node.runtime.exec(
        "uid-p/main/0", ("sh", "-c", "cat; exit 5"), environment={"PATH": "/bin"}, stdin=True, tty=False
    )
    big = b"x" * 300_000
    reading = asyncio.ensure_future(_read(session))
    await session.write_stdin(big)
    await session.close_stdin()
    assert await asyncio.wait_for(reading, WITHIN) == big
    assert await session.wait() == 5
    with pytest.raises(CannotStart, match="nosuch"):
        await node.output("p", "nosuch")


async def test_an_exec_has_a_terminal_with_a_size(node: "Node") -> None:
    await node.sandbox("p")
    await node.run("p", "sleep", "60", user=1001)
    session = await node.runtime.exec(
        "uid-p/main/0",
        ("sh", "-c", "read go; tty; stty size"),
        environment={"PATH": "/usr/bin:/bin"},
        stdin=True,
        tty=True,
    )
    await session.resize(TerminalSize(columns=120, rows=40))
    await session.write_stdin(b"go\n")
    text = (await _read(session)).decode()
    assert "/dev/pts/0\r\n40 120\r\n" in text
    assert await session.wait() == 0


@pytest.mark.parametrize("user", [None, 1001])
async def test_a_container_has_a_terminal_of_its_own_and_who_attaches_has_it(node: "Node", user: int | None) -> None:
    await node.sandbox("p")
    script = "tty; echo err > /dev/stderr; read line; stty size; echo heard $line"
    await node.run("p", "sh", "-c", script, tty=True, stdin=True, user=user)
    session = await node.runtime.attach("uid-p/main/0", stdin=True, stdin_once=False)
    await session.resize(TerminalSize(columns=120, rows=40))
    await session.write_stdin(b"words\n")
    assert b"40 120\r\nheard words\r\n" in await asyncio.wait_for(_read(session), WITHIN)
    await session.close()
    await node.exit_of("uid-p/main/0")
    lines = [line.split(" ", 3)[3] for line in Path(node.log("p")).read_text().splitlines()]
    assert {"/dev/pts/0", "err"} <= set(lines)
    with pytest.raises(CannotStart, match="is not running"):
        await node.runtime.attach("uid-p/main/0", stdin=True, stdin_once=False)


async def test_the_end_of_input_that_is_given_once_is_the_containers(node: "Node") -> None:
    await node.sandbox("p")
    await node.run("p", "sh", "-c", "cat; echo end", stdin=True)
    first = await node.runtime.attach("uid-p/main/0", stdin=True, stdin_once=False)
    await first.write_stdin(b"one ")
    assert await asyncio.wait_for(first.read_stdout(), WITHIN) == b"one "
    await first.close()
    second = await node.runtime.attach("uid-p/main/0", stdin=True, stdin_once=True)
    await second.write_stdin(b"two ")
    await second.close_stdin()
    assert await asyncio.wait_for(_read(second), WITHIN) == b"two end\n"
    assert await second.read_stderr() == b""
    await second.close()


async def test_giving_an_exec_up_ends_it(node: "Node") -> None:
    await node.sandbox("p")
    await node.run("p", "sleep", "60")
    session = await node.runtime.exec(
        "uid-p/main/0", ("sleep", "61"), environment={"PATH": "/bin"}, stdin=False, tty=False
    )
    await session.close()
    assert await asyncio.wait_for(session.wait(), WITHIN) == 137


async def test_removing_a_sandbox_ends_what_runs_in_it_and_its_address_waits(node: "Node") -> None:
    first = await node.sandbox("a")
    assert await node.sandbox("a") == first
    await node.run("a", "sleep", "60")
    await node.runtime.remove_sandbox("uid-a")
    await node.runtime.remove_sandbox("uid-a")
    state = await node.runtime.state()
    assert (state.sandboxes, [c.exit_code for c in state.containers]) == ((), [137])
    assert (await node.sandbox("b")).ip != first.ip


async def _read(session: object) -> bytes:
    parts = []
    while data := await session.read_stdout():  # type: ignore[attr-defined]
        parts.append(data)
    return b"".join(parts)
