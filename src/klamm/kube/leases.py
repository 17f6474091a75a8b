"""Leader election by a Lease: of several processes at most one acts.

The holder writes its name and a time into the Lease every `retry` seconds. The others watch the Lease change; when it
has not changed for `duration` seconds **on their own clock**, they take it. Nobody compares wall clocks of two
machines. Each write carries the resourceVersion that was read, so of two takers one gets a Conflict.

What keeps two from acting at once is not that the holder notices in time: a process that was stopped for a minute
(SIGSTOP, a swapping machine, a suspended virtual machine) wakes in the middle of what it did, before any timer of its
own. It is `reason_to_hold`: the holder's client asks it where a write's bytes leave (`transport.HttpTransport`), and it
answers by the clock, `renew_deadline` seconds after the begin of the last renewal. Others begin
`duration - renew_deadline` seconds later at the earliest. The clock counts while the machine sleeps
(`base.clock.BootClock`).

A write whose bytes have left may still lie in a network for longer than that. No API could refuse it, so it must do no
harm: deletions of what could be missed name the uid that was looked at, everything else is applied, and the new leader
applies it anew.

Then, without hurry, the work is cancelled, `LeadershipLost` is raised and the process ends (`programs/`). Leaving in
good order lets the work end while the Lease is still renewed, and gives it back; the others are woken by their watch.
It is not given back when a write was cut short just before: that may arrive yet, so the others wait as after a kill.

Two rules for people: no two living processes may have the same identity, and who deletes the Lease by hand while a new
process starts may see two act for the moment until the holder is told.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import msgspec

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.base.deadlines import DeadlineExceeded, within
from klamm.base.together import ended
from klamm.kube import errors
from klamm.kube.client import Client
from klamm.kube.kinds import Name, version_of
from klamm.kube.known import is_before
from klamm.kube.native import LEASES
from klamm.kube.watching import Watched
from klamm.resources.native.cluster import Lease, LeaseSpec
from klamm.resources.native.metadata import ObjectMeta

_log = logs.room("kube.leases")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds. Kubernetes' own (15, 10, 2) would let the others wait for up to 15 s after a kill, and then begin."""

    duration: float = 12.0
    renew_deadline: float = 8.0
    retry: float = 2.0

    @property
    def ending(self) -> float:
        """Seconds between the last deed of a holder that cannot renew, and the first of the next one."""
        return self.duration - self.renew_deadline


class LeadershipLost(Exception):
    """We may no longer act: another one may begin soon."""


