"""kubectl attach and kubectl run -i: the container's own input and output, from wherever one attaches."""

import asyncio
import os
from collections.abc import Mapping
from hashlib import md5

import pytest
from tests.builders.pod_cluster import SPDY, WITHIN, PodCluster, real_node, until
from tests.builders.terminal import terminal

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROTOCOLS = pytest.mark.parametrize("environment", [{}, SPDY], ids=["websocket", "spdy"])
Environment = Mapping[str, str]
ANSWERING = 'while read line; do echo "heard $line"; done; echo input ended; exec sleep 1000'
TICKING = "n=0; while :; do n=$((n+1)); echo tick $n; echo tock $n >&2; sleep 0.05; done"


async def line_of(process: asyncio.subprocess.Process, beginning: str) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN):
        while line := (await process.stdout.readline()).decode():
            if line.startswith(beginning):
                return line
    raise AssertionError(f"the output ended before a line that begins with {beginning!r}")


def write(process: asyncio.subprocess.Process, text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text.encode())


async def log_has(cluster: PodCluster, pod: str, text: str) -> None:
    async def written() -> bool:
        return text in (await cluster.kubectl("logs", pod)).out

    await until(f"{text!r} is in the log of {pod}", written)


@PROTOCOLS
async def test_several_see_the_same_and_detaching_changes_nothing(
    cluster: PodCluster, environment: Environment
) -> None:
    await cluster.run_pod("ticking", TICKING)
    attach = ["attach", "ticking"]
    async with cluster.kubectl_running(*attach, environment=environment) as first:
        begun = int((await line_of(first, "tick")).split()[1])
        async with cluster.kubectl_running(*attach, environment=environment) as second:
            seen = await line_of(second, "tick")
            assert int(seen.split()[1]) > begun, "from now on, not from the beginning"
            assert await line_of(first, seen.strip()) == seen
        assert int((await line_of(first, "tick")).split()[1]) > 0
    assert cluster.container("ticking")["state"].get("running")
    async with cluster.kubectl_running(*attach, environment=environment) as third:
        assert await line_of(third, "tick")
    assert cluster.container("ticking")["restartCount"] == 0
    await cluster.remove("ticking")


@PROTOCOLS
async def test_input_reaches_the_container_and_stays_open_for_the_next(
    cluster: PodCluster, environment: Environment
) -> None:
    await cluster.run_pod("asked", ANSWERING, stdin=True)
    for word in ("one", "two"):
        async with cluster.kubectl_running("attach", "-i", "asked", environment=environment) as attached:
            write(attached, f"{word}\n")
            assert await line_of(attached, "heard") == f"heard {word}\n"
            assert attached.stdin is not None
            attached.stdin.close()
            async with asyncio.timeout(WITHIN):
                assert await attached.wait() == 0, "the end of its input ends an attachment"
    assert "input ended" not in (await cluster.kubectl("logs", "asked")).out
    await cluster.remove("asked")


@PROTOCOLS
async def test_with_stdin_once_the_end_of_input_is_the_containers(
    cluster: PodCluster, environment: Environment
) -> None:
    await cluster.run_pod("once", "cat; echo all read; exit 4", stdin=True, stdinOnce=True, pod_spec=NEVER)
    said = await cluster.kubectl("attach", "-i", "once", given=b"words\n", environment=environment)
    assert (said.code, said.out) == (0, "words\nall read\n"), said
    await cluster.until("it has ended", lambda: cluster.phase("once") == "Failed")
    await cluster.run_pod("once-lost", "cat; echo all read; exec sleep 1000", stdin=True, stdinOnce=True)
    async with cluster.kubectl_running("attach", "-i", "once-lost", environment=environment) as attached:
        write(attached, "words\n")
        await line_of(attached, "words")
    await log_has(cluster, "once-lost", "all read")
    await cluster.remove("once", "once-lost")


NEVER = {"restartPolicy": "Never"}


