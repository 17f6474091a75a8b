"""The client's own leader election: one leads, another waits, and follows when the first leads no more."""

import threading
from typing import Any

from kubernetes import client
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock
from tests.conformance.python_client.told import Told

_ENDS_WITHIN = 40.0


class _Enough(Exception):
    """What the leader does has come to its end; its election gives up."""


def by_a_lease(told: Told) -> None:
    _elect(told, LeaseLock)
    lease = client.CoordinationV1Api(told.api).read_namespaced_lease("lock", told.namespace)
    told.say("holder at the end", [lease.spec.holder_identity, lease.spec.lease_duration_seconds])


def by_a_config_map(told: Told) -> None:
    _elect(told, ConfigMapLock)


def _elect(told: Told, lock: Any) -> None:
    deeds: list[str] = []
    first_leads, second_waits = threading.Event(), threading.Event()

    def first() -> None:
        deeds.append("first leads")
        first_leads.set()
        second_waits.wait(_ENDS_WITHIN)
        raise _Enough

    def second() -> None:
        deeds.append("second leads")
        raise _Enough

    one, other = (_candidate(told, lock, name, lead, deeds) for name, lead in (("first", first), ("second", second)))
    other.election_config.lock = _Counted(other.election_config.lock, second_waits)
    threads = [threading.Thread(target=each.run, daemon=True) for each in (one, other)]
    threads[0].start()
    assert first_leads.wait(_ENDS_WITHIN), "the first leads"
    threads[1].start()
    for thread in threads:
        thread.join(_ENDS_WITHIN)
    told.say("deeds", deeds)


class _Counted:
    """A lock that tells when it was looked at twice: its candidate has waited for a while."""

    def __init__(self, lock: Any, twice: threading.Event) -> None:
        self._lock, self._twice, self._looks = lock, twice, 0

    def get(self, *where: str) -> Any:
        self._looks += 1
        if self._looks == 2:
            self._twice.set()
        return self._lock.get(*where)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)


def _candidate(told: Told, lock: Any, name: str, lead: Any, deeds: list[str]) -> Any:
    of = lock("lock", told.namespace, name)
    of.api_instance = type(of.api_instance)(told.api)  # it would ask the default server
    settings = electionconfig.Config(
        of,
        lease_duration=3,
        renew_deadline=2,
        retry_period=1,
        onstarted_leading=lead,
        onstopped_leading=lambda: deeds.append(f"{name} leads no more"),
    )
    return leaderelection.LeaderElection(settings)
