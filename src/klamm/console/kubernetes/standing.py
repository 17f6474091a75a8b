"""How resources, pods, rolls and certificates stand, and what of it is wrong. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from klamm.console.health.findings import NAMED, Finding, Severity
from klamm.console.kubernetes import seen
from klamm.console.kubernetes.joining import claimed_by
from klamm.console.kubernetes.rolls import AWAY, Roll, Step
from klamm.console.kubernetes.watching import Resources

SOON, LATER = 7, 21
"""Days before its end at which a certificate is told as critical, and as a warning: whoever renews certificates does so
30 days before, so those that come nearer are not renewed."""

RESTARTS, LATELY = 3, 3600.0
"""So many restarts, the last of them within so many seconds, are told."""

STUCK = 600.0
"""Seconds without a step after which a roll is no excuse any more for what is not ready."""

_AT_WORK = ("NotYetAsWanted", "Creating")
"""Reasons of "NotReady" by which an operator says that it is at work."""

PAGE = ("operator",)
_Many = TypeVar("_Many", seen.Topic, seen.User)


@dataclass(frozen=True, slots=True)
class Stand:
    """`word`: Ready, NotReady, Paused, Waiting. `why`: the operator's sentence. `at_work`: by it, nothing is wrong: the
    operator is about to bring it there."""

    word: str
    why: str = ""
    since: str | None = None
    warnings: tuple[str, ...] = ()
    at_work: bool = False


def stand(status: seen.Status | None, generation: int | None) -> Stand:
    """Of a resource that says Ready."""
    if status is None:
        return Stand("Waiting", "no operator has looked at it yet")
    told = {one.type: one for one in status.conditions if one.type != "Warning"}
    warnings = tuple(one.message or one.reason or "" for one in status.conditions if one.type == "Warning")
    if (paused := told.get("ReconciliationPaused")) is not None:
        return Stand("Paused", "its annotation asks for it", paused.last_transition_time, warnings)
    if (unmanaged := told.get("Unmanaged")) is not None:
        return Stand("Unmanaged", "its annotation asks for it", unmanaged.last_transition_time, warnings)
    if (status.observed_generation or 0) < (generation or 0):
        return Stand("Waiting", "no operator has looked at its last change yet", None, warnings)
    ready = told.get("Ready")
    if ready is not None and ready.status == "True":
        return Stand("Ready", "", ready.last_transition_time, warnings)
    one = told.get("NotReady") or ready
    if one is None:
        return Stand("Waiting", "its operator has not said yet how it stands", None, warnings)
    why, at_work = one.message or one.reason or "", one.reason in _AT_WORK
    return Stand("NotReady", why, one.last_transition_time, warnings, at_work)


@dataclass(frozen=True, slots=True)
class PodStand:
    """`word`: Ready, Pending, CrashLoopBackOff, …; `restarts`: of all its containers; `trouble`: it does not go away by
    waiting, as a rule."""

    name: str
    word: str
    why: str
    restarts: int
    last_end: str | None
    """When and how a container ended last."""
    ended_at: datetime | None
    node: str | None
    trouble: bool = False


def pod_stand(pod: seen.Pod) -> PodStand:
    status = pod.status or seen.PodStatus()
    containers = [*status.init_container_statuses, *status.container_statuses]
    word, why, trouble = _pod_word(pod, status, containers)
    ends = [(one.name, end) for one in containers if one.last_state and (end := one.last_state.terminated)]
    last = max(ends, key=lambda one: one[1].finished_at or "", default=None)
    return PodStand(
        name=pod.metadata.name or "",
        word=word,
        why=why,
        restarts=sum(one.restart_count for one in containers),
        last_end=_ended(*last) if last else None,
        ended_at=moment(last[1].finished_at) if last else None,
        node=pod.spec.node_name,
        trouble=trouble,
    )


def _pod_word(pod: seen.Pod, status: seen.PodStatus, containers: Sequence[seen.Container]) -> tuple[str, str, bool]:
    if pod.metadata.deletion_timestamp is not None:
        return "Terminating", "", False
    conditions = {one.type: one for one in status.conditions}
    if (ready := conditions.get("Ready")) is not None and ready.status == "True":
        return "Ready", "", False
    if (placed := conditions.get("PodScheduled")) is not None and placed.status == "False":
        return "Pending", placed.message or placed.reason or "no node was found for it", True
    for one in containers:
        waiting = one.state.waiting if one.state else None
        if waiting and waiting.reason and waiting.reason not in ("ContainerCreating", "PodInitializing"):
            return waiting.reason, f"container {one.name}: {waiting.message or ''}".rstrip(": "), True
    if status.phase == "Failed":
        return "Failed", status.message or status.reason or "", True
    if status.phase == "Running":
        slow = ", ".join(one.name for one in containers if not one.ready)
        return "NotReady", f"not ready yet: {slow}" if slow else "not ready yet", False
    return status.phase or "Pending", "", False


def _ended(container: str, end: seen.Ended) -> str:
    code = "" if end.exit_code is None else f" with exit code {end.exit_code}"
    return f"container {container} ended at {end.finished_at or 'an unknown time'}{code} ({end.reason or 'no reason'})"


def missing_pods(resources: Resources) -> tuple[str, ...]:
    """Those that a set wants and that are not there."""
    there = {one.metadata.name for one in resources.pods}
    wanted = (one.metadata.name or "" for pod_set in resources.pod_sets for one in pod_set.spec.pods)
    return tuple(name for name in wanted if name not in there)


def going_on(roll: Roll | None) -> Roll | None:
    return roll if roll is not None and roll.ended is None else None


def _moves(roll: Roll | None, now: datetime) -> bool:
    """Whether a roll goes on, and has taken a step lately."""
    roll = going_on(roll)
    return roll is not None and (now - max(one.since for one in roll.pods)).total_seconds() < STUCK


def days_left(ends: datetime, now: datetime) -> int:
    return int((ends - now).total_seconds() // 86400)


def moment(text: str | None) -> datetime | None:
    """A time of Kubernetes; None for what is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# What is wrong