@PROTOCOLS
async def test_run_with_piped_input(cluster: PodCluster, environment: Environment) -> None:
    command = ["run", "piped", "-i", "--rm", "-q", "--restart=Never", "--image=host"]
    given = os.urandom(1_000_000).hex().encode()
    said = await cluster.kubectl(*command, "--", "md5sum", given=given, environment=environment)
    assert (said.code, said.out.split()[0]) == (0, md5(given).hexdigest()), said
    said = await cluster.kubectl(*command, "--", "sh", "-c", "cat; exit 7", given=b"hi\n", environment=environment)
    assert (said.code, said.out) == (7, "hi\n"), said
    await cluster.until("the pod is gone", lambda: cluster.pod("piped") is None)


@PROTOCOLS
async def test_run_in_a_terminal(cluster: PodCluster, environment: Environment) -> None:
    command = ["run", "shell", "-it", "--rm", "--restart=Never", "--image=host", "--", "bash", "--norc"]
    async with terminal(cluster, *command, environment=environment) as screen:
        await screen.shows("If you don't see a command prompt")
        screen.type("echo $((6*7)) $TERM; test -t 0 && echo ter''minal\n")
        await screen.shows("42 xterm")
        await screen.shows("terminal\r\n")
        screen.resize(44, 144)
        screen.type("until [ \"$(stty size)\" = '44 144' ]; do sleep 0.05; done; echo it is lar''ger\n")
        await screen.shows("it is larger")
        screen.type("exit\n")
        assert await screen.exit_code() == 0
        await screen.shows('pod "shell" deleted')
    await cluster.until("the pod is gone", lambda: cluster.pod("shell") is None)


@PROTOCOLS
async def test_a_terminal_is_attached_to_again(cluster: PodCluster, environment: Environment) -> None:
    await cluster.run_pod("shell", ["sh"], stdin=True, tty=True)
    for number in (1, 2):
        async with terminal(cluster, "attach", "-it", "shell", environment=environment) as screen:
            await screen.shows("If you don't see a command prompt")
            screen.type(f'kept=${{kept}}{number}; echo "<$kept>"\n')
            await screen.shows("<1>" if number == 1 else "<12>")
    await log_has(cluster, "shell", "<12>")
    # Without -t: kubectl takes the terminal that the container has.
    async with cluster.kubectl_running("attach", "shell", "-i", environment=environment) as attached:
        write(attached, "echo third $((1+1))\n")
        assert await line_of(attached, "third 2")
    await cluster.remove("shell")


async def test_a_container_waits_for_who_is_attached_and_lets_go_of_who_stopped(cluster: PodCluster) -> None:
    await cluster.run_pod("flood", "read go; while :; do echo a line of some length for the reader; done", stdin=True)
    reader, writer = os.pipe()
    async with cluster.kubectl_running("attach", "-i", "flood", stdout=writer) as stopped:
        write(stopped, "go\n")

        async def log_size() -> int:
            return sum(file.stat().st_size for file in cluster.home.glob("logs/*flood*/c/*"))

        async def grows() -> bool:
            return await log_size() > 0

        await until("lines are logged", grows)
        seen = -1

        async def stands_still() -> bool:
            nonlocal seen
            before, seen = seen, await log_size()
            await asyncio.sleep(0.3)
            return before == seen

        await until("the container waits for its reader", stands_still)

        async def goes_on() -> bool:
            return await log_size() > seen

        await until("the reader that takes nothing is let go", goes_on)
    os.close(reader)
    os.close(writer)
    await cluster.remove("flood")


async def test_a_container_is_attached_to_by_the_next_control_plane() -> None:
    with real_node() as home:
        cluster = PodCluster(home)
        async with cluster.life():
            await cluster.run_pod("asked", ANSWERING, stdin=True)
            async with cluster.kubectl_running("attach", "-i", "asked") as attached:
                write(attached, "one\n")
                await line_of(attached, "heard one")
        async with cluster.life():

            async def taken_over() -> bool:
                return (await cluster.kubectl("exec", "asked", "--", "true")).code == 0

            await until("the container is known again", taken_over)
            async with cluster.kubectl_running("attach", "-i", "asked") as attached:
                write(attached, "two\n")
                await line_of(attached, "heard two")
            await log_has(cluster, "asked", "heard two")
            assert cluster.container("asked")["restartCount"] == 0
            assert (await cluster.kubectl("logs", "asked")).out == "heard one\nheard two\n"
