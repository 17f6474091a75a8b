"""Container output → log files in the form that the CRI gives them: `<RFC 3339 nanoseconds> stdout F <line>`.

A line longer than 16 KiB is written in parts tagged P, the last one F. A file that has grown past its limit is
renamed to `.1` (and `.1` to `.2`, the oldest is dropped). A disk that refuses writes loses lines, never the
container: nothing here raises.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

LONGEST_PART = 16 << 10
ROTATE_AT = 10 << 20
KEPT_FILES = 3


def rfc3339_nanoseconds(nanoseconds: int) -> str:
    """UTC with nine digits and Z, which sorts as text."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


class LogFile:
    """One container's log; its two streams write whole lines to it."""

    def __init__(self, path: str, now_ns: Callable[[], int], rotate_at: int = ROTATE_AT) -> None:
        self.now_ns = now_ns
        self._path = path
        self._rotate_at = rotate_at
        self._lost = 0
        self._fd = -1
        self._size = 0
        if path:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o640)
        self._size = os.fstat(self._fd).st_size

    def write(self, data: bytes) -> None:
        if self._fd < 0:
            return
        try:
            if self._size and self._size + len(data) > self._rotate_at:
                self._rotate()
            self._size += os.write(self._fd, data)
        except OSError as error:
            if self._lost == 0:
                print(f"log {self._path}: lines are lost: {error}", file=sys.stderr, flush=True)
            self._lost += 1

    def _rotate(self) -> None:
        os.close(self._fd)
        self._fd = -1
        try:
            for number in range(KEPT_FILES - 1, 0, -1):
                older = self._path if number == 1 else f"{self._path}.{number - 1}"
                if os.path.exists(older):
                    os.replace(older, f"{self._path}.{number}")
        finally:
            self._open()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class LogStream:
    """Cuts one stream's bytes into tagged lines."""

    def __init__(self, log: LogFile, name: str) -> None:
        self._log = log
        self._name = name.encode()
        self._rest = b""

    def feed(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        prefix = self._prefix()
        out: list[bytes] = []
        for line in lines:
            while len(line) > LONGEST_PART:
                out += (prefix, b" P ", line[:LONGEST_PART], b"\n")
                line = line[LONGEST_PART:]
            out += (prefix, b" F ", line, b"\n")
        while len(self._rest) > LONGEST_PART:
            out += (prefix, b" P ", self._rest[:LONGEST_PART], b"\n")
            self._rest = self._rest[LONGEST_PART:]
        if out:
            self._log.write(b"".join(out))

    def end(self) -> None:
        """The stream is closed: what came after the last newline is a line too."""
        if self._rest:
            self._log.write(self._prefix() + b" F " + self._rest + b"\n")
            self._rest = b""

    def _prefix(self) -> bytes:
        return rfc3339_nanoseconds(self._log.now_ns()).encode() + b" " + self._name