class Election:
    """`identity` is unique for each living process, e.g. the pod's name. `client` must not be held by this election."""

    def __init__(
        self, client: Client, name: Name, identity: str, clock: Clock, random: Random, times: Times | None = None
    ) -> None:
        self._client = client
        self._name = name
        self._identity = identity
        self._clock = clock
        self._random = random
        self._times = times or Times()
        # Only a bell: what is decided stands on what the API answers, so an election without it is merely slower.
        self._watched = Watched(client, LEASES, random, namespace=name.namespace, fields=f"metadata.name={name.name}")
        self._watched.subscribe(self._noticed)
        self._bell = asyncio.Event()
        self._lease: Lease | None = None
        self._holder = ""
        self._changed_at = 0.0
        self._renewed_at = 0.0
        self._given_up_at: float | None = None
        self.is_leader = False

    @property
    def reason_to_hold(self) -> str | None:
        """Why nothing may be written at this very moment; None while we lead for sure."""
        if not self.is_leader:
            return f"{self._holder or 'nobody yet'} leads"
        if self._holder != self._identity:
            return f"Lease {self._name} was taken by {self._holder or 'nobody'}"
        if self._left() <= 0:
            return f"Lease {self._name} was not renewed for {self._times.renew_deadline:g} s"
        return None

    def given_up(self) -> None:
        self._given_up_at = self._clock.monotonic()

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the Lease, work, and give it back. `LeadershipLost` when it could not be kept."""
        watching = asyncio.ensure_future(self._watched.run())
        try:
            await self._acquire()
            self.is_leader = True
            _log.info("leading", lease=self._name, identity=self._identity)
            await self._work(work)
        finally:
            self.is_leader = False
            await ended(watching)

    async def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        working = asyncio.ensure_future(work())
        renewing = asyncio.ensure_future(self._keep())
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(working, renewing)
        if renewing.done() and not renewing.cancelled():
            renewing.result()
        working.result()

    async def _end(self, working: asyncio.Future[None], renewing: asyncio.Future[None]) -> None:
        """The work ends while the Lease is still renewed. Without the Lease it is held anyhow: nobody waits long."""
        working.cancel()
        await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await asyncio.wait({working}, timeout=self._times.ending)
        if not renewing.done():
            await ended(renewing)
            await self._release()

    async def _acquire(self) -> None:
        while True:
            self._bell.clear()
            try:
                if await self._take():
                    return
            except errors.KubeError as error:
                _log.info("the lease could not be taken", lease=self._name, because=str(error))
            # Jitter: the standbys should not all write at the same moment.
            wait = self._times.retry * (1 + 0.2 * self._random.random())
            if 0 < (left := self._seconds_of_others()) < wait:
                wait = left + 0.05 * self._random.random()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._bell.wait()

    async def _take(self) -> bool:
        """Write our name into the Lease if it is free."""
        began = self._clock.monotonic()
        self._saw(await self._client.find(LEASES, self._name))
        if self._seconds_of_others() > 0:
            return False
        self._saw(await self._write(self._identity))
        self._renewed_at = began
        return True

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._times.retry)
            # Counted from the begin of the last write that went through: others count from its arrival, later. Too
            # late is lost also when nobody took it: what we were about to do was decided too long ago.
            if self._left() <= 0:
                raise LeadershipLost(f"Lease {self._name} was not renewed for {self._times.renew_deadline:g} s")
            try:
                await within(self._left(), f"Lease {self._name} to be renewed", self._renew())
            except DeadlineExceeded as error:
                raise LeadershipLost(str(error)) from error
            except errors.KubeError as error:
                _log.info("the lease was not renewed", lease=self._name, because=str(error))

    async def _renew(self) -> None:
        began = self._clock.monotonic()
        self._saw(await self._client.find(LEASES, self._name))
        if self._holder != self._identity:
            # Also when it is free again: another one has acted in between.
            raise LeadershipLost(f"Lease {self._name} was taken by {self._holder or 'somebody who gave it back'}")
        self._saw(await self._write(self._identity))
        self._renewed_at = began

    def _left(self) -> float:
        """Seconds for which we may still act."""
        return self._renewed_at + self._times.renew_deadline - self._clock.monotonic()

    def _noticed(self, _: Lease | None, new: Lease | None) -> None:
        if new is None or self._lease is None or is_before(version_of(self._lease), version_of(new)):
            self._saw(new)
        if self._seconds_of_others() <= 0:
            self._bell.set()

    def _saw(self, lease: Lease | None) -> None:
        """Remember the Lease, and when on our clock it changed."""
        before, after = (each and version_of(each) for each in (self._lease, lease))
        if before != after:
            self._changed_at = self._clock.monotonic()
        self._lease = lease
        if lease is None:
            # Deleted under its holder, who acts until it is told: the name stays, and its time is waited for.
            return
        holder = lease.spec.holder_identity or ""
        if holder not in (self._holder, self._identity, ""):
            _log.info("standing by", lease=self._name, leader=holder)
        self._holder = holder

    def _seconds_of_others(self) -> float:
        """For how long the Lease is another's yet, if its holder is dead; 0 when it may be taken."""
        if self._holder in ("", self._identity):
            return 0.0
        told = self._lease.spec.lease_duration_seconds if self._lease is not None else None
        # The holder's own duration counts, should it have been set up otherwise than we.
        duration = max(told or 0, self._times.duration)
        return max(0.0, self._changed_at + duration - self._clock.monotonic())

    async def _write(self, holder: str) -> Lease:
        now, old = _micro(self._clock.now()), self._lease
        spec = old.spec if old is not None else LeaseSpec()
        changes_hands = bool(holder) and spec.holder_identity != holder
        spec = msgspec.structs.replace(
            spec,
            holder_identity=holder,
            lease_duration_seconds=math.ceil(self._times.duration) if holder else 1,
            renew_time=now,
            acquire_time=now if changes_hands else spec.acquire_time,
            lease_transitions=(spec.lease_transitions or 0) + (1 if changes_hands and old is not None else 0),
        )
        metadata = ObjectMeta(name=self._name.name, namespace=self._name.namespace)
        if old is None:
            return await self._client.create(LEASES, Lease(metadata=metadata, spec=spec))
        return await self._client.replace(LEASES, Lease(metadata=old.metadata, spec=spec))

    async def _release(self) -> None:
        if self._lease is None or self._holder != self._identity:
            return
        given_up = self._given_up_at
        if given_up is not None and self._clock.monotonic() - given_up < self._times.ending:
            _log.info("the lease is left to its end: a write was cut short just now", lease=self._name)
            return
        try:
            await within(self._times.retry, f"Lease {self._name} to be given back", self._write(""))
        except (errors.KubeError, DeadlineExceeded) as error:
            _log.info("the lease was not given back", lease=self._name, because=str(error))


def _micro(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
