"""Who ends before whom when pods of one namespace end together.

A broker hands its partitions over through ZooKeeper. When both are deleted in one moment, as with their namespace, and
ZooKeeper ends first, the broker waits for it until it is killed. So a pod of a later wave (`KubeletSettings.stop_wave`)
is asked to end when those of earlier waves have ended; the wait counts against its grace. Wave 0 has no place in the
order: it waits for nobody, and nobody waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from klamm.localkube.objects import Object

NEWS = 0.2
"""Seconds within which the deletions of pods that end together are heard of."""


class Turns:
    def __init__(self, wave_of: Callable[[Mapping[str, str]], int]) -> None:
        self._wave_of = wave_of
        self._ending: dict[str, tuple[str, int]] = {}
        self._changed = asyncio.Event()

    def ends(self, pod: Object) -> None:
        """The pod is being deleted. Idempotent."""
        metadata = pod["metadata"]
        self._ending[metadata["uid"]] = metadata["namespace"], self._wave(pod)

    def ended(self, uid: str) -> None:
        if self._ending.pop(uid, None) is not None:
            self._changed.set()
            self._changed = asyncio.Event()

    def turn_of(self, pod: Object) -> Callable[[], Awaitable[None]] | None:
        """What returns when it is the pod's turn; None for one that waits for nobody."""
        metadata, wave = pod["metadata"], self._wave(pod)
        if wave < 2 or metadata["uid"] not in self._ending:
            return None
        return lambda: self._wait(metadata["namespace"], wave)

    async def _wait(self, namespace: str, wave: int) -> None:
        await asyncio.sleep(NEWS)
        while any(where == namespace and 0 < other < wave for where, other in self._ending.values()):
            await self._changed.wait()

    def _wave(self, pod: Object) -> int:
        return self._wave_of(pod["metadata"].get("labels") or {})
