"""Acts without a Lease until another process holds it.

For a process that is alone but for one moment of its life, when another one takes its place: the operator of one
machine, beside which Helm starts the one of a release. To hold the Lease itself would cost two requests every two
seconds for ever, and a restart after each sleep of the machine. So it only watches the Lease. As soon as that is
another's nothing is written any more (`reason_to_hold`), the work is cancelled, and it stands by, until it is told to
end. Should the Lease be given back, or not be renewed for too long, `LeadershipLost` ends the process: it begins anew,
with nothing of what it knew before. (It does not end at once: a process that is started again just then, when its pod
goes, does not hear yet that it is to end.)

Between the other's write of the Lease and our hearing of it lie milliseconds, in which two may act; and no clock tells
a process that was stopped just then that somebody came. What is sent so is applied or names a uid, and does no harm
(`leases.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.base.together import ended
from klamm.kube.client import Client
from klamm.kube.kinds import Name, version_of
from klamm.kube.leases import LeadershipLost, Times
from klamm.kube.native import LEASES
from klamm.kube.watching import Watched
from klamm.resources.native.cluster import Lease

_log = logs.room("kube.leases")


class GivingWay:
    """The permit of the client whose writes are held while another holds `lease`; `duration`: at least so long."""

    def __init__(self, lease: Name, clock: Clock, random: Random, duration: float = Times().duration) -> None:
        self._name = lease
        self._clock = clock
        self._random = random
        self._duration = duration
        self._holder = ""
        self._ends_at = 0.0
        """When the Lease may be taken from its holder, if it does not change until then."""
        self._news = asyncio.Event()

    @property
    def reason_to_hold(self) -> str | None:
        return f"{self._holder} leads" if self._left() > 0 else None

    def given_up(self) -> None:
        """There is no Lease of ours that could be given back too early."""

    async def lead(self, client: Client, work: Callable[[], Awaitable[None]]) -> None:
        """Work while nobody holds the Lease. `LeadershipLost` when somebody took it meanwhile, and left it again."""
        # Only after the first list is it known that nobody does; all caches are listed in the same moment.
        watched = Watched(
            client, LEASES, self._random, namespace=self._name.namespace, fields=f"metadata.name={self._name.name}"
        )
        watched.subscribe(self._noticed)
        watching = asyncio.ensure_future(watched.run())
        try:
            await watched.synced()
            await self._until_free()
            await self._work(work)
        finally:
            await ended(watching)

    async def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        working, held = asyncio.ensure_future(work()), asyncio.ensure_future(self._until_held())
        try:
            await asyncio.wait({working, held}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended(working, held)
        if held.done() and not held.cancelled():
            other = self._holder
            await self._until_free()
            raise LeadershipLost(f"Lease {self._name} was {other}'s for a while")
        working.result()

    async def _until_free(self) -> None:
        if self._left() > 0:
            _log.info("standing by", lease=self._name, leader=self._holder)
        while (left := self._left()) > 0:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()

    async def _until_held(self) -> None:
        while self._left() <= 0:
            self._news.clear()
            await self._news.wait()

    def _left(self) -> float:
        """Seconds for which another one leads, should it be dead; 0 when nobody does."""
        return max(0.0, self._ends_at - self._clock.monotonic()) if self._holder else 0.0

    def _noticed(self, old: Lease | None, new: Lease | None) -> None:
        if old is not None and new is not None and version_of(old) == version_of(new):
            return
        self._holder = (new.spec.holder_identity or "") if new is not None else ""
        told = new.spec.lease_duration_seconds if new is not None else None
        self._ends_at = self._clock.monotonic() + max(told or 0, self._duration)
        self._news.set()
