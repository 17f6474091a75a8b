"""A roll as it goes on: which pods it is about, how far each of them is, and how it ended. Pure.

Kubernetes tells only how things stand, and a pod that was made anew looks like one that never had to be. So what was
seen is kept and carried on from look to look:

- A roll begins with the first pod that is to be made anew, or that is on its way, and ends when all of its pods are
  ready and as their sets want them. A pod that is not ready while one goes on belongs to it: it is waited for.
- A pod that has its place no more, or whose reason went without a restart, leaves it.
- The one that has ended is kept until the next begins: "was it restarted, and when?" is asked afterwards, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from klamm.console.kubernetes import seen
from klamm.planning.rolling.next_roll import PodState, RollingPod, in_order, restart_reasons
from klamm.planning.rolling.reasons import OldRevision, RestartReason

_ZOOKEEPER = "-zookeeper"
"""How the names of ZooKeeper's sets end: they are rolled before the brokers'."""


class Step(StrEnum):
    """DUE: it runs, and is to be made anew. MISSING: its successor is not there yet."""

    DUE = "due"
    ENDING = "ending"
    MISSING = "missing"
    STARTING = "starting"
    DONE = "done"


AWAY = frozenset({Step.ENDING, Step.MISSING, Step.STARTING})


@dataclass(frozen=True, slots=True)
class RolledPod:
    """`why`: the reasons; none where it was not seen before it went. `since`: of its step. `left`, `back`: when it
    went, and when its successor was ready. `uid`: of the pod that was seen last."""

    pod_set: str
    pod: str
    step: Step
    why: tuple[str, ...]
    since: datetime
    left: datetime | None = None
    back: datetime | None = None
    uid: str | None = None
    ready: bool = False


@dataclass(frozen=True, slots=True)
class Roll:
    """`whole`: seen from its beginning; else pods that were done before are not among `pods`."""

    began: datetime
    pods: tuple[RolledPod, ...]
    whole: bool
    ended: datetime | None = None

    @property
    def done(self) -> int:
        return sum(one.step is Step.DONE for one in self.pods)

    @property
    def why(self) -> tuple[str, ...]:
        """All reasons, each once; none: pods are made that were not there, which is no roll in the strict sense."""
        return tuple(dict.fromkeys(reason for one in self.pods for reason in one.why))


@dataclass(frozen=True, slots=True)
class _Look:
    """A pod as it is seen now; `step` None: ready, and as it is wanted."""

    pod_set: str
    pod: str
    step: Step | None
    why: tuple[str, ...]
    uid: str | None
    ready: bool


def followed(
    before: Roll | None, pod_sets: Iterable[seen.PodSet], pods: Sequence[seen.Pod], now: datetime, *, whole: bool
) -> Roll | None:
    """What goes on now, or went on last. `whole`: there was a look before, so what begins now is seen wholly."""
    looks = tuple(_looks(pod_sets, pods))
    known: dict[str, RolledPod] = {}
    if before is not None and before.ended is None:
        known = {one.pod: one for one in before.pods}
    elif not any(one.step in (Step.DUE, Step.ENDING, Step.MISSING) for one in looks):
        return before
    carried = tuple(one for look in looks if (one := _carried(known.get(look.pod), look, now)) is not None)
    if not carried:
        return None
    began, is_whole = (before.began, before.whole) if known and before is not None else (now, whole)
    ended = now if all(one.step is Step.DONE for one in carried) else None
    return Roll(began, carried, is_whole, ended)


def _looks(pod_sets: Iterable[seen.PodSet], pods: Sequence[seen.Pod]) -> Iterable[_Look]:
    there = {one.metadata.name: one for one in pods}
    for pod_set in sorted(pod_sets, key=lambda one: not (one.metadata.name or "").endswith(_ZOOKEEPER)):
        for wanted in pod_set.spec.pods:
            name = wanted.metadata.name or ""
            yield _look(pod_set.metadata.name or "", name, there.get(name), wanted.metadata.annotations)


def _look(pod_set: str, name: str, pod: seen.Pod | None, wanted: Mapping[str, str]) -> _Look:
    if pod is None:
        return _Look(pod_set, name, Step.MISSING, (), None, False)
    why = _words(restart_reasons(pod.metadata.annotations, wanted))
    ready = pod.status is not None and any(
        one.type == "Ready" and one.status == "True" for one in pod.status.conditions
    )
    step = Step.DUE if why else None if ready else Step.STARTING
    if pod.metadata.deletion_timestamp is not None:
        step = Step.ENDING
    return _Look(pod_set, name, step, why, pod.metadata.uid, ready)


def _words(reasons: Sequence[RestartReason]) -> tuple[str, ...]:
    """A description holds configuration and certificates, too: that it changed tells something only where nothing else
    is told, and its revisions tell nobody anything."""
    telling = tuple(str(one) for one in reasons if not isinstance(one, OldRevision))
    return telling or ("its description changed",) * bool(reasons)


def _carried(known: RolledPod | None, look: _Look, now: datetime) -> RolledPod | None:
    """None: the roll is not, or no more, about it."""
    if known is None:
        if look.step is None:
            return None
        left = now if look.step in (Step.ENDING, Step.MISSING) else None
        return RolledPod(look.pod_set, look.pod, look.step, look.why, now, left, None, look.uid, look.ready)
    if look.step is None and known.step is Step.DUE and look.uid == known.uid:
        return None
    step = look.step or Step.DONE
    one = replace(
        known,
        step=step,
        why=look.why or known.why,
        since=known.since if step is known.step else now,
        uid=look.uid or known.uid,
        ready=look.ready,
    )
    if step in AWAY and known.step not in AWAY:
        return replace(one, left=now, back=None)
    return replace(one, back=now) if step is Step.DONE and known.step is not Step.DONE else one


def upcoming(roll: Roll, controller: int | None) -> tuple[str, ...]:
    """The pods that are to go, in the order in which the operator takes them as long as each can be spared: those that
    are not ready first, the active controller last."""
    found: list[str] = []
    for pod_set in dict.fromkeys(one.pod_set for one in roll.pods):
        due = [one for one in roll.pods if one.pod_set == pod_set and one.step is Step.DUE]
        for ready in (False, True):
            some = [_as_planned(one) for one in due if one.ready is ready]
            leader = None if pod_set.endswith(_ZOOKEEPER) else controller
            found += [one.name for one in in_order(some, leader)]
    return tuple(found)


def _as_planned(one: RolledPod) -> RollingPod:
    number = one.pod.rpartition("-")[2]
    state = PodState.READY if one.ready else PodState.UNREADY
    return RollingPod(int(number) if number.isdecimal() else 0, one.pod, state, {})
