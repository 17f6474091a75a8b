"""What to do next for one pod: a pure function from the pod and the facts to actions with their reasons.

The worker calls `next_actions` after every event and does what it says; whatever takes time is marked in the facts
(`starting`, `stop_by`, `sandbox_busy`) until it is over, so that nothing is begun twice. Rules kept here:

- A pod that is deleted, failed or finished ends its main containers at once and its sidecars after them, newest
  first; then the sandbox goes; then, when it was deleted, the pod's folders and the object.
- Volumes and sandbox are prepared side by side; containers start when both are there.
- Init containers run one after the other, and once a main container has started they are never run again,
  unless the sandbox was lost: then everything starts anew, as after a node's restart.
- A restart obeys the restart policy and waits its back-off; the first one is immediate.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from klamm.localkube.kubelet.backoff import restart_at
from klamm.localkube.kubelet.facts import ContainerFacts, Failure, Observed, Role, VolumesAre, containers_of
from klamm.localkube.kubelet.settings import BackOffPolicy
from klamm.localkube.objects import Object
from klamm.localkube.times import rfc3339, seconds_of

SHORTEST_SIDECAR_GRACE = 2.0
DEFINITION_CHANGED = "definition changed, will be restarted"


@dataclass(frozen=True, slots=True)
class PrepareVolumes:
    because: str


@dataclass(frozen=True, slots=True)
class MakeSandbox:
    because: str


@dataclass(frozen=True, slots=True)
class Start:
    name: str
    attempt: int
    because: str


@dataclass(frozen=True, slots=True)
class Stop:
    name: str
    grace: float
    because: str


def killing_message(stop: Stop) -> str:
    """What the event Killing says, in Kubernetes' words."""
    if stop.because == DEFINITION_CHANGED:
        return f"Container {stop.name} {DEFINITION_CHANGED}"
    return f"Stopping container {stop.name}"


@dataclass(frozen=True, slots=True)
class RemoveSandbox:
    because: str


@dataclass(frozen=True, slots=True)
class Fail:
    """Mark the whole pod as failed; its containers are ended in the next round."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing runs any more: clear the folders and let the object go."""

    because: str


@dataclass(frozen=True, slots=True)
class WaitUntil:
    moment: float
    because: str


Action = PrepareVolumes | MakeSandbox | Start | Stop | RemoveSandbox | Fail | Finish | WaitUntil


def next_actions(pod: Object, observed: Observed, policy: BackOffPolicy, forced_grace: float = 1.0) -> list[Action]:
    if observed.gone:
        return _end(pod, observed, forced_grace, "the pod object is gone", finish=True)
    if pod["metadata"].get("deletionTimestamp"):
        return _end(pod, observed, grace_of(pod), "the pod is being deleted", finish=True)
    if observed.failure is not None:
        return _end(pod, observed, grace_of(pod), observed.failure.message, finish=False)
    if is_finished(pod, observed):
        return _end(pod, observed, grace_of(pod), "all its containers have finished", finish=False)
    return _run(pod, observed, policy)


def restart_policy(pod: Object, facts: ContainerFacts) -> str:
    if facts.role is Role.SIDECAR:
        return "Always"
    policy: str = pod["spec"].get("restartPolicy") or "Always"
    if facts.role is Role.INIT and policy == "Always":
        return "OnFailure"
    return policy


def has_ended_for_good(pod: Object, facts: ContainerFacts) -> bool:
    """It ended, and its restart policy does not bring it back."""
    ended = facts.ended
    if ended is None or facts.starting:
        return False
    match restart_policy(pod, facts):
        case "Never":
            return True
        case "OnFailure":
            return ended.exit_code == 0 and not ended.signal
    return False


def has_failed_init(pod: Object, observed: Observed) -> bool:
    return any(
        has_ended_for_good(pod, facts) and not has_succeeded(facts)
        for facts in observed.of(Role.INIT)
        if facts.in_sandbox
    )


def has_succeeded(facts: ContainerFacts) -> bool:
    return facts.ended is not None and facts.ended.exit_code == 0 and not facts.ended.signal


def is_finished(pod: Object, observed: Observed) -> bool:
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return True
    main = observed.of(Role.MAIN)
    return has_failed_init(pod, observed) or all(has_ended_for_good(pod, facts) for facts in main)


def is_initialized(pod: Object, observed: Observed) -> bool:
    """All init containers are done and all sidecars started, or a main container proves that they were."""
    if observed.sandbox is None:
        return False
    main = observed.of(Role.MAIN)
    if any(facts.in_sandbox and (facts.attempt >= 0 or facts.starting) for facts in main):
        return True
    return all(_lets_next_one_start(facts) for facts in observed.of(Role.INIT, Role.SIDECAR))


def _lets_next_one_start(facts: ContainerFacts) -> bool:
    if facts.role is Role.SIDECAR:
        return facts.runs and facts.started
    return has_succeeded(facts) and facts.in_sandbox and not facts.starting


def grace_of(pod: Object) -> float:
    """Seconds: what the deletion asked for, else the pod's own; Kubernetes' default is 30."""
    asked = pod["metadata"].get("deletionGracePeriodSeconds")
    if asked is None:
        asked = pod["spec"].get("terminationGracePeriodSeconds")
    return 30.0 if asked is None else float(asked)


