"""Waiting that people can watch: what is waited for, why it is not there yet, and for how long already.

Woken by watches, not by a timer; on a terminal one block of lines is kept up to date, elsewhere a line is written
whenever the reason changes.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klamm.cli.context import Context
from klamm.cli.errors import Unfinished
from klamm.cli.manifests import Manifest
from klamm.kube.catalogue import KAFKA_TOPICS, KAFKA_USERS, KAFKAS
from klamm.kube.client import Client
from klamm.kube.kinds import Kind, Name
from klamm.kube.native import PODS
from klamm.kube.watching import Watched
from klamm.resources.native.pod import Pod

_WAITED_FOR: Mapping[str, Kind[Any]] = {kind.kind: kind for kind in (KAFKAS, KAFKA_TOPICS, KAFKA_USERS)}


@dataclass(frozen=True, slots=True)
class Target:
    kind: Kind[Any]
    name: Name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def targets(manifests: Iterable[Manifest], namespace: str) -> list[Target]:
    """The objects whose status says when they are ready."""
    return [
        Target(_WAITED_FOR[one.kind], Name(one.namespace or namespace, one.name))
        for one in manifests
        if one.kind in _WAITED_FOR and one.api_version.startswith("kafka.strimzi.io/")
    ]


async def wait_until_ready(
    context: Context, client: Client, manifests: Sequence[Manifest], namespace: str, seconds: float
) -> None:
    """Raises `Unfinished` at the end of `timeout`, with what was last seen."""
    wanted = targets(manifests, namespace)
    if not wanted:
        return
    scene = Scene(context, client, wanted)
    try:
        async with asyncio.timeout(seconds):
            await scene.watch()
    except TimeoutError:
        raise Unfinished(
            f"not ready after {seconds:g} s: {'; '.join(scene.reasons)}. It goes on by itself; "
            "`klamm status` shows how it stands, `klamm up` again waits on."
        ) from None


class Scene:
    """Caches of what is waited for, and of the pods that it is made of."""

    def __init__(self, context: Context, client: Client, wanted: Sequence[Target]) -> None:
        self._context = context
        self._wanted = wanted
        self._changed = asyncio.Event()
        self._started = context.clock.monotonic()
        self._said: dict[str, str] = {}
        kinds = {target.kind.kind: target.kind for target in wanted}
        namespaces = {target.name.namespace for target in wanted}
        place = namespaces.pop() if len(namespaces) == 1 else None
        self._caches = {name: Watched(client, kind, context.random, namespace=place) for name, kind in kinds.items()}
        self._pods = Watched(client, PODS, context.random, namespace=place, labels="strimzi.io/cluster")

    @property
    def reasons(self) -> list[str]:
        return [f"{target}: {why}" for target in self._wanted if (why := self._why_not(target))]

    async def watch(self) -> None:
        caches = [*self._caches.values(), self._pods]
        tasks = [asyncio.create_task(cache.run()) for cache in caches]
        for cache in caches:
            cache.subscribe(lambda old, new: self._changed.set())
        try:
            for cache in self._caches.values():
                await cache.synced()
            while reasons := self.reasons:
                self._tell(reasons)
                self._changed.clear()
                await self._changed.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _why_not(self, target: Target) -> str | None:
        obj = self._caches[target.kind.kind].get(target.name)
        if obj is None:
            return "it is not there"
        status = obj.status
        if status is None or (status.observed_generation or 0) < (obj.metadata.generation or 0):
            return "the operator has not looked at it yet"
        conditions = {condition.type: condition for condition in status.conditions}
        ready = conditions.get("Ready")
        if ready is not None and ready.status == "True":
            return None
        told = conditions.get("NotReady") or ready
        return (told.message or told.reason or "not ready") if told else "not ready"

    def _tell(self, reasons: Sequence[str]) -> None:
        elapsed = self._context.clock.monotonic() - self._started
        for reason in reasons:
            what, _, why = reason.partition(": ")
            if self._said.get(what) != why:
                self._said[what] = why
                self._context.say(f"{elapsed:6.1f} s  {what}: {why}")
        for pod in sorted(self._pods.all(), key=lambda one: one.metadata.name or ""):
            name, state = pod.metadata.name or "", pod_state(pod)
            if self._said.get(name) != state:
                self._said[name] = state
                self._context.say(f"{elapsed:6.1f} s    pod {name}: {state}")


def pod_state(pod: Pod) -> str:
    """One word or a short clause: Pending, ContainerCreating, Running, Ready, or what goes wrong."""
    status = pod.status
    if pod.metadata.deletion_timestamp is not None:
        return "Terminating"
    if status is None:
        return "Pending"
    for condition in status.conditions:
        if condition.type == "Ready" and condition.status == "True":
            return "Ready"
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"not scheduled: {condition.message or condition.reason}"
    for container in [*status.init_container_statuses, *status.container_statuses]:
        waiting = container.state.waiting if container.state else None
        if waiting and waiting.reason not in ("ContainerCreating", "PodInitializing", None):
            return f"{waiting.reason}: {waiting.message}" if waiting.message else str(waiting.reason)
    return status.phase or "Pending"
