"""kubectl exec and kubectl cp into real pods, over WebSocket and over SPDY."""

import asyncio
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from tests.builders.pod_cluster import SPDY, PodCluster, pod, until
from tests.builders.terminal import terminal

from klamm.base.together import side_by_side

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROTOCOLS = pytest.mark.parametrize("environment", [{}, SPDY], ids=["websocket", "spdy"])
Environment = Mapping[str, str]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def processes(words: str) -> int:
    """How many on this machine have exactly these words as their command line."""
    found = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found += (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0") == words.encode().split()
            except OSError:
                continue  # it ended while we looked
    return found


async def no_process(words: str) -> None:
    async def none_left() -> bool:
        return processes(words) == 0

    await until(f"no process '{words}' is left", none_left)


@PROTOCOLS
async def test_output_errors_and_exit_codes(cluster: PodCluster, environment: Environment) -> None:
    await cluster.run_pod("codes")
    script = "echo out; echo err >&2; exit 3"
    said = await cluster.kubectl("exec", "codes", "--", "sh", "-c", script, environment=environment)
    assert (said.code, said.out, said.err) == (3, "out\n", "err\ncommand terminated with exit code 3\n")
    said = await cluster.kubectl("exec", "codes", "--", "sh", "-c", "kill -9 $$", environment=environment)
    assert said.code == 137
    said = await cluster.kubectl("exec", "codes", "--", "true", environment=environment)
    assert (said.code, said.out, said.err) == (0, "", "")
    await cluster.remove("codes")


@PROTOCOLS
async def test_it_is_really_the_protocol_that_is_meant(cluster: PodCluster, environment: Environment) -> None:
    await cluster.run_pod("which")
    said = await cluster.kubectl("exec", "-v=8", "which", "--", "true", environment=environment)
    assert (said.code, "Upgrade: SPDY/3.1" in said.err) == (0, bool(environment)), said.err
    await cluster.remove("which")


@PROTOCOLS
async def test_input_is_piped_through_and_its_end_too(cluster: PodCluster, environment: Environment) -> None:
    await cluster.run_pod("piped")
    given = os.urandom(3_000_000)
    said = await cluster.kubectl("exec", "-i", "piped", "--", "sha256sum", given=given, environment=environment)
    assert said.out.split()[0] == sha256(given).hexdigest()
    many = b"line\n" * 100_000
    said = await cluster.kubectl("exec", "-i", "piped", "--", "cat", given=many, environment=environment)
    assert (said.code, said.out.encode()) == (0, many)
    await cluster.remove("piped")


@PROTOCOLS
async def test_a_command_that_takes_only_the_beginning_of_its_input(
    cluster: PodCluster, environment: Environment
) -> None:
    await cluster.run_pod("head")
    given = b"first\n" + b"x" * 30_000_000
    said = await cluster.kubectl("exec", "-i", "head", "--", "head", "-n1", given=given, environment=environment)
    assert (said.code, said.out) == (0, "first\n"), said.err
    await cluster.remove("head")


@PROTOCOLS
async def test_words_of_kubernetes_for_what_cannot_be_done(cluster: PodCluster, environment: Environment) -> None:
    await cluster.run_pod("words")
    translated = "" if environment else "Internal error occurred: "
    said = await cluster.kubectl("exec", "words", "--", "nosuch", environment=environment)
    assert said.code == 1
    assert 'error executing command in container: cannot execute "nosuch" in PATH' in said.err
    said = await cluster.kubectl("exec", "words", "-c", "other", "--", "true", environment=environment)
    assert said.err == "Error from server (BadRequest): container other is not valid for pod words\n"
    cluster.create(pod("waits", [{"name": "c", "image": "there-is-none"}]))
    await cluster.until("it waits", lambda: cluster.container("waits").get("state", {}).get("waiting"))
    said = await cluster.kubectl("exec", "waits", "--", "true", environment=environment)
    assert said.err == f'error: {translated}unable to upgrade connection: container not found ("c")\n'
    await cluster.run_pod("done", "true", pod_spec={"restartPolicy": "Never"})
    await cluster.until("it has ended", lambda: cluster.phase("done") == "Succeeded")
    said = await cluster.kubectl("exec", "done", "--", "true", environment=environment)
    assert "cannot exec into a container in a completed pod; current phase is Succeeded" in said.err
    said = await cluster.kubectl("attach", "waits", environment=environment)
    assert f"error: {translated}unable to upgrade connection: container c not found in pod waits_default" in said.err
    await cluster.remove("words", "waits", "done")


@PROTOCOLS
async def test_a_terminal_is_resized(cluster: PodCluster, environment: Environment) -> None:
    await cluster.run_pod("tty")
    async with terminal(cluster, "exec", "-it", "tty", "--", "bash", "--norc", environment=environment) as screen:
        # A size is on its way to the other end, the first one, too: asked until it is there.
        screen.type("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.05; done; tty; echo it is as la''rge\n")
        await screen.shows("/dev/pts/0\r\nit is as large")
        screen.resize(50, 120)
        screen.type("until [ \"$(stty size)\" = '50 120' ]; do sleep 0.05; done; echo it is lar''ger\n")
        await screen.shows("it is larger")
        screen.type("exit 7\n")
        assert await screen.exit_code() == 7
    await cluster.remove("tty")


@PROTOCOLS
async def test_a_client_that_goes_away_ends_its_command_and_leaks_nothing(
    cluster: PodCluster, environment: Environment
) -> None:
    await cluster.run_pod("gone")
    assert (await cluster.kubectl("exec", "gone", "--", "true", environment=environment)).code == 0
    node = cluster.node_pid()
    before = descriptors(), len(os.listdir(f"/proc/{node}/fd"))
    reader, writer = os.pipe()  # full and read by nobody: kubectl is held up, and its command with it
    for flags, words in ((("-i",), "sleep 4711"), ((), "yes a-lot-of-output")):
        command = ["exec", *flags, "gone", "--", *words.split()]
        with open("/dev/zero", "rb") as zeros:
            going = cluster.kubectl_running(*command, environment=environment, stdin=zeros.fileno(), stdout=writer)
            async with going:

                async def runs(words: str = words) -> bool:
                    return processes(words) > 0

                await until(f"'{words}' runs", runs)
        await no_process(words)
    os.close(reader)
    os.close(writer)

    async def nothing_is_left() -> bool:
        return (descriptors(), len(os.listdir(f"/proc/{node}/fd"))) <= before

    await until("descriptors are given back", nothing_is_left)
    await cluster.remove("gone")


@PROTOCOLS
async def test_fifty_at_once(cluster: PodCluster, environment: Environment) -> None:
    await cluster.run_pod("many")
    turns = asyncio.Semaphore(12)  # kubectl itself is the load here: 40 MB each

    async def one(number: int) -> None:
        async with turns:
            given = f"{number}\n".encode() * 1000
            command = ["exec", "-i", "many", "--", "sh", "-c", f"cat; exit {number}"]
            said = await cluster.kubectl(*command, given=given, environment=environment)
        assert (said.code, said.out.encode()) == (number, given)

    await side_by_side(*(one(number) for number in range(50)))
    await cluster.remove("many")


async def test_files_and_folders_are_copied_both_ways(cluster: PodCluster, tmp_path: Path) -> None:
    mounts = [{"name": "it", "mountPath": "/it"}]
    await cluster.run_pod("copied", volumeMounts=mounts, pod_spec={"volumes": [{"name": "it"}]})
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "small").write_text("small")
    (folder / "large").write_bytes(os.urandom(20_000_000))
    said = await cluster.kubectl("cp", str(folder), "copied:/it/there")
    assert said.code == 0, said.err
    said = await cluster.kubectl("cp", "copied:/it/there", str(tmp_path / "back"))
    assert said.code == 0, said.err
    assert (tmp_path / "back" / "deep" / "small").read_text() == "small"
    assert (tmp_path / "back" / "large").read_bytes() == (folder / "large").read_bytes()
    await cluster.kubectl("cp", str(folder / "deep" / "small"), "copied:/it/one")
    said = await cluster.kubectl("exec", "copied", "--", "cat", "/it/one")
    assert said.out == "small"
    said = await cluster.kubectl("cp", "copied:/it/none", str(tmp_path / "none"))
    # kubectl stops at the end of tar's empty archive, with or without having heard how tar ended.
    assert said.code == 0 or "/it/none: Cannot stat: No such file or directory" in said.err, said
    assert not (tmp_path / "none").exists()
    said = await cluster.kubectl("cp", str(tmp_path / "none"), "copied:/it/none")
    assert (said.code, "doesn't exist in local filesystem" in said.err) == (1, True)
    said = await cluster.kubectl("cp", str(folder), "copied:/usr/there")
    assert (said.code, "Read-only file system" in said.err) == (2, True), said
    await cluster.remove("copied")
