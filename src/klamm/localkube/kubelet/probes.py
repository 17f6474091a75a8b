"""Probes of one running container: startup first, then liveness and readiness side by side.

`ContainerProbes.run` ends by itself only when the container must be killed; the worker cancels it when the container
ends. An action that stands in both the liveness and the readiness probe runs once for both.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from klamm.base.clock import Clock
from klamm.localkube.kubelet.facts import ProbeTimes
from klamm.localkube.kubelet.handlers import Target, perform
from klamm.localkube.kubelet.probe_schedule import ProbeKind, ProbeState
from klamm.localkube.kubelet.runtime import NodeAway
from klamm.localkube.kubelet.settings import EarlyReadiness

_NODE_RETRY = 1.0
_SAME_MOMENT = 0.5
"""Seconds for which a result answers the other probe with the same action too."""
_FIELDS = {
    ProbeKind.STARTUP: "startupProbe",
    ProbeKind.LIVENESS: "livenessProbe",
    ProbeKind.READINESS: "readinessProbe",
}


class ProbeReports(Protocol):
    """What the worker hears. Called only when something changes, `unhealthy` at each failure that counts."""

    def started(self) -> None: ...

    def ready(self, ready: bool) -> None: ...

    def unhealthy(self, kind: ProbeKind, message: str) -> None: ...

    def must_restart(self, kind: ProbeKind, grace: float | None) -> None: ...


class ContainerProbes:
    def __init__(self, target: Target, clock: Clock, early: EarlyReadiness, started_at: float) -> None:
        """`started_at`: on the monotonic clock."""
        self._target = target
        self._clock = clock
        self._early = early
        self._started_at = started_at
        self._shared = _SharedActions(target, clock)

    def _spec(self, kind: ProbeKind) -> Mapping[str, Any] | None:
        return self._target.container.get(_FIELDS[kind])

    async def run(self, reports: ProbeReports, *, started: bool, ready: bool) -> None:
        """`started`, `ready`: what is known already, for a container that was adopted."""
        startup = self._spec(ProbeKind.STARTUP)
        if startup and not started and not await self._start_up(startup, reports):
            return
        if not started:
            reports.started()
        readiness = self._spec(ProbeKind.READINESS)
        if not readiness and not ready:
            reports.ready(True)
        liveness = self._spec(ProbeKind.LIVENESS)
        async with asyncio.TaskGroup() as group:
            if liveness:
                group.create_task(self._liveness(liveness, reports))
            if readiness:
                group.create_task(self._readiness(readiness, reports, ready))

    async def _start_up(self, spec: Mapping[str, Any], reports: ProbeReports) -> bool:
        return await self._watch(
            ProbeKind.STARTUP, spec, reports, passed=False, until=lambda state: state.passed or state.failed
        )

    async def _liveness(self, spec: Mapping[str, Any], reports: ProbeReports) -> None:
        await self._watch(ProbeKind.LIVENESS, spec, reports, passed=True, until=lambda state: state.failed)

    async def _readiness(self, spec: Mapping[str, Any], reports: ProbeReports, ready: bool) -> None:
        await self._watch(ProbeKind.READINESS, spec, reports, passed=ready, until=lambda _: False)

    async def _watch(
        self,
        kind: ProbeKind,
        spec: Mapping[str, Any],
        reports: ProbeReports,
        *,
        passed: bool,
        until: Callable[[ProbeState], bool],
    ) -> bool:
        """Try until `until` holds; whether the probe passed last."""
        state = ProbeState.begin(kind, ProbeTimes.of(spec), self._early, passed=passed)
        first = True
        while not until(state):
            attempt = state.next_try(self._age(), first)
            first = False
            await asyncio.sleep(max(attempt.at - self._age(), 0))
            try:
                problem = await self._shared.perform(spec, state.times.timeout)
            except NodeAway:
                # Nobody was asked: no container is restarted because the node was.
                await asyncio.sleep(_NODE_RETRY)
                continue
            before, state = state, state.after(problem is None, attempt.counts, self._age(), self._early)
            if problem is not None and attempt.counts:
                reports.unhealthy(kind, problem)
            if kind is ProbeKind.READINESS and before.passed != state.passed:
                reports.ready(state.passed)
        if state.failed:
            reports.must_restart(kind, spec.get("terminationGracePeriodSeconds"))
        return not state.failed

    def _age(self) -> float:
        return self._clock.monotonic() - self._started_at


class _SharedActions:
    """Two probes with the same action at the same moment are one run."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._runs: dict[str, tuple[float, asyncio.Future[str | None]]] = {}

    async def perform(self, spec: Mapping[str, Any], seconds: float) -> str | None:
        key = json.dumps([spec.get("exec"), spec.get("httpGet"), spec.get("tcpSocket"), seconds])
        now = self._clock.monotonic()
        known = self._runs.get(key)
        if known is not None and now - known[0] < _SAME_MOMENT and not known[1].cancelled():
            return await asyncio.shield(known[1])
        run = asyncio.ensure_future(perform(self._target, spec, seconds))
        self._runs[key] = now, run
        try:
            return await asyncio.shield(run)
        except asyncio.CancelledError:
            run.cancel()
            raise
