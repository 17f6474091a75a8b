"""Container logs as files in the CRI's form, and what a log request wants of them. Reading only; no waiting.

    <RFC 3339 with nanoseconds> stdout|stderr F|P <text>

P is a part of a line that goes on in the next record. The node rotates `0.log` to `0.log.1`, `0.log.2`, the highest
number being the oldest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from klamm.localkube.objects import LogOptions
from klamm.localkube.times import seconds_of

_BLOCK = 64 * 1024
LAST_LINES = 80
LAST_BYTES = 2048
"""Kubernetes' bounds of a termination message that falls back to the log."""


def files_of(path: Path) -> list[Path]:
    """The log and what it was rotated to, oldest first; those that exist."""
    stem = f"{path.name}."
    if not path.parent.is_dir():
        return []
    rotated = [entry for entry in path.parent.iterdir() if entry.name.startswith(stem)]
    numbered = [entry for entry in rotated if entry.name[len(stem) :].isdigit()]
    numbered.sort(key=lambda entry: -int(entry.name[len(stem) :]))
    return numbered + ([path] if path.exists() else [])


@dataclass(frozen=True, slots=True)
class LogSelection:
    """What of a log is wanted, with all times absolute."""

    timestamps: bool = False
    since: float | None = None
    """Seconds since the epoch."""
    tail_lines: int | None = None

    @classmethod
    def of(cls, options: LogOptions, now: float) -> "LogSelection":
        since = None
        if options.since_time:
            since = seconds_of(options.since_time)
        elif options.since_seconds is not None:
            since = now - options.since_seconds
        return cls(options.timestamps, since, options.tail_lines)


class Renderer:
    """Records, in their order, as the client sees them."""

    def __init__(self, selection: LogSelection) -> None:
        self._selection = selection
        self._within_line = False

    def block(self, records: bytes) -> bytes:
        return b"".join(self._record(record) for record in records[:-1].split(b"\n"))

    def _record(self, record: bytes) -> bytes:
        """b"" when it is older than wanted. The parts of a long line share one timestamp before the first."""
        time, _, rest = record.partition(b" ")
        _, _, rest = rest.partition(b" ")
        tag, _, text = rest.partition(b" ")
        if self._selection.since is not None and _is_before(time, self._selection.since):
            return b""
        prefix = time + b" " if self._selection.timestamps and not self._within_line else b""
        self._within_line = tag.startswith(b"P")
        return prefix + text + (b"" if self._within_line else b"\n")


def _is_before(time: bytes, since: float) -> bool:
    try:
        return seconds_of(time.decode("ascii", "replace")) < since
    except ValueError:
        return False


def first_offset(path: Path, lines: int | None) -> tuple[list[Path], int]:
    """The files that hold the last `lines` (None: all), oldest first, and where to begin in the first of them."""
    files = files_of(path)
    if lines is None:
        return files, 0
    wanted: list[Path] = []
    for file in reversed(files):
        wanted.insert(0, file)
        found, offset = _tail_offset(file, lines)
        if found >= lines:
            return wanted, offset
        lines -= found
    return wanted, 0


def _tail_offset(path: Path, lines: int) -> tuple[int, int]:
    """(lines found, offset of the first of them), reading backwards, so that a big file costs nothing."""
    with path.open("rb") as file:
        end = position = file.seek(0, 2)
        if lines <= 0:
            return lines, end
        found = 0
        while position > 0:
            step = min(_BLOCK, position)
            position -= step
            file.seek(position)
            block = file.read(step)
            cut = len(block)
            while (cut := block.rfind(b"\n", 0, cut)) >= 0:
                if position + cut + 1 == end:
                    continue
                found += 1
                if found == lines:
                    return found, position + cut + 1
        return found + (1 if end else 0), 0


def read_from(path: Path, offset: int) -> Iterator[tuple[bytes, int]]:
    """Complete records in blocks: (records joined by newlines, offset behind them)."""
    with path.open("rb") as file:
        file.seek(offset)
        rest = b""
        while block := file.read(_BLOCK):
            data = rest + block
            cut = data.rfind(b"\n") + 1
            rest = data[cut:]
            if cut:
                offset += cut
                yield data[:cut], offset


def last_lines(path: Path) -> str:
    """The end of a log as a termination message."""
    files, offset = first_offset(path, LAST_LINES)
    plain = Renderer(LogSelection())
    text = b""
    for file in files:
        for block, _ in read_from(file, offset):
            text = (text + plain.block(block))[-LAST_BYTES:]
        offset = 0
    return text.decode("utf-8", "replace")
