"""One relayed connection: dial a backend, then carry bytes both ways with back pressure and half-close.

A direction reads only while what it read before has been passed on, so a slow reader slows its writer and the
relay holds at most one piece a direction. All connections share one buffer to read into.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence

from klamm.localkube.node import epoll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from klamm.localkube.node.relay import Target

# Every backend is one hop away on this machine: an address that is silent for this long belongs to no pod.
_DIAL_WITHIN = 1.0
_PIECE = 256 << 10
_buffer = memoryview(bytearray(_PIECE))


class Connection:
    """`caller` is owned from here on. When no target takes the connection, `refuse(caller)` ends it."""

    def __init__(
        self,
        loop: epoll.Loop,
        caller: socket.socket,
        targets: Sequence[Target],
        refuse: Callable[[socket.socket], None],
    ) -> None:
        caller.setblocking(False)
        self._loop = loop
        self._caller = caller
        self._targets = list(targets)
        self._refuse = refuse
        self._dialled: socket.socket | None = None
        self._deadline: epoll.Timer | None = None
        self._dial()

    def _dial(self) -> None:
        while self._targets:
            family, where = self._targets.pop()
            sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            code = sock.connect_ex(where)
            if code == 0:
                self._carry(sock)
                return
            if code == errno.EINPROGRESS:
                self._dialled = sock
                self._deadline = self._loop.later(_DIAL_WITHIN, self._next)
                self._loop.watch(sock.fileno(), epoll.WRITE, self._dial_ended)
                return
            sock.close()
        self._refuse(self._caller)

    def _dial_ended(self, _: int) -> None:
        assert self._dialled is not None
        if self._dialled.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._next()
            return
        sock, self._dialled = self._dialled, None
        self._loop.forget(sock.fileno())
        if self._deadline is not None:
            self._deadline.cancel()
        self._carry(sock)

    def _next(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self._dialled is not None:
            self._loop.forget(self._dialled.fileno())
            self._dialled.close()
            self._dialled = None
        self._dial()

    def _carry(self, backend: socket.socket) -> None:
        for sock in (self._caller, backend):
            if sock.family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Pair(self._loop, self._caller, backend)


class _Side:
    """A socket with what waits to be written to it, and whether its reader has ended."""

    __slots__ = ("ended", "events", "peer", "socket", "waiting")

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.waiting: memoryview | None = None
        self.ended = False
        self.events = epoll.READ
        self.peer: _Side = self


class Pair:
    def __init__(self, loop: epoll.Loop, caller: socket.socket, backend: socket.socket) -> None:
        self._loop = loop
        self._sides = (_Side(caller), _Side(backend))
        self._sides[0].peer, self._sides[1].peer = self._sides[1], self._sides[0]
        self._open = True
        for side in self._sides:
            loop.watch(side.socket.fileno(), epoll.READ, lambda events, side=side: self._ready(side, events))  # type: ignore[misc]

    def _ready(self, side: _Side, events: int) -> None:
        try:
            if events & epoll.WRITE and side.waiting is not None:
                self._write(side)
            if events & ~epoll.WRITE and not side.ended and side.peer.waiting is None:
                self._read(side)
            elif events & epoll.BROKEN:
                self._close()
                return
        except OSError:
            self._close()
            return
        if self._open:
            self._choose_events()

    def _read(self, side: _Side) -> None:
        try:
            count = side.socket.recv_into(_buffer)
        except (BlockingIOError, InterruptedError):
            return
        peer = side.peer
        if count == 0:
            side.ended = True
            peer.socket.shutdown(socket.SHUT_WR)
            if peer.ended:
                self._close()
            return
        try:
            sent = peer.socket.send(_buffer[:count])
        except (BlockingIOError, InterruptedError):
            sent = 0
        if sent < count:
            peer.waiting = memoryview(bytes(_buffer[sent:count]))

    def _write(self, side: _Side) -> None:
        assert side.waiting is not None
        try:
            sent = side.socket.send(side.waiting)
        except (BlockingIOError, InterruptedError):
            return
        side.waiting = side.waiting[sent:] if sent < len(side.waiting) else None

    def _choose_events(self) -> None:
        for side in self._sides:
            events = 0
            if not side.ended and side.peer.waiting is None:
                events |= epoll.READ
            if side.waiting is not None:
                events |= epoll.WRITE
            if events != side.events:
                side.events = events
                self._loop.change(side.socket.fileno(), events)

    def _close(self) -> None:
        """Both ways: what is left unread on either side becomes a reset there, as it would without a relay."""
        if not self._open:
            return
        self._open = False
        for side in self._sides:
            self._loop.forget(side.socket.fileno())
            side.socket.close()