def _end(pod: Object, observed: Observed, grace: float, because: str, *, finish: bool) -> list[Action]:
    alive = [facts for facts in observed.containers.values() if facts.runs or facts.starting]
    if alive:
        return _stops(pod, alive, grace, observed.now, because)
    if observed.sandbox_busy:
        return []
    if observed.sandbox is not None:
        if observed.sandbox_retry_at > observed.now:
            return [WaitUntil(observed.sandbox_retry_at, "the sandbox could not be removed")]
        return [RemoveSandbox(because)]
    return [Finish(because)] if finish else []


def _stops(pod: Object, alive: list[ContainerFacts], grace: float, now: float, because: str) -> list[Action]:
    first = [facts for facts in alive if facts.role is not Role.SIDECAR]
    if first:
        return _stop_each(first, grace, now, because)
    deletion = pod["metadata"].get("deletionTimestamp")
    if deletion:
        # The main containers have used up a part of the pod's grace.
        grace = min(grace, max(seconds_of(deletion) - now, SHORTEST_SIDECAR_GRACE))
    return _stop_each(alive[-1:], grace, now, because)


def _stop_each(alive: Iterable[ContainerFacts], grace: float, now: float, because: str) -> list[Action]:
    """One that is being stopped already is stopped again only to shorten its grace; a start may be given up."""
    return [
        Stop(facts.name, grace, because)
        for facts in alive
        if facts.starting or (facts.runs and (facts.stop_by is None or facts.stop_by > now + grace + 0.5))
    ]


def _run(pod: Object, observed: Observed, policy: BackOffPolicy) -> list[Action]:
    if observed.predecessor:
        # Two processes on one data folder would be worse than a late start.
        because = f"an older pod of this name ({observed.predecessor}) is still being ended"
        return [WaitUntil(float("inf"), because)]
    actions, late = _deadline(pod, observed)
    if late:
        return actions
    actions += _changed_images(pod, observed)
    actions += _prepare(observed)
    if observed.volumes is VolumesAre.READY and observed.sandbox is not None and not observed.sandbox_busy:
        actions += _containers(pod, observed, policy)
    return actions


def _changed_images(pod: Object, observed: Observed) -> list[Action]:
    """A container whose image was changed in the running pod is ended; its restart takes the new one."""
    changed = [
        observed.containers[container["name"]]
        for _, container in containers_of(pod)
        if observed.containers[container["name"]].image not in ("", container.get("image", ""))
    ]
    running = [facts for facts in changed if facts.runs]
    return _stop_each(running, grace_of(pod), observed.now, DEFINITION_CHANGED)


def _deadline(pod: Object, observed: Observed) -> tuple[list[Action], bool]:
    """activeDeadlineSeconds: a wait for it, or the pod's failure (True) once it has passed."""
    seconds = pod["spec"].get("activeDeadlineSeconds")
    began = (pod.get("status") or {}).get("startTime")
    if seconds is None or not began:
        return [], False
    moment = seconds_of(began) + float(seconds)
    if observed.now < moment:
        return [WaitUntil(moment, "the pod's activeDeadlineSeconds")], False
    message = f"The pod was active longer than its deadline ({seconds} s, since {rfc3339(moment - seconds)})"
    return [Fail(Failure("DeadlineExceeded", message))], True


def _prepare(observed: Observed) -> list[Action]:
    actions: list[Action] = []
    if observed.volumes is VolumesAre.UNPREPARED:
        actions.append(PrepareVolumes("the containers need the pod's volumes"))
    if observed.sandbox is None and not observed.sandbox_busy:
        if observed.sandbox_retry_at > observed.now:
            actions.append(WaitUntil(observed.sandbox_retry_at, "the sandbox could not be made"))
        else:
            actions.append(MakeSandbox("the pod has no network of its own yet"))
    return actions


def _containers(pod: Object, observed: Observed, policy: BackOffPolicy) -> list[Action]:
    if is_initialized(pod, observed):
        return _bring_up(pod, observed.of(Role.SIDECAR, Role.MAIN), observed.now, policy)
    for facts in observed.of(Role.INIT, Role.SIDECAR):
        if not _lets_next_one_start(facts):
            return _bring_up(pod, [facts], observed.now, policy)
    return []


def _bring_up(pod: Object, wanted: Iterable[ContainerFacts], now: float, policy: BackOffPolicy) -> list[Action]:
    actions = (_bring_one_up(pod, facts, now, policy) for facts in wanted)
    return [action for action in actions if action is not None]


def _bring_one_up(pod: Object, facts: ContainerFacts, now: float, policy: BackOffPolicy) -> Action | None:
    if facts.runs or facts.starting:
        return None
    if facts.waiting is not None and facts.waiting.retry_at > now:
        return WaitUntil(facts.waiting.retry_at, facts.waiting.reason)
    ended = facts.ended
    if ended is None:
        return Start(facts.name, facts.attempt + 1, "it has not run yet")
    if not facts.in_sandbox:
        if facts.role is not Role.INIT and has_ended_for_good(pod, facts):
            return None
        return Start(facts.name, facts.attempt + 1, "its sandbox was lost")
    if has_ended_for_good(pod, facts):
        return None
    moment = restart_at(facts.back_off, ended.finished_at or now, policy)
    if moment > now:
        return WaitUntil(moment, "CrashLoopBackOff")
    return Start(facts.name, facts.attempt + 1, f"it ended with exit code {ended.exit_code}")
