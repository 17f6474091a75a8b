"""Fetching pinned artifacts into the store: in parallel, checked, once.

A jar is in the store when a file of its name, size and date is there; only whole, checked files ever get that name
and date. What arrives is hashed while it comes in: a file that is cut off, padded or altered is refused and fetched
again from the start (jars are small), up to `ATTEMPTS` times. Nothing is fetched that is there.
"""

import asyncio
import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import aiohttp

from klamm.distribution.artifacts import Artifact
from klamm.distribution.progress import Progress, Report
from klamm.distribution.store import ARTIFACT_TIME, Store

PARALLEL = 8
ATTEMPTS = 4
FIRST_PAUSE = 0.5
IDLE_SECONDS = 30


class DownloadFailed(Exception):
    """An artifact could not be fetched; the message names it, the reason and what to do."""


class _Refused(Exception):
    """One attempt failed in a way that another may not."""


def default_repository() -> str:
    """The base URL of the repository that jgo (a Maven client) uses unless told otherwise."""
    try:
        from jgo.constants import MAVEN_CENTRAL_URL
    except ImportError as error:
        raise DownloadFailed(
            "fetching Kafka: the Python package jgo, which knows where jars come from, is not installed; "
            "install klamm with its extra `local`"
        ) from error
    return str(MAVEN_CENTRAL_URL)


def missing(store: Store, artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Those that are not in the store, or whose file was changed since it was put there (size, date)."""
    return [artifact for artifact in artifacts if not is_present(store, artifact)]


def is_present(store: Store, artifact: Artifact) -> bool:
    try:
        state = os.stat(store.artifacts / artifact.coordinate.path)
    except OSError:
        return False
    return state.st_size == artifact.size and state.st_mtime == ARTIFACT_TIME


def damaged(store: Store, artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Those whose bytes are not the pinned ones; reads every file (what `klamm doctor` does)."""
    return [artifact for artifact in artifacts if not _is_sound(store, artifact)]


def _is_sound(store: Store, artifact: Artifact) -> bool:
    path = store.artifacts / artifact.coordinate.path
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == artifact.sha256


async def fetch(
    store: Store,
    artifacts: Sequence[Artifact],
    repository: str,
    what: str,
    report: Report,
    *,
    first_pause: float = FIRST_PAUSE,
) -> None:
    """Bring `artifacts` into the store. The caller holds the store's lock.

    Raises `DownloadFailed`; what was fetched until then stays.
    """
    tally = _Tally(what, sum(artifact.size for artifact in artifacts), report)
    permits = asyncio.Semaphore(PARALLEL)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=IDLE_SECONDS, sock_read=IDLE_SECONDS)

    async def one(artifact: Artifact) -> None:
        async with permits:
            await _fetch_one(session, store, artifact, repository, tally, first_pause)

    # Proxies are the user's (HTTPS_PROXY, NO_PROXY), read by aiohttp itself.
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True, auto_decompress=False) as session:
        try:
            async with asyncio.TaskGroup() as group:
                for artifact in sorted(artifacts, key=lambda a: -a.size):
                    group.create_task(one(artifact))
        except BaseExceptionGroup as failures:
            # Not `except*`: before Python 3.11.4 it wraps what is raised in it into a group again.
            failed, other = failures.split(DownloadFailed)
            if other is not None or failed is None:
                raise
            raise _first(failed) from None


def _first(failures: BaseExceptionGroup[DownloadFailed]) -> DownloadFailed:
    first: BaseException = failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    assert isinstance(first, DownloadFailed)
    return first


class _Tally:
    """Bytes that have come in, over all files; a file that is begun anew is taken off first."""

    def __init__(self, what: str, total: int, report: Report) -> None:
        self._what = what
        self._total = total
        self._report = report
        self._done = 0

    def add(self, size: int, detail: str) -> None:
        self._done += size
        self._report(Progress(f"{self._what}: downloading", self._done, self._total, detail))


async def _fetch_one(
    session: aiohttp.ClientSession,
    store: Store,
    artifact: Artifact,
    repository: str,
    tally: _Tally,
    first_pause: float,
) -> None:
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(first_pause * 2 ** (attempt - 1))
        try:
            await _attempt(session, store, artifact, repository, tally)
            return
        except (_Refused, aiohttp.ClientError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
        except OSError as error:
            raise DownloadFailed(
                f"storing {artifact.coordinate} in {store.artifacts}: {error.strerror or error}; "
                "make room or choose another folder with KLAMM_CACHE, then run the command again"
            ) from error
    raise DownloadFailed(
        f"downloading {artifact.coordinate} ({artifact.size:,} bytes) from {repository} failed {ATTEMPTS} times: "
        f"{reason}. The first start of a Kafka version needs the network (proxies: HTTPS_PROXY); "
        "run the command again when it is there, what has arrived is kept"
    )


async def _attempt(
    session: aiohttp.ClientSession, store: Store, artifact: Artifact, repository: str, tally: _Tally
) -> None:
    target = store.artifacts / artifact.coordinate.path
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    received = 0
    try:
        async with session.get(f"{repository.rstrip('/')}/{artifact.coordinate.path}") as response:
            if response.status != 200:
                raise _Refused(f"HTTP status {response.status}")
            digest = hashlib.sha256()
            with temporary.open("wb") as file:
                async for chunk in response.content.iter_chunked(1 << 18):
                    file.write(chunk)
                    digest.update(chunk)
                    received += len(chunk)
                    tally.add(len(chunk), artifact.coordinate.file_name)
                file.flush()
                os.fsync(file.fileno())
        if received != artifact.size:
            raise _Refused(f"{received:,} bytes came instead of {artifact.size:,}")
        if digest.hexdigest() != artifact.sha256:
            raise _Refused(f"the checksum is {digest.hexdigest()}, not {artifact.sha256}")
        _seal(temporary, target)
    except BaseException:
        tally.add(-received, artifact.coordinate.file_name)
        temporary.unlink(missing_ok=True)
        raise


def _seal(temporary: Path, target: Path) -> None:
    temporary.chmod(0o444)
    os.utime(temporary, (ARTIFACT_TIME, ARTIFACT_TIME))
    os.replace(temporary, target)
