"""One running attempt of a container: its postStart hook, its probes, and its end.

Tells the worker through `RunReports`; decides nothing about restarts.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from klamm.base import logs
from klamm.localkube.kubelet.handlers import Target, perform
from klamm.localkube.kubelet.parts import Parts
from klamm.localkube.kubelet.probe_schedule import ProbeKind
from klamm.localkube.kubelet.probes import ContainerProbes
from klamm.localkube.kubelet.runtime import CannotStart, NodeAway
from klamm.localkube.kubelet.termination import Termination
from klamm.localkube.objects import Object

_LONGEST_HOOK = 24 * 3600.0
"""Kubernetes bounds a postStart hook by nothing; a wait without an end is a bug, so a day."""
_log = logs.room("localkube.kubelet.running")


class RunReports(Protocol):
    """The worker's ear. `name` is the container's."""

    def container_started(self, name: str) -> None: ...

    def container_ready(self, name: str, ready: bool) -> None: ...

    def restart_container(self, name: str, message: str, grace: float | None) -> None: ...


class RunningContainer:
    def __init__(self, parts: Parts, pod: Object, target: Target, reports: RunReports) -> None:
        self.target = target
        self._parts = parts
        self._pod = pod
        self._name: str = target.container["name"]
        self._reports = reports
        self._attention: asyncio.Task[None] | None = None
        self._termination: Termination | None = None
        self._ending: asyncio.Task[None] | None = None

    def begin(self, *, started: bool, ready: bool, adopted: bool, age: float) -> None:
        """`age`: seconds since its program was executed. The hook of an adopted one has run already."""
        self._attention = asyncio.ensure_future(self._attend(started, ready, adopted, age))

    def stop(self, grace: float, turn: Callable[[], Awaitable[None]] | None = None) -> None:
        """Idempotent; a shorter grace than before counts. `turn` is waited for first, as long as the grace lasts."""
        if self._termination is not None:
            return self._termination.hurry(grace)
        self._end_attention()
        self._termination = Termination(
            self._parts.runtime, self._parts.clock, self.target.container_id, grace, self._stop_signal()
        )
        first = partial(self._before_the_signal, turn) if turn or self._lifecycle("preStop") else None
        run = self._termination.run(first)
        self._ending = asyncio.ensure_future(self._safely(run))

    def ended(self) -> None:
        """The node reported its exit."""
        self._end_attention()
        if self._termination is not None:
            self._termination.ended()

    def let_go(self) -> None:
        """The kubelet goes; the container runs on."""
        self._end_attention()
        if self._ending is not None:
            self._ending.cancel()

    def _end_attention(self) -> None:
        if self._attention is not None:
            self._attention.cancel()

    async def _attend(self, started: bool, ready: bool, adopted: bool, age: float) -> None:
        hook = self._lifecycle("postStart")
        if hook is not None and not adopted:
            problem = await self._perform(hook, _LONGEST_HOOK)
            if problem is not None:
                return self._post_start_failed(problem)
        started_at = self._parts.clock.monotonic() - age
        probes = ContainerProbes(self.target, self._parts.clock, self._parts.settings.early_readiness, started_at)
        try:
            await probes.run(self, started=started, ready=ready)
        except Exception as error:
            _log.error("the probes of a container stopped", error, container=self.target.container_id)

    def _post_start_failed(self, problem: str) -> None:
        message = f"PostStartHook failed: {problem}"
        self._parts.events.warning(self._pod, "FailedPostStartHook", message, self._name)
        self._reports.restart_container(self._name, "FailedPostStartHook", None)

    async def _before_the_signal(self, turn: Callable[[], Awaitable[None]] | None, seconds: float) -> None:
        if turn is not None:
            await turn()
        hook = self._lifecycle("preStop")
        if hook is None:
            return
        problem = await self._perform(hook, seconds)
        if problem is not None:
            message = f"PreStopHook failed: {problem}"
            self._parts.events.warning(self._pod, "FailedPreStopHook", message, self._name)

    async def _perform(self, hook: Mapping[str, Any], seconds: float) -> str | None:
        try:
            return await perform(self.target, hook, seconds)
        except NodeAway as away:
            return str(away)

    async def _safely(self, run: Any) -> None:
        try:
            await run
        except (CannotStart, OSError) as error:
            # The node is away: when it is back, the worker adopts anew and stops again.
            _log.warning("a container could not be stopped", container=self.target.container_id, because=str(error))

    def _lifecycle(self, name: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = (self.target.container.get("lifecycle") or {}).get(name)
        return found

    def _stop_signal(self) -> int:
        wanted = (self.target.container.get("lifecycle") or {}).get("stopSignal") or "SIGTERM"
        return int(getattr(signal, wanted, signal.SIGTERM))

    # What the probes report (`ProbeReports`).

    def started(self) -> None:
        self._reports.container_started(self._name)

    def ready(self, ready: bool) -> None:
        self._reports.container_ready(self._name, ready)

    def unhealthy(self, kind: ProbeKind, message: str) -> None:
        self._parts.events.warning(self._pod, "Unhealthy", f"{kind} probe failed: {message}", self._name)

    def must_restart(self, kind: ProbeKind, grace: float | None) -> None:
        message = f"Container {self._name} failed {kind.lower()} probe, will be restarted"
        self._reports.restart_container(self._name, message, grace)
