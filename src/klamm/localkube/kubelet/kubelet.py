"""The kubelet of one control plane: one worker for each pod that is bound to one of the pretended nodes.

Order at the start: node objects; exits are listened to; the node's state is read; every pod of the API gets its
worker, which takes over what runs; what runs without a pod is ended; folders without a pod go; then the watches.
A control plane that is killed leaves all pods running, and the next one begins again here.

When the stream of exits breaks, the node was away: it is listened to again and all workers take over anew.
"""

import asyncio
import shutil
import signal
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from functools import partial
from random import Random

from klamm.base import logs
from klamm.base.clock import Clock
from klamm.base.tasks import Supervisor
from klamm.base.together import ended
from klamm.localkube.events import PodEvents
from klamm.localkube.kubelet.facts import ContainerId
from klamm.localkube.kubelet.nodes import ensure_nodes
from klamm.localkube.kubelet.orphans import lost_pod
from klamm.localkube.kubelet.parts import Parts
from klamm.localkube.kubelet.pods import PodWorker
from klamm.localkube.kubelet.runtime import CannotStart, ContainerState, NodeState, Runtime
from klamm.localkube.kubelet.settings import KubeletSettings
from klamm.localkube.kubelet.streams import KubeletStreams
from klamm.localkube.kubelet.tokens import TokenSource
from klamm.localkube.kubelet.turns import Turns
from klamm.localkube.objects import (
    CONFIG_MAPS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
    ImageTable,
    Object,
    Objects,
    Resource,
    Streams,
    WatchEvent,
    WatchEventType,
)

_NODE_RETRY = 1.0
_KILLED = 137
_log = logs.room("localkube.kubelet")


