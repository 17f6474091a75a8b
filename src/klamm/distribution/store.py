"""The shared store: one folder for all clusters, homes and versions of one user.

    <root>/artifacts/<path in a Maven repository>     jars, read-only, dated 2000-01-01 (see `ARTIFACT_TIME`)
    <root>/homes/<Kafka version>-<key>/               a release's folder; its jars are hard links
    <root>/archives/<Kafka version>-<key>/<java>.jsa  class-data archives
    <root>/base/                                      the little /etc of containers
    <root>/locks/                                     files that are locked, never removed

Every file is written under another name and renamed when it is whole. Who writes holds a lock (`flock`), which ends
with its process however that ends; who reads needs none.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from klamm.base.clock import Clock

# A class-data archive remembers the date of every jar. With one date for all, a jar that is fetched again still fits;
# and any later write to a jar shows in its date.
ARTIFACT_TIME = 946_684_800


class StoreBusy(Exception):
    """Another process held the store's lock for too long."""


class StoreUnusable(Exception):
    """The store's folder cannot be written; the message names the folder and the reason."""


@dataclass(frozen=True, slots=True)
class Store:
    root: Path

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def homes(self) -> Path:
        return self.root / "homes"

    @property
    def archives(self) -> Path:
        return self.root / "archives"

    @property
    def base(self) -> Path:
        return self.root / "base"

    @asynccontextmanager
    async def locked(
        self, name: str, clock: Clock, *, patience: float = 900.0, waiting: Callable[[], None] = lambda: None
    ) -> AsyncIterator[None]:
        """Hold the lock `name` of this store. `waiting` is called once when another process has it.

        Raises `StoreBusy` after `patience` seconds, `StoreUnusable` when the folder cannot be made.
        """
        descriptor = self._open_lock(name)
        try:
            await _lock(descriptor, self.root / "locks" / name, clock, patience, waiting)
            yield
        finally:
            os.close(descriptor)

    def _open_lock(self, name: str) -> int:
        folder = self.root / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnusable(
                f"opening the artifact store {self.root}: {error.strerror}; make it writable, "
                "or point KLAMM_CACHE at a folder that is"
            ) from error


async def _lock(descriptor: int, path: Path, clock: Clock, patience: float, waiting: Callable[[], None]) -> None:
    deadline = clock.monotonic() + patience
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        if clock.monotonic() > deadline:
            raise StoreBusy(
                f"waiting for {path}: another process has held it for {patience:.0f} s; "
                f"`fuser {path}` shows which, end it when it hangs"
            )
        if not told:
            waiting()
            told = True
        await asyncio.sleep(0.1)


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write `path` so that it is there whole or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
