"""A container's output: its log has all of it, the attached have it from then on, and nobody stops it for ever."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from klamm.localkube.node import epoll
from klamm.localkube.node.logs import LogFile, LogStream
from klamm.localkube.node.outputs import OutputPipe

LINE = b"x" * 1023 + b"\n"


class Rig:
    """A container that writes into a pipe, and a loop that turns when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.path = folder / "log"
        self._loop = epoll.Loop(lambda: self.now)
        reader, self.container = os.pipe()
        os.set_blocking(self.container, False)
        self.pipe = OutputPipe(self._loop, reader, LogStream(LogFile(str(self.path), lambda: 0), "stdout"))
        self._readers: list[int] = []

    def turn(self, times: int = 3) -> None:
        for _ in range(times):
            self._loop.later(0, self._loop.stop)
            self._loop.run()

    def attach(self) -> int:
        self._readers.append(self.pipe.attach())
        os.set_blocking(self._readers[-1], False)
        return self._readers[-1]

    def write(self, data: bytes) -> int:
        try:
            return os.write(self.container, data)
        except BlockingIOError:
            return 0

    def fill(self) -> int:
        """Write while anything is taken; how much was."""
        count = 0
        while written := self.write(LINE):
            count += written
            self.turn()
        return count

    def drain(self, reader: int) -> bytes:
        """What comes out, up to the end or until nothing more does."""
        data = b""
        try:
            while piece := os.read(reader, 1 << 20):
                data += piece
                self.turn()
        except BlockingIOError:
            pass
        return data

    def leave(self, reader: int) -> None:
        self._readers.remove(reader)
        os.close(reader)
        self.turn()

    def logged(self) -> int:
        return sum(len(line.split(b" ", 3)[3]) for line in self.path.read_bytes().splitlines(keepends=True))

    def close(self) -> None:
        self.pipe.close()
        self.turn()
        for fd in (*self._readers, self.container):
            os.close(fd)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def test_the_attached_have_the_same_from_then_on_and_the_log_has_all(rig: Rig) -> None:
    rig.write(b"before\n")
    rig.turn()
    first = rig.attach()
    rig.write(b"a prompt> ")
    rig.turn()
    second = rig.attach()
    rig.write(b"\nafter\n")
    rig.turn()
    assert rig.drain(first) == b"a prompt> \nafter\n"
    assert rig.drain(second) == b"\nafter\n"
    assert [line.split(b" ", 3)[3] for line in rig.path.read_bytes().splitlines()] == [
        b"before",
        b"a prompt> ",
        b"after",
    ]


def test_a_reader_that_is_behind_holds_the_container_up_and_nobody_misses_anything(rig: Rig) -> None:
    slow, quick = rig.attach(), rig.attach()
    written, by_slow, by_quick = rig.fill(), 0, 0
    assert written < 1 << 20, "pipes hold little"
    by_quick += len(rig.drain(quick))
    assert rig.fill() == 0, "the slow one is behind still"
    for _ in range(3):
        by_slow += len(rig.drain(slow))
        by_quick += len(rig.drain(quick))
        written += rig.fill()
    rig.pipe.finish()
    for _ in range(2):
        by_slow += len(rig.drain(slow))
        by_quick += len(rig.drain(quick))
    assert (by_slow, by_quick) == (written, written)


def test_a_reader_that_takes_nothing_is_let_go(rig: Rig) -> None:
    stopped = rig.attach()
    held_up_at = rig.fill()
    rig.now = 9.0
    rig.turn()
    assert rig.fill() == 0
    rig.now = 11.0
    rig.turn()
    assert rig.write(LINE) == len(LINE)
    rig.turn()
    assert rig.logged() == held_up_at + len(LINE)
    assert 0 < len(rig.drain(stopped)) < held_up_at
    assert os.read(stopped, 1) == b"", "it is at its end"


def test_a_reader_that_goes_away_while_it_is_behind_frees_the_container(rig: Rig) -> None:
    gone = rig.attach()
    before = rig.fill()
    rig.leave(gone)
    assert rig.write(LINE) == len(LINE)
    rig.turn()
    assert rig.logged() == before + len(LINE)


def test_the_last_words_reach_who_is_behind(rig: Rig) -> None:
    slow = rig.attach()
    written = rig.fill()
    rig.pipe.finish()
    assert rig.logged() == written
    assert len(rig.drain(slow)) == written
    assert os.read(slow, 1) == b""


def test_who_attaches_when_the_output_has_ended_is_at_its_end_at_once(rig: Rig) -> None:
    rig.pipe.finish()
    late = rig.attach()
    assert os.read(late, 1) == b""
