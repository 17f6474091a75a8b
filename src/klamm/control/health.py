"""Three pages for kubelets and Prometheus: /healthy, /ready, /metrics.

A check returns why it is not well, or None. Checks say what they know and wait for nothing: a probe that hangs is a
probe that fails, and the kubelet kills for it.
"""

from collections.abc import Callable, Mapping

from klamm.base import logs
from klamm.base.pages import METRICS, TEXT, Page, Pages, Request

_log = logs.room("control.health")

Checks = Mapping[str, Callable[[], str | None]]


class Health(Pages):
    """`healthy` failing gets the process killed, `ready` failing only takes it out of its Service."""

    def __init__(self, healthy: Checks, ready: Checks, metrics: Callable[[], str] = lambda: "") -> None:
        super().__init__(self._page)
        self._healthy = healthy
        self._ready = ready
        self._metrics = metrics

    def _page(self, request: Request) -> Page:
        match request.path:
            case "/healthy":
                return checked(self._healthy)
            case "/ready":
                return checked(self._ready)
            case "/metrics":
                return Page(200, METRICS, self._metrics().encode())
        return Page(404, TEXT, b"there are /healthy, /ready and /metrics\n")


def checked(checks: Checks) -> Page:
    """What is wrong, a line each, as 503; or "ok"."""
    wrong = [f"{name}: {why}" for name, check in checks.items() if (why := _asked(name, check)) is not None]
    return Page(503, TEXT, ("\n".join(wrong) + "\n").encode()) if wrong else Page(200, TEXT, b"ok\n")


def _asked(name: str, check: Callable[[], str | None]) -> str | None:
    try:
        return check()
    except Exception as error:
        _log.error("a health check failed", error, check=name)
        return f"the check itself failed: {error}"
