"""Class archives made in the background, so that the next start costs a third less.

Not while a cluster starts, when every core is wanted: only once all pods have been ready for a moment.
"""

import asyncio
import sys

from klamm.base import logs
from klamm.cli.home import Home
from klamm.distribution.archives import OLDEST_RELOCATABLE, archive_path
from klamm.distribution.artifacts import release
from klamm.distribution.homes import home_of
from klamm.distribution.images import Images
from klamm.localkube.objects import PODS, Object, Objects

QUIET = 5.0
"""Seconds that all pods stay ready before a start is taken to be over."""

_log = logs.room("class archives")


class Archives:
    """`wanted` notes the releases whose images were pulled; `run` makes what is missing, one at a time."""

    def __init__(self, home: Home, images: Images, objects: Objects) -> None:
        self._home = home
        self._images = images
        self._objects = objects
        self._versions: set[str] = set()

    def want(self, version: str) -> None:
        if version not in self._versions and not self._is_there(version):
            self._versions.add(version)

    async def run(self) -> None:
        """For ever; a process that is under way is ended with us."""
        async for _ in self._objects.watch(PODS):
            if not self._versions or not self._all_ready():
                continue
            await asyncio.sleep(QUIET)
            if self._all_ready():
                for version in sorted(self._versions):
                    await self._make(version)
                self._versions.clear()

    def _is_there(self, version: str) -> bool:
        java = self._images.java
        return (
            java.major < OLDEST_RELOCATABLE
            or archive_path(home_of(self._images.store, release(version)), java).exists()
        )

    def _all_ready(self) -> bool:
        pods = self._objects.list(PODS)
        return bool(pods) and all(_is_ready(pod) for pod in pods)

    async def _make(self, version: str) -> None:
        _log.info(f"making the class archive of Kafka {version}: starts get faster")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "klamm.programs.class_archive", str(self._home.cache), version
        )
        try:
            code = await process.wait()
            _log.info(f"the class archive of Kafka {version} is {'made' if code == 0 else 'not made'}")
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
