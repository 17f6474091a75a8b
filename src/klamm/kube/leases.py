"""Leader election by a Lease: of several processes at most one acts.

The holder writes its name and a time into the Lease every `retry` seconds. Others watch the Lease change; when it has
not changed for `duration` seconds **on their own clock**, they take it. Nobody compares wall clocks of two machines.
Each write carries the resourceVersion that was read, so of two takers one gets a Conflict.

The holder stops acting `duration - renew_deadline` seconds before anyone else may begin: when it could not renew for
`renew_deadline` seconds, its work is cancelled, and must have ended before those seconds are over (`programs/` ends
the process when it has not). Leaving in good order gives the Lease back, so that the next one need
not wait.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import msgspec

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.base.deadlines import DeadlineExceeded, within
from klamm.kube import errors
from klamm.kube.client import Client
from klamm.kube.kinds import Name
from klamm.kube.native import LEASES
from klamm.resources.native.cluster import Lease, LeaseSpec
from klamm.resources.native.metadata import ObjectMeta

_log = logs.room("kube.leases")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds. The defaults are Strimzi's (STRIMZI_LEADER_ELECTION_…) and Kubernetes' own."""

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0


class LeadershipLost(Exception):
    """We may no longer act: another one may begin soon."""


class Election:
    """`identity` is unique for each process, e.g. the pod's name."""

    def __init__(
        self, client: Client, name: Name, identity: str, clock: Clock, random: Random, times: Times | None = None
    ) -> None:
        self._client = client
        self._name = name
        self._identity = identity
        self._clock = clock
        self._random = random
        self._times = times or Times()
        self._lease: Lease | None = None
        self._changed_at = 0.0
        self._renewed_at = 0.0
        self.is_leader = False

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the Lease, work, and give it back. `LeadershipLost` when it could not be kept."""
        await self._acquire()
        self.is_leader = True
        _log.info("leading", lease=self._name, identity=self._identity)
        working = asyncio.ensure_future(work())
        renewing = asyncio.ensure_future(self._keep())
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                renewing.result()
            await working
        finally:
            self.is_leader = False
            await _ended(working, renewing)
            await self._release()

    async def _acquire(self) -> None:
        while True:
            if await self._try():
                return
            # Jitter: the standbys should not all write at the same moment.
            await asyncio.sleep(self._times.retry * (1 + 0.2 * self._random.random()))

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._times.retry)
            # Counted from the begin of the last write that went through: others count from its arrival, later.
            left = self._renewed_at + self._times.renew_deadline - self._clock.monotonic()
            try:
                renewed = await within(max(left, 0.01), f"Lease {self._name} to be renewed", self._try())
            except DeadlineExceeded as error:
                raise LeadershipLost(str(error)) from error
            if renewed:
                continue
            if self._is_of_another():
                raise LeadershipLost(f"Lease {self._name} was taken by {self._holder()}")
            if self._clock.monotonic() - self._renewed_at >= self._times.renew_deadline:
                raise LeadershipLost(f"Lease {self._name} was not renewed for {self._times.renew_deadline:g} s")

    async def _try(self) -> bool:
        """Take or renew the Lease if it is free or ours."""
        began = self._clock.monotonic()
        try:
            self._saw(await self._client.find(LEASES, self._name))
            if self._is_of_another() and not self._is_expired():
                return False
            self._saw(await self._write(self._identity))
        except errors.KubeError as error:
            _log.info("the lease was not renewed", lease=self._name, because=str(error))
            return False
        self._renewed_at = began
        return True

    def _saw(self, lease: Lease | None) -> None:
        before, after = (each and each.metadata.resource_version for each in (self._lease, lease))
        if before != after:
            self._changed_at = self._clock.monotonic()
        self._lease = lease

    def _holder(self) -> str:
        return (self._lease.spec.holder_identity or "") if self._lease is not None else ""

    def _is_of_another(self) -> bool:
        return self._holder() not in ("", self._identity)

    def _is_expired(self) -> bool:
        assert self._lease is not None
        # The holder's own duration counts, should it have been set up otherwise than we.
        duration = max(self._lease.spec.lease_duration_seconds or 0, self._times.duration)
        return self._clock.monotonic() - self._changed_at >= duration

    async def _write(self, holder: str) -> Lease:
        now, old = _micro(self._clock.now()), self._lease
        spec = old.spec if old is not None else LeaseSpec()
        changes_hands = bool(holder) and spec.holder_identity != holder
        spec = msgspec.structs.replace(
            spec,
            holder_identity=holder,
            lease_duration_seconds=int(self._times.duration) if holder else 1,
            renew_time=now,
            acquire_time=now if changes_hands else spec.acquire_time,
            lease_transitions=(spec.lease_transitions or 0) + (1 if changes_hands and old is not None else 0),
        )
        metadata = ObjectMeta(name=self._name.name, namespace=self._name.namespace)
        if old is None:
            return await self._client.create(LEASES, Lease(metadata=metadata, spec=spec))
        return await self._client.replace(LEASES, Lease(metadata=old.metadata, spec=spec))

    async def _release(self) -> None:
        if self._lease is None or self._is_of_another():
            return
        try:
            await within(self._times.retry, f"Lease {self._name} to be given back", self._write(""))
        except (errors.KubeError, DeadlineExceeded) as error:
            _log.info("the lease was not given back", lease=self._name, because=str(error))


async def _ended(*tasks: asyncio.Future[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _micro(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
