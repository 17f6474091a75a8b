"""Writing a pod's status: only when it differs, and not more often than `status_gap` allows.

Each write wakes controllers and operators, so what changes within the gap is written as one.
"""

from klamm.base import logs
from klamm.localkube.kubelet.facts import Observed, PodKey
from klamm.localkube.kubelet.parts import Parts
from klamm.localkube.kubelet.statuses import changes, pod_status
from klamm.localkube.objects import PODS, Object, Refused

_RETRY = 1.0
_log = logs.room("localkube.kubelet.publishing")


class StatusPublisher:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._written_at = float("-inf")

    def publish(self, pod: Object, observed: Observed, *, at_once: bool = False) -> tuple[Object | None, float]:
        """The pod as written, if it was, and when to come again (seconds since the epoch; inf: no need)."""
        host_ip = self._parts.node_of(pod).address
        wanted = pod_status(pod, observed, host_ip, self._parts.settings.back_off)
        patch = changes(pod.get("status") or {}, wanted)
        if not patch:
            return None, float("inf")
        due = self._written_at + self._parts.settings.status_gap
        if observed.now < due and not at_once:
            return None, due
        return self._write(PodKey.of(pod), patch, observed.now)

    def _write(self, key: PodKey, patch: Object, now: float) -> tuple[Object | None, float]:
        self._written_at = now
        merge = {"metadata": {"uid": key.uid}, "status": patch}
        try:
            written = self._parts.objects.patch(PODS, key.namespace, key.name, merge, subresource="status")
        except Refused as refused:
            if refused.code in (404, 409):
                # Gone, or another pod bears its name: the watch will tell.
                return None, float("inf")
            _log.warning("the status of a pod was refused", pod=str(key), because=refused.message)
            return None, now + _RETRY
        return written, float("inf")
