"""Waiting for a file to grow: by inotify, without polling. Where inotify is refused, by looking five times a second."""

import asyncio
import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path

_MODIFY, _MOVE_SELF, _CREATE = 0x2, 0x800, 0x100
_LOOK_AGAIN = 0.2


class FileGrowth:
    """Wakes when anything in the folder is written or made. Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._changed = asyncio.Event()
        self._descriptor = _watch(folder)
        if self._descriptor is not None:
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    def __enter__(self) -> "FileGrowth":
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def wake(self) -> None:
        self._changed.set()

    async def wait(self) -> None:
        """Return at the next change since the last call returned."""
        if self._descriptor is None:
            asyncio.get_running_loop().call_later(_LOOK_AGAIN, self._changed.set)
        await self._changed.wait()
        self._changed.clear()

    def _read(self) -> None:
        try:
            if self._descriptor is not None:
                os.read(self._descriptor, 64 * 1024)
        except BlockingIOError:
            return
        self._changed.set()


def _watch(folder: Path) -> int | None:
    libc = ctypes.CDLL(None, use_errno=True)
    start: Callable[[int], int] = libc.inotify_init1
    add: Callable[[int, bytes, int], int] = libc.inotify_add_watch
    descriptor = start(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        return None
    if add(descriptor, os.fsencode(folder), _MODIFY | _CREATE | _MOVE_SELF) >= 0:
        return descriptor
    problem = ctypes.get_errno()
    os.close(descriptor)
    if problem in (errno.ENOSPC, errno.EMFILE, errno.ENFILE):
        return None
    raise OSError(problem, f"the log folder cannot be watched: {os.strerror(problem)}", str(folder))
