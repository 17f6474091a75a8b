"""A container's output: into its log, and to everyone who is attached.

Who attaches gets the reading end of a pipe, and from then on a copy of each byte. While one of them has no room,
nothing more is read from the container: as with other runtimes, output waits for those who asked for it. But a
container must not hang because somebody left a terminal stopped: who takes nothing for ten seconds is let go.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from klamm.localkube.node import epoll
from klamm.localkube.node.logs import LogStream
from klamm.localkube.node.terminals import rest_of_terminal

_CHUNK = 1 << 16
_PATIENCE = 10.0


class Attachment:
    """The writing end of one attached caller's pipe. `changed` is told when it has room again, or is gone."""

    def __init__(self, loop: epoll.Loop, fd: int, changed: Callable[[Attachment], None]) -> None:
        self._loop = loop
        self._fd = fd
        self._changed = changed
        self._waiting = memoryview(b"")
        self._ends = False
        self._timer: epoll.Timer | None = None
        os.set_blocking(fd, False)
        # No event is asked for: that the reader went away is told all the same.
        loop.watch(fd, 0, self._ready)

    @property
    def open(self) -> bool:
        return self._fd >= 0

    @property
    def behind(self) -> bool:
        return bool(len(self._waiting))

    def feed(self, data: bytes) -> None:
        """Whatever the pipe does not take waits here: at most what is fed between two looks at `behind`."""
        was_behind = self.behind
        self._waiting = memoryview(bytes(self._waiting) + data) if was_behind else memoryview(data)
        if not was_behind:
            self._write()
            if self.behind and self.open:
                self._loop.change(self._fd, epoll.WRITE)
                self._be_patient()

    def end(self) -> None:
        """Close when all is written."""
        self._ends = True
        if not self.behind:
            self.close()

    def close(self) -> None:
        if self._fd < 0:
            return
        self._loop.forget(self._fd)
        os.close(self._fd)
        self._fd = -1
        self._waiting = memoryview(b"")
        if self._timer is not None:
            self._timer.cancel()
        self._changed(self)

    def _write(self) -> None:
        try:
            self._waiting = self._waiting[os.write(self._fd, self._waiting) :]
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def _ready(self, events: int) -> None:
        if events & epoll.BROKEN or not self.behind:
            self.close()
            return
        self._write()
        if not self.open:
            return
        if self.behind:
            self._be_patient()
            return
        if self._timer is not None:
            self._timer.cancel()
        if self._ends:
            self.close()
        else:
            self._loop.change(self._fd, 0)
            self._changed(self)

    def _be_patient(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.later(_PATIENCE, self.close)


class OutputPipe:
    """Carries one stream of a container into its log and to the attached."""

    def __init__(self, loop: epoll.Loop, fd: int, stream: LogStream) -> None:
        self._loop = loop
        self._fd = fd
        self._stream = stream
        self._attached: list[Attachment] = []
        self._reading = True
        os.set_blocking(fd, False)
        loop.watch(fd, epoll.READ, self._ready)

    def fileno(self) -> int:
        return self._fd

    def attach(self) -> int:
        """The reading end for a new caller, who closes it."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        if self._fd < 0:
            os.close(writer)
        else:
            self._attached.append(Attachment(self._loop, writer, self._attachment_changed))
        return reader

    def _ready(self, _: int) -> None:
        self._read()

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = rest_of_terminal(self._fd)
        if data:
            self._stream.feed(data)
            for attachment in tuple(self._attached):
                attachment.feed(data)
            self._read_only_when_all_have_room()
            return True
        self.close()
        return False

    def _attachment_changed(self, attachment: Attachment) -> None:
        if not attachment.open and attachment in self._attached:
            self._attached.remove(attachment)
        self._read_only_when_all_have_room()

    def _read_only_when_all_have_room(self) -> None:
        """Not watched at all meanwhile: that its writer has gone would be told again and again."""
        wanted = not any(attachment.behind for attachment in self._attached)
        if self._fd < 0 or wanted == self._reading:
            return
        self._reading = wanted
        if wanted:
            self._loop.watch(self._fd, epoll.READ, self._ready)
        else:
            self._loop.forget(self._fd)

    def finish(self) -> None:
        """The container has ended: take what is left. A stranger may still hold the other end, so do not wait."""
        for _ in range(64):
            if self._fd < 0 or not self._read():
                break
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.forget(self._fd)
            os.close(self._fd)
            self._fd = -1
            self._stream.end()
            for attachment in tuple(self._attached):
                attachment.end()