class Kubelet:
    def __init__(
        self,
        objects: Objects,
        runtime: Runtime,
        images: ImageTable,
        settings: KubeletSettings,
        clock: Clock,
        tokens: TokenSource,
    ) -> None:
        events = PodEvents(objects, clock)
        turns = Turns(settings.stop_wave)
        self._parts = Parts(objects, runtime, images, settings, clock, tokens, events, turns, self._worker_finished)
        self._nodes = {node.name for node in settings.nodes}
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._over: set[str] = set()
        """Pods that the kubelet is done with and whose object is still held by finalizers."""
        self._early: deque[ContainerState] = deque(maxlen=1000)
        """Exits that came before the workers were there."""
        self._streams = KubeletStreams(self._parts, self)

    @property
    def streams(self) -> Streams:
        return self._streams

    async def run(self) -> None:
        """Runs until it is cancelled; pods run on then."""
        parts = self._parts
        for folder in (parts.settings.pods_folder, parts.settings.memory_folder, parts.settings.logs_folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
        ensure_nodes(parts.objects, parts.settings.nodes, parts.clock)
        taken_over = asyncio.Event()
        try:
            # A seed of its own: the back-off's jitter has nobody to keep apart here.
            async with Supervisor("kubelet", Random(0)) as tasks:
                tasks.start("node", partial(self._follow_node, taken_over))
                await taken_over.wait()
                tasks.start("watch of pods", self._watch_pods)
                for resource in (SECRETS, CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS):
                    tasks.start(f"watch of {resource.plural}", partial(self._watch_sources, resource))
                await asyncio.Event().wait()
        finally:
            await self._end_workers()

    # The node.

    async def _follow_node(self, taken_over: asyncio.Event) -> None:
        while True:
            exits = self._parts.runtime.exits()
            reader = asyncio.ensure_future(self._read_exits(exits))
            try:
                # The reader subscribes with its first step, before the state is asked for.
                await asyncio.sleep(0)
                self._take_over(await self._parts.runtime.state())
                taken_over.set()
                await reader
                _log.warning("the node stopped telling exits; it is asked again")
            except (CannotStart, OSError) as error:
                _log.warning("the node cannot be reached; it is asked again", because=str(error))
            finally:
                reader.cancel()
            await asyncio.sleep(_NODE_RETRY)

    async def _read_exits(self, exits: AsyncIterator[ContainerState]) -> None:
        async for state in exits:
            if state.exit_code == _KILLED or state.signal == signal.SIGKILL:
                await self._notice_lost_sandboxes()
            identity = ContainerId.parse(state.id)
            worker = self._workers.get(identity.uid) if identity else None
            if worker is not None:
                worker.exited(state)
            else:
                self._early.append(state)

    async def _notice_lost_sandboxes(self) -> None:
        """A killed container may be the sign that the whole node was replaced: its pods begin anew then.

        Asked before the worker hears of the exit, because it would restart the container in a sandbox that is gone.
        """
        before = {uid: worker.sandbox for uid, worker in self._workers.items() if worker.sandbox is not None}
        try:
            state = await self._parts.runtime.state()
        except (CannotStart, OSError):
            return
        present = {sandbox.id for sandbox in state.sandboxes}
        containers = _by_uid(state.containers)
        for uid in before.keys() - present:
            worker = self._workers.get(uid)
            if worker is not None and worker.sandbox is before[uid] and not worker.is_ending:
                worker.take_over(None, containers.get(uid, ()))

    def _take_over(self, state: NodeState) -> None:
        first = not self._workers
        for pod in self._parts.objects.list(PODS):
            if self._is_ours(pod):
                self._worker_of(pod)
        for orphan in self._orphans(state):
            self._worker_of(orphan).vanish()
        containers = _by_uid(state.containers)
        sandboxes = {sandbox.id: sandbox for sandbox in state.sandboxes}
        for uid, worker in self._workers.items():
            worker.take_over(sandboxes.get(uid), containers.get(uid, ()))
        while self._early:
            early = self._early.popleft()
            identity = ContainerId.parse(early.id)
            if identity is not None and identity.uid in self._workers:
                self._workers[identity.uid].exited(early)
        if first:
            self._sweep()

    def _orphans(self, state: NodeState) -> list[Object]:
        """What runs although the API has no pod for it."""
        uids = {sandbox.id for sandbox in state.sandboxes} | _by_uid(state.containers).keys()
        missing = sorted(uids - self._workers.keys())
        if missing:
            _log.info("sandboxes without a pod are ended", sandboxes=missing)
        return [lost_pod(uid, state) for uid in missing]

    def _sweep(self) -> None:
        """Folders of pods that are gone: a crash may have come between a pod's end and its clearing."""
        settings = self._parts.settings
        for folder in (settings.pods_folder, settings.memory_folder, settings.logs_folder):
            for entry in folder.iterdir():
                if entry.is_dir() and entry.name.rsplit("_", 1)[-1] not in self._workers:
                    shutil.rmtree(entry, ignore_errors=True)

    # The API.

    async def _watch_pods(self) -> None:
        for worker in self._workers.values():
            # Deleted before this watch began.
            found = self._parts.objects.find(PODS, worker.key.namespace, worker.key.name)
            if found is None or found["metadata"]["uid"] != worker.key.uid:
                worker.vanish()
        async for event in self._parts.objects.watch(PODS):
            if self._is_ours(event.object):
                self._pod_changed(event)

    def _pod_changed(self, event: WatchEvent) -> None:
        uid = event.object["metadata"]["uid"]
        if event.type is WatchEventType.DELETED:
            self._over.discard(uid)
            if uid in self._workers:
                self._workers[uid].vanish()
        elif uid in self._workers:
            self._workers[uid].update(event.object)
        elif uid not in self._over:
            self._worker_of(event.object)

    async def _watch_sources(self, resource: Resource) -> None:
        async for event in self._parts.objects.watch(resource):
            meta = event.object["metadata"]
            for worker in list(self._workers.values()):
                if worker.key.namespace == meta["namespace"]:
                    worker.source_changed(resource, meta["name"])

    def _is_ours(self, pod: Object) -> bool:
        return pod["spec"].get("nodeName") in self._nodes

    # The workers.

    def _worker_of(self, pod: Object) -> PodWorker:
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if worker is None:
            worker = PodWorker(self._parts, pod, self._predecessor(pod))
            self._workers[uid] = worker
            self._tasks[uid] = asyncio.create_task(worker.run(), name=f"pod {worker.key}")
        return worker

    def _predecessor(self, pod: Object) -> str:
        meta = pod["metadata"]
        older = self.find(meta["namespace"], meta["name"])
        return older.key.uid if older is not None else ""

    def find(self, namespace: str, pod: str) -> PodWorker | None:
        """The newest pod of that name."""
        found = None
        for worker in self._workers.values():
            if worker.key.name == pod and worker.key.namespace == namespace:
                found = worker
        return found

    def all(self) -> Sequence[PodWorker]:
        return tuple(self._workers.values())

    def _worker_finished(self, uid: str) -> None:
        worker = self._workers.pop(uid, None)
        self._tasks.pop(uid, None)
        if worker is not None and not worker.gone:
            self._over.add(uid)
        for other in self._workers.values():
            if other.predecessor == uid:
                other.predecessor_ended()

    async def _end_workers(self) -> None:
        tasks = list(self._tasks.values())
        await ended(*tasks)


def _by_uid(states: Iterable[ContainerState]) -> dict[str, list[ContainerState]]:
    found: dict[str, list[ContainerState]] = {}
    for state in states:
        if identity := ContainerId.parse(state.id):
            found.setdefault(identity.uid, []).append(state)
    return found


def with_early_readiness(settings: KubeletSettings, enabled: bool) -> KubeletSettings:
    """The same settings with the listed difference switched on or off."""
    return replace(settings, early_readiness=replace(settings.early_readiness, enabled=enabled))
