"""The attempts of a pod's containers: starting them, watching over them, ending them, forgetting them."""

import asyncio
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from klamm.localkube.kubelet.backoff import after_restart
from klamm.localkube.kubelet.downward import UnknownField
from klamm.localkube.kubelet.environment import DEFAULT_PATH, MissingSource
from klamm.localkube.kubelet.facts import BackOff, ContainerFacts, ContainerId, Waiting, container_id, containers_of
from klamm.localkube.kubelet.handlers import Target
from klamm.localkube.kubelet.images import wait_for_image
from klamm.localkube.kubelet.logs import files_of, last_lines
from klamm.localkube.kubelet.parts import Parts
from klamm.localkube.kubelet.plan import grace_of
from klamm.localkube.kubelet.running import RunningContainer
from klamm.localkube.kubelet.runtime import CannotStart, ContainerState, NodeAway
from klamm.localkube.kubelet.starting import (
    CONFIG_ERROR,
    NoImage,
    NotConfigured,
    Prepared,
    prepare,
    pull_image,
    variables_of,
)
from klamm.localkube.kubelet.statuses import CANNOT_START, UNSTARTED_PID
from klamm.localkube.objects import Image

if TYPE_CHECKING:
    from klamm.localkube.kubelet.pods import PodWorker

KEPT_ATTEMPTS = 2
"""The newest and the one before it: what lastState and `logs --previous` need."""
_RETRY = 1.0
_LONG_PULL = 0.2
"""Seconds after which a pull is worth an event."""


