"""A unix socket with several callers, on the epoll loop: what guardian, supervisor and relay offer."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from klamm.localkube.node import epoll, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from klamm.localkube.node.wire import Message


class Peer:
    """A caller. Sending to one that went away does nothing."""

    def __init__(self, loop: epoll.Loop, sock: socket.socket, server: Server) -> None:
        self._loop = loop
        self._channel = wire.Channel(sock)
        self._server = server
        self.open = True
        loop.watch(sock.fileno(), epoll.READ, self._ready)

    def answer(self, request: Message, descriptors: Sequence[int] = (), **fields: Any) -> None:
        self.send({"id": request.get("id"), **fields}, descriptors)

    def refuse(self, request: Message, why: str) -> None:
        self.send({"id": request.get("id"), "error": why})

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        if not self.open:
            return
        try:
            self._channel.send(message, descriptors)
        except wire.ChannelClosed:
            self.close()
            return
        self._watch_writability()

    def close(self) -> None:
        if not self.open:
            return
        self.open = False
        self._loop.forget(self._channel.fileno())
        self._channel.close()
        self._server.lose(self)

    def _ready(self, events: int) -> None:
        try:
            if events & epoll.WRITE:
                self._channel.flush()
                self._watch_writability()
            for message, _ in self._channel.receive():
                self._server.handle(self, message)
        except wire.ChannelClosed:
            self.close()

    def _watch_writability(self) -> None:
        if self.open:
            wanted = epoll.READ | (epoll.WRITE if self._channel.has_waiting else 0)
            self._loop.change(self._channel.fileno(), wanted)


class Server:
    """Accepts callers and hands each request to the operation of its name; what it raises becomes `error`."""

    def __init__(
        self,
        loop: epoll.Loop,
        listener: socket.socket,
        operations: dict[str, Callable[[Peer, Message], None]],
        lost: Callable[[Peer], None] = lambda peer: None,
    ) -> None:
        self._loop = loop
        self._listener = listener
        self._operations = operations
        self._lost = lost
        self.peers: set[Peer] = set()
        loop.watch(listener.fileno(), epoll.READ, self._accept)

    def handle(self, peer: Peer, message: Message) -> None:
        operation = self._operations.get(message.get("op", ""))
        if operation is None:
            peer.refuse(message, f"unknown operation {message.get('op')!r}: the other side is of another klamm version")
            return
        try:
            operation(peer, message)
        except (OSError, RuntimeError, LookupError, ValueError) as error:
            peer.refuse(message, str(error))

    def tell_all(self, news: Message) -> None:
        for peer in tuple(self.peers):
            peer.send(news)

    def lose(self, peer: Peer) -> None:
        self.peers.discard(peer)
        self._lost(peer)

    def close(self) -> None:
        self._loop.forget(self._listener.fileno())
        self._listener.close()

    def _accept(self, _: int) -> None:
        try:
            sock, _address = self._listener.accept()
        except OSError:
            return
        self.peers.add(Peer(self._loop, sock, self))