def find(resources: Resources, now: datetime, sees: Callable[[str, str], bool]) -> tuple[Finding, ...]:
    """Not sorted. `sees` as in `findings.Facts`."""
    return tuple(
        [
            *_of_resource(resources, now),
            *_of_many("KafkaTopic", resources.topics, lambda one: sees("topic", claimed_by(one))),
            *_of_many("KafkaUser", resources.users, lambda _: sees("acl", "")),
            *_of_pods(resources, now),
            *_of_certificates(resources, now),
            *_of_rolls(resources, now),
            *_of_views(resources),
        ]
    )


def _of_resource(resources: Resources, now: datetime) -> Iterable[Finding]:
    kafka = resources.kafka
    how = stand(kafka.status, kafka.metadata.generation)
    what = f"Kafka {resources.name}"
    if how.word == "NotReady" and not (how.at_work and _moves(resources.roll, now)):
        yield Finding(
            Severity.CRITICAL, "ResourceNotReady", f"{what} is not ready.", how.why, "Do as its message says.", PAGE
        )
    elif how.word in ("Paused", "Waiting"):
        mend = (
            "Take the annotation strimzi.io/pause-reconciliation off when the work is done."
            if how.word == "Paused"
            else "If that lasts, see whether the cluster operator runs and watches this namespace."
        )
        yield Finding(
            Severity.NOTICE, f"Resource{how.word}", f"{what} is not being looked after.", f"{how.why}.", mend, PAGE
        )
    for warning in how.warnings:
        yield Finding(
            Severity.NOTICE,
            "ResourceWarning",
            f"{what} has a warning.",
            warning,
            "Change the resource as it says.",
            PAGE,
        )


def _of_many(kind: str, all_: Sequence[_Many], sees: Callable[[_Many], bool]) -> Iterable[Finding]:
    stands = [(one, stand(one.status, one.metadata.generation)) for one in all_]
    bad = [(one, how) for one, how in stands if how.word == "NotReady"]
    told = [(one.metadata.name or "", how) for one, how in bad if sees(one)]
    if bad:
        names = ", ".join(name for name, _ in told[:NAMED]) or "those that you may not see"
        rest = f" and {len(bad) - NAMED} more" if len(told) > NAMED else ""
        yield Finding(
            Severity.WARNING,
            f"{kind}NotReady",
            f"{len(bad)} {kind}{'' if len(bad) == 1 else 's'} {'is' if len(bad) == 1 else 'are'} not ready: "
            f"{names}{rest}.",
            told[0][1].why if told else "",
            "Do as their messages say.",
            PAGE,
        )


