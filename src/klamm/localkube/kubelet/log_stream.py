"""A log request's answer: what is there, then, with `follow`, what comes, until the container has ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from klamm.localkube.kubelet.file_growth import FileGrowth
from klamm.localkube.kubelet.logs import LogSelection, Renderer, first_offset, read_from


async def stream_log(
    path: Path,
    selection: LogSelection,
    limit: int | None,
    ended: Callable[[], Awaitable[None]] | None,
) -> AsyncIterator[bytes]:
    """`ended` is given to follow: it returns when the container has ended. `limit`: bytes in all."""
    left = limit
    blocks = _followed(path, selection, ended) if ended is not None else _present(path, selection)
    async for block in blocks:
        if left is None:
            yield block
            continue
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return


async def _present(path: Path, selection: LogSelection) -> AsyncIterator[bytes]:
    files, offset = first_offset(path, selection.tail_lines)
    renderer = Renderer(selection)
    for file in files:
        for block, _ in read_from(file, offset):
            if text := renderer.block(block):
                yield text
                # Between blocks of a big log the other pods have their turn.
                await asyncio.sleep(0)
        offset = 0


async def _followed(path: Path, selection: LogSelection, ended: Callable[[], Awaitable[None]]) -> AsyncIterator[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileGrowth(path.parent) as growth:
        end = asyncio.ensure_future(_tell(ended, growth))
        try:
            files, offset = first_offset(path, selection.tail_lines)
            reader = _Tailer(path, files, offset)
            renderer = Renderer(selection)
            while True:
                last = end.done()
                for block in reader.read():
                    if text := renderer.block(block):
                        yield text
                if last:
                    return
                await growth.wait()
        finally:
            end.cancel()


async def _tell(ended: Callable[[], Awaitable[None]], growth: FileGrowth) -> None:
    await ended()
    growth.wake()


class _Tailer:
    """Reads on where it stopped, also across rotations: the file is known by its inode."""

    def __init__(self, path: Path, files: list[Path], offset: int) -> None:
        self._path = path
        self._pending = files
        self._offset = offset
        self._inode = 0

    def read(self) -> list[bytes]:
        blocks: list[bytes] = []
        for file in self._files():
            inode = file.stat().st_ino
            if inode != self._inode and self._inode:
                self._offset = 0
            self._inode = inode
            for block, behind in read_from(file, self._offset):
                self._offset = behind
                blocks.append(block)
        return blocks

    def _files(self) -> list[Path]:
        if self._pending:
            files, self._pending = self._pending, []
            return files
        rotated = self._path.with_name(f"{self._path.name}.1")
        known = [file for file in (rotated, self._path) if file.exists()]
        current = known[-1:] if (known and known[-1].stat().st_ino == self._inode) or not self._inode else known
        return [file for file in current if file.exists()]
