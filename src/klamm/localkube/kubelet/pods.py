"""The worker of one pod: gathers facts, asks `plan` what to do next, does it, and writes the status.

    pod watch ──▶ update/vanish ┐
    exits     ──▶ exited        ├─▶ wake ─▶ observe ─▶ next_actions ─▶ act ─▶ publish ─▶ sleep until woken or due
    sources   ──▶ source_changed│
    probes    ──▶ reports       ┘

All state changes happen in the event loop, between awaits, so facts are never torn. What takes time (making the
sandbox, starting a container, a termination) runs as a task of the worker that marks the facts while it is under
way and wakes the worker when it is over. Nothing here blocks another pod.

Cancelling `run` (the control plane ends) leaves sandbox and containers as they are: the next kubelet adopts them.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import replace
from typing import Any

from klamm.base import logs
from klamm.localkube.kubelet import plan
from klamm.localkube.kubelet.adoption import adopt
from klamm.localkube.kubelet.attempts import Attempts
from klamm.localkube.kubelet.containers import sandbox_spec
from klamm.localkube.kubelet.facts import ContainerFacts, Failure, Observed, PodKey, VolumesAre, nothing_started
from klamm.localkube.kubelet.host_volumes import VolumeBlocked
from klamm.localkube.kubelet.parts import Parts
from klamm.localkube.kubelet.publishing import StatusPublisher
from klamm.localkube.kubelet.references import Reference, references
from klamm.localkube.kubelet.runtime import CannotStart, ContainerState, SandboxState
from klamm.localkube.kubelet.volumes import PodVolumes
from klamm.localkube.objects import PODS, Object, Refused, Resource

_SANDBOX_RETRY = 2.0
_DELETE_RETRY = 1.0
_VOLUME_RETRY = 30.0
"""Seconds. For host paths, which nobody watches; missing objects are noticed at once."""
_log = logs.room("localkube.kubelet.pods")


class PodWorker:
    def __init__(self, parts: Parts, pod: Object, predecessor: str = "") -> None:
        self.key = PodKey.of(pod)
        self.pod = pod
        self.facts: dict[str, ContainerFacts] = nothing_started(pod)
        self.sandbox: SandboxState | None = None
        self.references: frozenset[Reference] = references(pod)
        self.predecessor = predecessor
        self._parts = parts
        settings = parts.settings
        self.volumes = PodVolumes(
            self.key, settings.pods_folder, settings.memory_folder, parts.objects, parts.tokens, parts.clock
        )
        self._volumes_are = VolumesAre.UNPREPARED
        self._volumes_retry_at = float("inf")
        self._stale_volumes = False
        self._sandbox_busy = False
        self._sandbox_retry_at = 0.0
        self._gone = False
        self._failure: Failure | None = None
        self._finished = False
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts = Attempts(parts, self)
        self._publisher = StatusPublisher(parts)
        self._note_end()

    # What the kubelet tells the worker.

    def update(self, pod: Object) -> None:
        """The watch brought this version; one that is older than what our own writes returned is passed over."""
        if _version(pod) < _version(self.pod):
            return
        old, self.pod = self.pod["metadata"], pod
        new = pod["metadata"]
        if any(old.get(part) != new.get(part) for part in ("labels", "annotations")):
            self._stale_volumes = True
        self._note_end()
        self.wake()

    def _note_end(self) -> None:
        if self.pod["metadata"].get("deletionTimestamp"):
            self._parts.turns.ends(self.pod)

    def vanish(self) -> None:
        """The API has no such pod any more."""
        self._gone = True
        self.wake()

    def source_changed(self, resource: Resource, name: str) -> None:
        if (resource, name) not in self.references:
            return
        self._stale_volumes = True
        if self._volumes_are is VolumesAre.BLOCKED:
            self._volumes_are = VolumesAre.UNPREPARED
        for facts in self.facts.values():
            if facts.waiting is not None and facts.waiting.retry_at == float("inf"):
                self.change(facts.name, waiting=replace(facts.waiting, retry_at=0.0))
        self.wake()

    def exited(self, state: ContainerState) -> None:
        self._attempts.exited(state)

    def take_over(self, sandbox: SandboxState | None, states: Iterable[ContainerState]) -> None:
        """What the node says there is: at the kubelet's start, and when the node was away."""
        self.sandbox = sandbox
        self._attempts.let_go()
        self.facts = adopt(self.pod, states, self._parts.now(), self._parts.settings.back_off)
        self._attempts.take_over()
        self.wake()

    def predecessor_ended(self) -> None:
        self.predecessor = ""
        self.wake()

    def wake(self) -> None:
        self._wake.set()

    # What its own parts tell it.

    def change(self, name: str, **fields: Any) -> None:
        """Replace facts of one container."""
        self.facts[name] = replace(self.facts[name], **fields)
        self.wake()

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def pod_ip(self) -> str:
        return self.sandbox.ip if self.sandbox is not None else ""

    @property
    def gone(self) -> bool:
        """The API has no such pod any more."""
        return self._gone

    @property
    def is_ending(self) -> bool:
        """Its sandbox is expected to go."""
        return self._gone or self._sandbox_busy or bool(self.pod["metadata"].get("deletionTimestamp"))

    @property
    def attempts(self) -> Attempts:
        return self._attempts

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (CannotStart, OSError, Refused) as error:
            _log.warning("a step of a pod failed", pod=str(self.key), because=str(error))
        except Exception as error:
            _log.error("a step of a pod failed", error, pod=str(self.key))
        self.wake()

    # The loop.

    async def run(self) -> None:
        try:
            while not self._finished:
                self._wake.clear()
                try:
                    due = self._pass()
                except Exception as error:
                    _log.error("a pass over a pod failed", error, pod=str(self.key))
                    due = self._parts.now() + _DELETE_RETRY
                await self._sleep_until(due)
            await self._guarded(self._attempts.forget_all())
        finally:
            self._attempts.let_go()
            for task in self._tasks:
                task.cancel()
        self._parts.turns.ended(self.key.uid)
        self._parts.finished(self.key.uid)

    def _pass(self) -> float:
        """One round; when the next one is due at the latest, in seconds since the epoch."""
        self._refresh_volumes()
        due = min(self.volumes.refresh_at, self._volumes_retry_at)
        settings = self._parts.settings
        actions = plan.next_actions(self.pod, self.observe(), settings.back_off, settings.forced_grace)
        for action in actions:
            due = min(due, self._act(action))
        if not self._finished:
            due = min(due, self._publish())
        return due

    def observe(self) -> Observed:
        return Observed(
            now=self._parts.now(),
            containers=dict(self.facts),
            sandbox=self.sandbox,
            sandbox_busy=self._sandbox_busy,
            sandbox_retry_at=self._sandbox_retry_at,
            volumes=self._volumes_are,
            gone=self._gone,
            predecessor=self.predecessor,
            failure=self._failure,
        )

    async def _sleep_until(self, due: float) -> None:
        if self._finished:
            return
        seconds = max(due - self._parts.now(), 0)
        try:
            async with asyncio.timeout(None if due == float("inf") else seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _publish(self) -> float:
        """Write the status; when to come again if it is too early to write."""
        if self._gone:
            return float("inf")
        newer, due = self._publisher.publish(self.pod, self.observe())
        if newer is not None:
            self.pod = newer
        return due

    def _act(self, action: plan.Action) -> float:
        """Do it or begin it; the moment at which it wants another look."""
        _log.debug("next step", pod=str(self.key), step=type(action).__name__, because=getattr(action, "because", ""))
        match action:
            case plan.WaitUntil(moment, because):
                if because == "CrashLoopBackOff":
                    self._attempts.tell_back_offs()
                return moment
            case plan.PrepareVolumes():
                self._prepare_volumes()
            case plan.MakeSandbox():
                self._sandbox_busy = True
                self.begin(self._make_sandbox())
            case plan.Start(name, attempt, because):
                self._attempts.start(name, attempt)
            case plan.Stop(name, grace, because):
                self._attempts.stop(name, grace, plan.killing_message(action))
            case plan.RemoveSandbox():
                self._sandbox_busy = True
                self.begin(self._remove_sandbox())
            case plan.Fail(failure):
                self._failure = failure
                self._parts.events.warning(self.pod, failure.reason, failure.message)
                self.wake()
            case plan.Finish():
                return self._finish()
        return float("inf")

    # The steps.

    def _addresses(self) -> Mapping[str, str]:
        return {"pod": self.pod_ip, "host": self._parts.node_of(self.pod).address}

    def _prepare_volumes(self) -> None:
        try:
            self.volumes.prepare(self.pod, self._addresses(), self._parts.capacity_of(self.pod))
        except (VolumeBlocked, OSError) as blocked:
            told = f'"{blocked.volume}" : {blocked.why}' if isinstance(blocked, VolumeBlocked) else f": {blocked}"
            self._parts.events.warning(self.pod, "FailedMount", f"MountVolume.SetUp failed for volume {told}")
            self._volumes_are = VolumesAre.BLOCKED
            self._volumes_retry_at = self._parts.now() + _VOLUME_RETRY
        else:
            self._volumes_are = VolumesAre.READY
            self._volumes_retry_at = float("inf")
            self._stale_volumes = False
            self.wake()

    def _refresh_volumes(self) -> None:
        now = self._parts.now()
        if self._volumes_are is VolumesAre.BLOCKED and now >= self._volumes_retry_at:
            self._volumes_are = VolumesAre.UNPREPARED
            self._volumes_retry_at = float("inf")
        if self._volumes_are is not VolumesAre.READY:
            return
        if self._stale_volumes or now >= self.volumes.refresh_at:
            self._stale_volumes = False
            self.volumes.refresh(self.pod, self._addresses(), self._parts.capacity_of(self.pod))

    async def _make_sandbox(self) -> None:
        try:
            settings = self._parts.settings
            wave = settings.stop_wave(self.pod["metadata"].get("labels") or {})
            spec = sandbox_spec(self.pod, settings.cluster_domain, wave)
            self.sandbox = await self._parts.runtime.create_sandbox(spec)
            for name in self.facts:
                self.change(name, in_sandbox=False)
        except (CannotStart, OSError) as error:
            self._sandbox_retry_at = self._parts.now() + _SANDBOX_RETRY
            message = f"Failed to create pod sandbox: {error}"
            self._parts.events.warning(self.pod, "FailedCreatePodSandBox", message)
        finally:
            self._sandbox_busy = False

    async def _remove_sandbox(self) -> None:
        try:
            await self._parts.runtime.remove_sandbox(self.key.uid)
            self.sandbox = None
        except (CannotStart, OSError):
            self._sandbox_retry_at = self._parts.now() + _SANDBOX_RETRY
            raise
        finally:
            self._sandbox_busy = False

    def _finish(self) -> float:
        """Everything has ended: the last status, then the folders, then the object."""
        if not self._gone:
            self._publisher.publish(self.pod, self.observe(), at_once=True)
        self.volumes.remove()
        if not self._gone and not self._delete_object():
            return self._parts.now() + _DELETE_RETRY
        self._finished = True
        return float("inf")

    def _delete_object(self) -> bool:
        key = self.key
        try:
            self._parts.objects.delete(PODS, key.namespace, key.name, grace_seconds=0, uid=key.uid)
        except Refused as refused:
            # 404 and 409: another pod may bear the name by now. Ours is gone then.
            if refused.code not in (404, 409):
                _log.warning("a pod could not be deleted", pod=str(key), because=refused.message)
                return False
        return True


def _version(pod: Object) -> int:
    """Versions are numbers in this house, which a client must not know, and the kubelet may."""
    text = str(pod["metadata"].get("resourceVersion") or "0")
    return int(text) if text.isdigit() else 0
