"""Kubernetes Events: what people see under `kubectl get events` and `kubectl describe`.

Best effort by nature: an event is noted without waiting and written by a task of its own; a server that refuses it, or
a queue that is full, costs the event and never the pass. The same event (object, type, reason, message) within
`SAME` seconds is counted up instead of written anew, as kubectl's "x5 over 3m" expects it.

    recorder = Recorder(client, "strimzi.io/cluster-operator", pod_name, clock)
    tasks.start("events", recorder.run)
    recorder.note(reference(PODS, pod), "Normal", "ClusterCaCertRenewed", "…", action="StrimziInitiatedPodRestart")
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.kube.client import Client
from klamm.kube.errors import KubeError
from klamm.kube.kinds import Kind, Name, T, version_of
from klamm.kube.native import EVENTS
from klamm.resources.native.cluster import Event, EventSource
from klamm.resources.native.metadata import ObjectMeta, ObjectReference

_log = logs.room("kube.events")

SAME = 600.0
"""Seconds for which an event is remembered in order to be counted up."""

QUEUE = 256
"""Events that may wait. More come only from a loop gone wild, and then the newest tell nothing new."""

REMEMBERED = 512

# Kubernetes' own limit for core events; a longer message would be refused.
_LONGEST_MESSAGE = 1024


@dataclass(frozen=True, slots=True)
class _Noted:
    about: ObjectReference
    type: str
    reason: str
    message: str
    action: str

    @property
    def key(self) -> tuple[str | None, ...]:
        return self.about.uid or self.about.name, self.about.namespace, self.type, self.reason, self.message


@dataclass(slots=True)
class _Written:
    name: Name
    count: int
    at: float


def reference(kind: Kind[T], obj: T) -> ObjectReference:
    """How an event names the object that it is about."""
    return ObjectReference(
        api_version=kind.api_version,
        kind=kind.kind,
        name=obj.metadata.name,
        namespace=obj.metadata.namespace,
        uid=obj.metadata.uid,
        resource_version=version_of(obj) or None,
    )


class Recorder:
    """`component` says who reports ("strimzi.io/cluster-operator"), `instance` which process of it (its pod)."""

    def __init__(self, client: Client, component: str, instance: str, clock: Clock) -> None:
        self._client = client
        self._component = component
        self._instance = instance
        self._clock = clock
        self._queue: asyncio.Queue[_Noted] = asyncio.Queue(QUEUE)
        self._written: OrderedDict[tuple[str | None, ...], _Written] = OrderedDict()
        self._number = 0

    def note(
        self,
        about: ObjectReference,
        type: Literal["Normal", "Warning"],
        reason: str,
        message: str,
        action: str = "",
    ) -> None:
        """`reason` is one word in CamelCase. Returns at once."""
        try:
            self._queue.put_nowait(_Noted(about, type, reason, message[:_LONGEST_MESSAGE], action))
        except asyncio.QueueFull:
            _log.warning("an event was dropped, because too many wait", reason=reason, about=about.name)

    async def run(self) -> None:
        """Write what was noted, until cancelled."""
        while True:
            noted = await self._queue.get()
            try:
                await self._write(noted)
            except KubeError as error:
                _log.info("an event could not be written", reason=noted.reason, because=str(error))
            finally:
                self._queue.task_done()

    async def drained(self) -> None:
        """Returns once everything noted was written or given up."""
        await self._queue.join()

    async def _write(self, noted: _Noted) -> None:
        now = self._clock.monotonic()
        before = self._written.get(noted.key)
        if before is not None and now - before.at < SAME and await self._count_up(before):
            before.at = now
            return
        written = await self._client.create(EVENTS, self._event(noted))
        self._remember(noted, Name(written.metadata.namespace or "", written.metadata.name or ""), now)

    async def _count_up(self, written: _Written) -> bool:
        change = {"count": written.count + 1, "lastTimestamp": _seconds(self._clock.now())}
        try:
            await self._client.patch(EVENTS, written.name, change)
        except KubeError:
            # It has expired (an hour is usual) or is not ours to change: a new one tells the same.
            return False
        written.count += 1
        return True

    def _remember(self, noted: _Noted, name: Name, now: float) -> None:
        self._written[noted.key] = _Written(name, 1, now)
        self._written.move_to_end(noted.key)
        while len(self._written) > REMEMBERED:
            self._written.popitem(last=False)

    def _event(self, noted: _Noted) -> Event:
        now = self._clock.now()
        self._number += 1
        # Unique over restarts of the process: the moment, and a number within it.
        unique = f"{int(now.timestamp() * 1e6):x}{self._number:x}"
        return Event(
            # Cluster-wide objects have their events in "default": so do Kubernetes' own.
            metadata=ObjectMeta(name=f"{noted.about.name}.{unique}", namespace=noted.about.namespace or "default"),
            involved_object=noted.about,
            type=noted.type,
            reason=noted.reason,
            message=noted.message,
            action=noted.action or noted.reason,
            count=1,
            first_timestamp=_seconds(now),
            last_timestamp=_seconds(now),
            event_time=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            reporting_component=self._component,
            reporting_instance=self._instance,
            source=EventSource(component=self._component),
        )


def _seconds(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
