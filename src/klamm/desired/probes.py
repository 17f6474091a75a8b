"""Liveness and readiness probes with the timing that a user gives, or ours."""

from klamm.resources.custom import process
from klamm.resources.native.container import ExecAction, HttpGetAction, Probe


def exec_probe(script: str, timing: process.Probe | None, *arguments: str, delay: int = 15, timeout: int = 5) -> Probe:
    """A probe that runs a script of the image."""
    return _timed(Probe(exec=ExecAction(command=[script, *arguments])), timing, delay, timeout)


def http_probe(
    path: str,
    port: str,
    timing: process.Probe | None,
    *,
    delay: int | None = 10,
    timeout: int | None = 5,
    period: int | None = None,
) -> Probe:
    """A probe that asks over HTTP. `period`: None leaves it to Kubernetes (10 s)."""
    probe = _timed(Probe(http_get=HttpGetAction(path=path, port=port)), timing, delay, timeout)
    probe.period_seconds = probe.period_seconds or period
    return probe


def startup_probe(path: str, port: str, timing: process.Probe | None) -> Probe:
    """Gives a process two minutes to start before liveness counts."""
    probe = http_probe(path, port, timing, delay=None, timeout=None)
    probe.period_seconds = (timing and timing.period_seconds) or 10
    probe.failure_threshold = (timing and timing.failure_threshold) or 12
    return probe


def _timed(probe: Probe, timing: process.Probe | None, delay: int | None, timeout: int | None) -> Probe:
    timing = timing or process.Probe()
    given = timing.initial_delay_seconds
    probe.initial_delay_seconds = delay if given is None else given
    probe.timeout_seconds = timing.timeout_seconds or timeout
    probe.period_seconds = timing.period_seconds
    probe.success_threshold = timing.success_threshold
    probe.failure_threshold = timing.failure_threshold
    return probe