class Attempts:
    def __init__(self, parts: Parts, worker: "PodWorker") -> None:
        self._parts = parts
        self._worker = worker
        self._running: dict[str, RunningContainer] = {}
        self._starts: dict[str, asyncio.Task[None]] = {}
        """Starts that still wait for the image."""
        self._early_exits: dict[str, ContainerState] = {}
        """Exits that came before the call that started the container returned."""
        self._environments: dict[str, Mapping[str, str]] = {}
        self._image_waits: dict[str, BackOff] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._told: set[str] = set()
        """Ended attempts whose back-off has its event."""

    # Starting.

    def start(self, name: str, attempt: int) -> None:
        """Begin it; the facts say `starting` until it runs or could not."""
        self._worker.change(name, starting=True)
        self._starts[name] = self._worker.begin(self._start(name, attempt))

    async def _start(self, name: str, attempt: int) -> None:
        container = self._spec(name)
        try:
            image = await self._pull(name, container)
            prepared = self._prepare(container, attempt, image)
            self._starts.pop(name, None)
            await self._run(name, attempt, prepared)
        except NoImage as missing:
            self._no_image(name, container, str(missing))
        except NotConfigured as missing:
            self._worker.change(name, waiting=Waiting(CONFIG_ERROR, str(missing)))
            self._warn("Failed", f"Error: {missing}", name)
        except (NodeAway, OSError) as away:
            # The node or the disk; told in the status, because events would pile up.
            waiting = Waiting("RunContainerError", str(away), self._parts.now() + _RETRY)
            self._worker.change(name, waiting=waiting)
        finally:
            self._starts.pop(name, None)
            self._worker.change(name, starting=False)

    async def _pull(self, name: str, container: Mapping[str, Any]) -> Image:
        """The image; a pull that takes long is told, as on a cluster."""
        began = self._parts.clock.monotonic()
        shown = container.get("image", "")
        pull = asyncio.ensure_future(pull_image(self._parts, container))
        try:
            done, _ = await asyncio.wait({pull}, timeout=_LONG_PULL)
            if not done:
                self._normal("Pulling", f'Pulling image "{shown}"', name)
            image = await pull
        finally:
            pull.cancel()
        if done:
            self._normal("Pulled", f'Container image "{shown}" already present on machine', name)
        else:
            took = self._parts.clock.monotonic() - began
            self._normal("Pulled", f'Successfully pulled image "{shown}" in {took:.3g}s', name)
        return image

    def _prepare(self, container: Mapping[str, Any], attempt: int, image: Image) -> Prepared:
        worker = self._worker
        return prepare(self._parts, worker.pod, container, attempt, image, worker.volumes, worker.pod_ip)

    async def _run(self, name: str, attempt: int, prepared: Prepared) -> None:
        identity = prepared.spec.id
        self._image_waits.pop(name, None)
        self._environments[identity] = prepared.spec.environment
        image = self._spec(name).get("image", "")
        self._worker.change(name, waiting=None, image=image, image_id=prepared.image_id)
        try:
            state = await self._parts.runtime.start_container(prepared.spec)
        except NodeAway:
            raise
        except CannotStart as error:
            self._warn("Failed", f"Error: {error}", name)
            state = self._unstarted(identity, str(error))
        else:
            self._normal("Created", f"Created container: {name}", name)
            self._normal("Started", f"Started container {name}", name)
        self._record_start(name, attempt, state)
        self._worker.begin(self._forget(name, up_to=attempt - KEPT_ATTEMPTS))

    def _unstarted(self, identity: str, message: str) -> ContainerState:
        now = self._parts.now()
        return ContainerState(identity, False, UNSTARTED_PID, now, now, CANNOT_START, None, message)

    def _record_start(self, name: str, attempt: int, state: ContainerState) -> None:
        facts = self._worker.facts[name]
        back_off = facts.back_off if facts.in_sandbox else None
        if facts.ended is not None and facts.in_sandbox:
            now, policy = self._parts.now(), self._parts.settings.back_off
            back_off = after_restart(facts.back_off, facts.ended.finished_at or now, now, policy)
        state = self._early_exits.pop(state.id, state)
        self._worker.change(
            name,
            attempt=attempt,
            state=state,
            previous=facts.state or facts.previous,
            in_sandbox=True,
            starting=False,
            stop_by=None,
            started=False,
            ready=False,
            back_off=back_off,
        )
        if state.running:
            self._watch_over(name, state, adopted=False)

    def _watch_over(self, name: str, state: ContainerState, *, adopted: bool) -> None:
        facts = self._worker.facts[name]
        target = Target(
            self._parts.runtime,
            self._spec(name),
            state.id,
            self._worker.key.uid,
            self._worker.pod_ip,
            lambda: self.environment(name),
        )
        running = RunningContainer(self._parts, self._worker.pod, target, self)
        self._running[name] = running
        age = max(self._parts.now() - state.started_at, 0.0)
        running.begin(started=facts.started, ready=facts.ready, adopted=adopted, age=age)

    def _no_image(self, name: str, container: Mapping[str, Any], message: str) -> None:
        before = self._image_waits.get(name)
        policy = self._parts.settings.back_off
        waiting, self._image_waits[name] = wait_for_image(message, before, self._parts.now(), policy)
        self._worker.change(name, waiting=waiting)
        if before is None:
            self._warn("Failed", message[:1].upper() + message[1:], name)
        else:
            self._normal("BackOff", f'Back-off pulling image "{container.get("image")}"', name)
        self._warn("Failed", f"Error: {waiting.reason}", name)

    # Ending.

    def stop(self, name: str, grace: float, message: str) -> None:
        if (start := self._starts.get(name)) is not None:
            # Still at the image: nothing runs yet, and a download may take minutes.
            start.cancel()
        running = self._running.get(name)
        facts = self._worker.facts[name]
        if running is None or not facts.runs:
            return
        if facts.stop_by is None:
            self._normal("Killing", message, name)
        by = self._parts.now() + grace
        self._worker.change(name, stop_by=by if facts.stop_by is None else min(by, facts.stop_by))
        running.stop(grace, turn=self._parts.turns.turn_of(self._worker.pod))

    def exited(self, state: ContainerState) -> None:
        identity = ContainerId.parse(state.id)
        if identity is None or identity.name not in self._worker.facts:
            return
        facts = self._worker.facts[identity.name]
        if identity.attempt > facts.attempt:
            self._early_exits[state.id] = state
            return
        if identity.attempt < facts.attempt or not facts.runs:
            return
        if (running := self._running.pop(identity.name, None)) is not None:
            running.ended()
        state = self._with_message(facts, state)
        self._worker.change(identity.name, state=state, stop_by=None, started=False, ready=False)
        if (waited := self._ended.pop(state.id, None)) is not None:
            waited.set()

    def _with_message(self, facts: ContainerFacts, state: ContainerState) -> ContainerState:
        policy = self._spec(facts.name).get("terminationMessagePolicy")
        if state.message or state.exit_code == 0 or policy != "FallbackToLogsOnError":
            return state
        path = self._parts.log_path(self._worker.key, facts.name, facts.attempt)
        return ContainerState(
            state.id,
            state.running,
            state.pid,
            state.started_at,
            state.finished_at,
            state.exit_code,
            state.signal,
            last_lines(path),
        )

    def tell_back_offs(self) -> None:
        """The event of a container that waits for its restart; once for each wait."""
        for facts in self._worker.facts.values():
            ended = facts.ended
            if facts.back_off is None or ended is None or ended.id in self._told:
                continue
            self._told.add(ended.id)
            message = f"Back-off restarting failed container {facts.name} in pod {self._worker.key}"
            self._warn("BackOff", message, facts.name)

    # Taking over and letting go.

    def take_over(self) -> None:
        for facts in self._worker.facts.values():
            if facts.runs and facts.state is not None:
                self._watch_over(facts.name, facts.state, adopted=True)

    def let_go(self) -> None:
        for running in self._running.values():
            running.let_go()
        self._running.clear()

    async def forget_all(self) -> None:
        """The pod is over: the node forgets its containers, and the logs go."""
        for facts in list(self._worker.facts.values()):
            await self._forget(facts.name, up_to=facts.attempt)
        shutil.rmtree(self._parts.log_folder(self._worker.key), ignore_errors=True)

    async def _forget(self, name: str, up_to: int) -> None:
        """Attempts from the newest forgotten one to `up_to`; older ones were forgotten when their time came."""
        key = self._worker.key
        for attempt in range(max(up_to - KEPT_ATTEMPTS, 0), up_to + 1):
            identity = container_id(key.uid, name, attempt)
            self._environments.pop(identity, None)
            await self._parts.runtime.forget_container(identity)
            path = self._parts.log_path(key, name, attempt)
            for file in files_of(path):
                file.unlink(missing_ok=True)

    # What `Streams` asks.

    async def environment(self, name: str) -> Mapping[str, str]:
        """That of the running attempt. After an adoption it is made again, from the sources as they are now."""
        identity = container_id(self._worker.key.uid, name, self._worker.facts[name].attempt)
        known = self._environments.get(identity)
        if known is None:
            known = self._environments[identity] = await self._environment_now(name)
        return known

    async def _environment_now(self, name: str) -> Mapping[str, str]:
        container = self._spec(name)
        try:
            image = await pull_image(self._parts, container)
            return variables_of(self._parts, self._worker.pod, container, image, self._worker.pod_ip)
        except (NoImage, MissingSource, UnknownField):
            return {"PATH": DEFAULT_PATH}

    async def ended(self, identity: str) -> None:
        """Return when this attempt has ended; at once when it is not the running one."""
        facts = next((f for f in self._worker.facts.values() if f.state and f.state.id == identity), None)
        if facts is None or not facts.runs:
            return
        await self._ended.setdefault(identity, asyncio.Event()).wait()

    def _spec(self, name: str) -> Mapping[str, Any]:
        return next(container for _, container in containers_of(self._worker.pod) if container["name"] == name)

    def _normal(self, reason: str, message: str, name: str) -> None:
        self._parts.events.normal(self._worker.pod, reason, message, name)

    def _warn(self, reason: str, message: str, name: str) -> None:
        self._parts.events.warning(self._worker.pod, reason, message, name)

    # What running containers report (`RunReports`).

    def container_started(self, name: str) -> None:
        self._worker.change(name, started=True)

    def container_ready(self, name: str, ready: bool) -> None:
        self._worker.change(name, ready=ready)

    def restart_container(self, name: str, message: str, grace: float | None) -> None:
        if grace is None:
            grace = grace_of(self._worker.pod)
        self.stop(name, grace, message)
