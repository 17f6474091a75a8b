"""Logs, exec and port-forward; log files are real ones."""

import asyncio
from pathlib import Path

import pytest
from tests.builders.fake_node import Program
from tests.builders.kubelets import NAMESPACE, World, container, pod
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.kubelet.log_stream import stream_log
from klamm.localkube.kubelet.logs import LogSelection, last_lines
from klamm.localkube.objects import LogOptions, Refused

STAMP = "2026-03-01T12:00:{:02d}.000000000Z"


def lines(first: int, last: int) -> str:
    return "".join(f"{STAMP.format(n)} stdout F line {n}\n" for n in range(first, last + 1))


async def read(path: Path, selection: LogSelection | None = None, limit: int | None = None) -> str:
    chunks = [chunk async for chunk in stream_log(path, selection or LogSelection(), limit, None)]
    return b"".join(chunks).decode()


async def test_rotated_files_are_read_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    (tmp_path / "0.log.2").write_text(lines(1, 2))
    (tmp_path / "0.log.1").write_text(lines(3, 4))
    path.write_text(lines(5, 6))
    assert (await read(path)).split("\n") == [f"line {n}" for n in range(1, 7)] + [""]
    assert await read(path, LogSelection(tail_lines=3)) == "line 4\nline 5\nline 6\n"
    assert await read(path, LogSelection(tail_lines=100)) == await read(path)
    assert await read(path, LogSelection(tail_lines=0)) == ""


async def test_parts_of_a_long_line_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    path.write_text(f"{STAMP.format(1)} stderr P first \n{STAMP.format(1)} stderr F second\n")
    assert await read(path) == "first second\n"


async def test_the_parts_of_a_long_line_share_a_timestamp(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    path.write_text(f"{STAMP.format(1)} stdout P one \n{STAMP.format(2)} stdout F two\n{STAMP.format(3)} stdout F x\n")
    assert await read(path, LogSelection(timestamps=True)) == f"{STAMP.format(1)} one two\n{STAMP.format(3)} x\n"


async def test_timestamps_since_and_limit(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    path.write_text(lines(1, 3))
    assert await read(path, LogSelection(timestamps=True, tail_lines=1)) == f"{STAMP.format(3)} line 3\n"
    since = LogSelection.of(LogOptions(since_time="2026-03-01T12:00:02Z"), 0)
    assert await read(path, since) == "line 2\nline 3\n"
    assert await read(path, None, 9) == "line 1\nli"


async def test_a_big_log_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    path.write_text(f"{STAMP.format(1)} stdout F {'x' * 100}\n" * 5000 + lines(7, 8))
    assert await read(path, LogSelection(tail_lines=2)) == "line 7\nline 8\n"
    assert last_lines(path).endswith("line 7\nline 8\n")
    assert len(last_lines(path)) == 2048


async def test_following_gives_new_lines_across_a_rotation_and_ends_with_the_container(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    path.write_text(lines(1, 2))
    over = asyncio.Event()
    got = asyncio.Queue[bytes]()

    async def ended() -> None:
        await over.wait()

    async def follow() -> None:
        async for chunk in stream_log(path, LogSelection(tail_lines=1), None, ended):
            got.put_nowait(chunk)

    task = asyncio.ensure_future(follow())
    async with asyncio.timeout(60):
        assert await got.get() == b"line 2\n"
        with path.open("a") as file:
            file.write(lines(3, 3))
        assert await got.get() == b"line 3\n"
        with path.open("a") as file:
            file.write(lines(4, 4))
        path.rename(tmp_path / "0.log.1")
        path.write_text(lines(5, 5))
        seen = b""
        while not seen.endswith(b"line 5\n"):
            seen += await got.get()
        assert seen == b"line 4\nline 5\n"
        over.set()
        await task


@in_virtual_time
async def test_logs_of_the_attempt_before(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {"web": Program([1])}
    async with world.running():
        world.apply(pod())
        await world.until(lambda: world.node.running() == ["web/1"])
        await world.until(world.is_ready)
        folder = tmp_path / "logs" / "kafka_web-0_uid-web-0" / "web"
        assert world.node.specs["uid-web-0/web/1"].log_path == str(folder / "1.log")
        (folder / "0.log").write_text(lines(1, 1))
        streams = world.kubelet.streams
        chunks = [chunk async for chunk in streams.logs(NAMESPACE, "web-0", "web", LogOptions(previous=True))]
    assert chunks == [b"line 1\n"]


@in_virtual_time
async def test_what_cannot_be_had_is_refused_in_words(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod("web-0", container(image="nginx")))
        await world.until(lambda: world.waits_because() == "ErrImagePull")
        streams = world.kubelet.streams
        with pytest.raises(Refused, match="is waiting to start: image can't be pulled"):
            streams.logs(NAMESPACE, "web-0", "web", LogOptions())
        with pytest.raises(Refused, match="container no is not valid for pod web-0"):
            streams.logs(NAMESPACE, "web-0", "no", LogOptions())
        with pytest.raises(Refused, match='pods "no" not found'):
            streams.logs(NAMESPACE, "no", "web", LogOptions())
        with pytest.raises(Refused, match='container not found \\("web"\\)'):
            await streams.exec(NAMESPACE, "web-0", "web", ["ls"], stdin=False, tty=False)
        with pytest.raises(Refused, match="container web not found in pod web-0_kafka"):
            await streams.attach(NAMESPACE, "web-0", "web", stdin=True)


@in_virtual_time
async def test_attaching_says_whether_the_end_of_input_is_the_containers(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod("web-0", container(stdin=True, stdinOnce=True, tty=True)))
        await world.until(world.is_ready)
        await world.kubelet.streams.attach(NAMESPACE, "web-0", "web", stdin=True)
    assert world.node.told[-1] == "attach web/0 stdin=True once=True"
    assert world.node.specs["uid-web-0/web/0"].environment["TERM"] == "xterm"


@in_virtual_time
async def test_exec_has_the_containers_environment_also_after_an_adoption(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod("web-0", container(env=[{"name": "A", "value": "1"}])))
        await world.until(world.is_ready)
    async with world.running():
        await asyncio.sleep(1)
        session = await world.kubelet.streams.exec(NAMESPACE, "web-0", "web", ["ls"], stdin=False, tty=True)
        assert await session.wait() == 0
    assert world.node.environments[-1]["A"] == "1"
    assert world.node.environments[-1]["TERM"] == "xterm"


@in_virtual_time
async def test_a_port_is_forwarded_into_the_pod(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.listening[9092] = b"hello"
    async with world.running():
        world.apply(pod())
        await world.until(world.is_ready)
        connection = await world.kubelet.streams.port_forward(NAMESPACE, "web-0", 9092)
        assert await connection.read() == b"hello"
