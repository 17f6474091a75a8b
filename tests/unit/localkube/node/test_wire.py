"""Messages and descriptors between the node's processes."""

import os
import socket
from pathlib import Path

import pytest

from klamm.localkube.node import wire


def _pair() -> tuple[wire.Channel, wire.Channel]:
    left, right = socket.socketpair()
    return wire.Channel(left), wire.Channel(right)


def test_descriptors_arrive_with_their_message() -> None:
    left, right = _pair()
    reader, writer = os.pipe()
    left.send({"n": 1})
    left.send({"n": 2}, (writer,))
    left.send({"n": 3})
    os.close(writer)
    received: list[tuple[wire.Message, list[int]]] = []
    while len(received) < 3:
        received += right.receive()
    assert [message for message, _ in received] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert [len(fds) for _, fds in received] == [0, 1, 0]
    os.write(received[1][1][0], b"through")
    assert os.read(reader, 10) == b"through"
    assert not os.get_inheritable(received[1][1][0])
    os.close(received[1][1][0])
    os.close(reader)
    left.close()
    right.close()


def test_what_does_not_fit_waits_and_comes_whole() -> None:
    left, right = _pair()
    left.send({"text": "x" * 3_000_000})
    assert left.has_waiting
    received: list[tuple[wire.Message, list[int]]] = []
    while not received:
        left.flush()
        received = right.receive()
    assert len(received[0][0]["text"]) == 3_000_000
    assert not left.has_waiting
    left.close()
    with pytest.raises(wire.ChannelClosed):
        right.receive()
    right.close()


def test_a_socket_in_a_deep_folder_is_reached(tmp_path: Path) -> None:
    path = tmp_path / ("d" * 120) / "node.sock"
    path.parent.mkdir()
    with wire.listen(str(path)) as listener, wire.connect(str(path)):
        listener.accept()[0].close()
    assert path.stat().st_mode & 0o077 == 0


def test_nobody_there_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"connect to .*nobody\.sock"):
        wire.connect(str(tmp_path / "nobody.sock"))
