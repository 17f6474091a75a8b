"""Waits between restarts of one container (Kubernetes: 10 s doubling to 5 min, forgotten after 10 min)."""

from klamm.localkube.kubelet.facts import BackOff
from klamm.localkube.kubelet.settings import BackOffPolicy


def restart_at(back_off: BackOff | None, finished_at: float, policy: BackOffPolicy) -> float:
    """When a container that ended at `finished_at` may start again; seconds since the epoch."""
    if back_off is None or finished_at - back_off.since > policy.reset_after:
        return finished_at
    return finished_at + back_off.delay


def after_restart(back_off: BackOff | None, finished_at: float, now: float, policy: BackOffPolicy) -> BackOff:
    """What the restart that happens now costs the next one."""
    if back_off is None or finished_at - back_off.since > policy.reset_after:
        return BackOff(policy.initial, now)
    return BackOff(min(back_off.delay * 2, policy.maximum), now)
