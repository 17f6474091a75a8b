"""Terminals from a container's own /dev/pts, so that `tty` names them there."""

from __future__ import annotations

import os
import socket
import struct

_TIOCGPTPEER = 0x5441
_TIOCSPTLCK = 0x40045431
_CHUNK = 1 << 16


def open_terminal(ptmx: str, owner: int) -> tuple[int, int]:
    """(master, slave). `owner`: the user whose it becomes; 0: who opened it."""
    import fcntl

    flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
    master = os.open(ptmx, flags)
    try:
        fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
        slave = fcntl.ioctl(master, _TIOCGPTPEER, flags)
    except OSError:
        os.close(master)
        raise
    if owner:
        os.fchown(slave, owner, -1)
    return master, slave


def rest_of_terminal(fd: int) -> bytes:
    """What is left in a terminal whose last holder closed it, b"" at its end.

    A read that meets the closing says EIO although what was written just before is still on its way between the
    kernel's two halves of the terminal; the next read waits for that.
    """
    try:
        return os.read(fd, _CHUNK)
    except OSError:
        return b""


class Handover:
    """How the terminal of a container's first process, made inside of the container, comes to the supervisor."""

    def __init__(self) -> None:
        # Loaded here: where `give` runs, there are no modules to load.
        import fcntl  # noqa: F401
        import termios  # noqa: F401

        self._ours, self._theirs = socket.socketpair()

    def give(self, ptmx: str, owner: int) -> None:
        """In the child, before its program: take the terminal as stdio and hand its other side over."""
        import fcntl
        import termios

        master, slave = open_terminal(ptmx, owner)
        socket.send_fds(self._theirs, [b"t"], [master])
        for place in range(3):
            os.dup2(slave, place, inheritable=True)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def take(self) -> int:
        """In the supervisor, when the program runs: it was handed over before."""
        flags = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        _, descriptors, _, _ = socket.recv_fds(self._ours, 1, 1, flags)
        return descriptors[0]

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()