def _of_pods(resources: Resources, now: datetime) -> Iterable[Finding]:
    rolled = {one.pod for one in resources.roll.pods} if resources.roll and _moves(resources.roll, now) else set()
    for pod in resources.pods:
        how = pod_stand(pod)
        if how.trouble:
            yield Finding(
                Severity.CRITICAL,
                "PodInTrouble",
                f"Pod {how.name} does not come up: {how.word}.",
                ". ".join(part for part in (how.why, how.last_end) if part),
                f"See its log and `kubectl describe pod -n {pod.metadata.namespace} {how.name}`.",
                PAGE,
            )
        elif how.word not in ("Ready", "Terminating", "Succeeded") and how.name not in rolled:
            yield Finding(
                Severity.WARNING,
                "PodNotReady",
                f"Pod {how.name} is not ready.",
                ". ".join(part for part in (how.why or how.word, how.last_end) if part),
                "Wait, if it has just started; else see its log.",
                PAGE,
            )
        lately = how.ended_at is not None and (now - how.ended_at).total_seconds() < LATELY
        if how.restarts >= RESTARTS and lately and not how.trouble:
            yield Finding(
                Severity.WARNING,
                "PodRestarts",
                f"Pod {how.name} was started again {how.restarts} times.",
                how.last_end or "",
                "OOMKilled: give it more memory; else its log before the end says why (`kubectl logs --previous`).",
                PAGE,
            )


def _of_certificates(resources: Resources, now: datetime) -> Iterable[Finding]:
    for one in resources.certificates.ends:
        days = days_left(one.ends, now)
        if days >= LATER:
            continue
        when = f"ends in {days} days" if days > 1 else "ends tomorrow" if days == 1 else "ends today"
        yield Finding(
            Severity.CRITICAL if days < SOON else Severity.WARNING,
            "CertificateEnds",
            f"The certificate of {one.common_name or one.key} {when if days >= 0 else 'has ended'}.",
            f"It stands in Secret {one.secret} under {one.key} and is good until {one.ends:%Y-%m-%d %H:%M} UTC.",
            "The operator renews its own 30 days before: see whether it runs, is paused, or waits for a maintenance "
            "window. Certificates of your own you renew yourself.",
            PAGE,
        )


def _of_rolls(resources: Resources, now: datetime) -> Iterable[Finding]:
    roll = going_on(resources.roll)
    if roll is None:
        return
    left = [one for one in roll.pods if one.step is not Step.DONE]
    first = sorted(left, key=lambda one: one.step not in AWAY)
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    pods = ", ".join(f"{one.pod} {_STEPS[one.step]}" for one in first[:NAMED]) + more
    still = "" if _moves(roll, now) else f" Nothing moved for {STUCK / 60:.0f} minutes."
    yield Finding(
        Severity.WARNING if still else Severity.NOTICE,
        "Rolling",
        f"{'A roll is under way' if roll.why else 'Pods are being made'}: {roll.done} of {len(roll.pods)} done; {pods}."
        + still,
        "; ".join(roll.why) + "." if roll.why else "",
        "See what the pod that is not ready lacks, and what the operator waits for."
        if still
        else "Wait: the operator restarts one after the other while partitions keep enough replicas in sync.",
        PAGE,
    )


_STEPS = {
    Step.DUE: "is to go",
    Step.ENDING: "is ending",
    Step.MISSING: "is being made anew",
    Step.STARTING: "is starting",
}


def _of_views(resources: Resources) -> Iterable[Finding]:
    if resources.stale:
        yield Finding(
            Severity.NOTICE,
            "ResourcesNotFresh",
            "What Kubernetes says may be old or incomplete.",
            "; ".join(resources.stale[:NAMED]) + ".",
            "See whether the API server answers and the console's role lets it list and watch these kinds.",
            PAGE,
        )
