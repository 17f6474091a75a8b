"""The plan as a table: each row is a situation and what follows from it."""

from dataclasses import replace
from typing import Any

import pytest
from tests.builders.kubelets import container, pod

from klamm.localkube.kubelet.adoption import adopt
from klamm.localkube.kubelet.backoff import after_restart, restart_at
from klamm.localkube.kubelet.facts import BackOff, ContainerFacts, Failure, Observed, Role, VolumesAre, Waiting
from klamm.localkube.kubelet.plan import next_actions
from klamm.localkube.kubelet.runtime import ContainerState, SandboxState
from klamm.localkube.kubelet.settings import BackOffPolicy
from klamm.localkube.objects import Object

NOW = 1_000_000_000.0
POLICY = BackOffPolicy()
SANDBOX = SandboxState("uid-web-0", "kafka", "web-0", "10.244.0.2")


def runs(name: str = "web", attempt: int = 0) -> ContainerState:
    return ContainerState(f"uid-web-0/{name}/{attempt}", True, 1, NOW - 100)


def ended(code: int, name: str = "web", ago: float = 1.0) -> ContainerState:
    return ContainerState(f"uid-web-0/{name}/0", False, 1, NOW - 100, NOW - ago, code)


def facts(
    state: ContainerState | None = None, name: str = "web", role: Role = Role.MAIN, **fields: Any
) -> ContainerFacts:
    made = ContainerFacts(name, role, attempt=0 if state else -1, state=state, started=bool(state and state.running))
    return replace(made, **fields)


def prepared(*containers: ContainerFacts, **fields: Any) -> Observed:
    named = {entry.name: entry for entry in containers}
    return replace(Observed(NOW, named, SANDBOX, volumes=VolumesAre.READY), **fields)


def said(obj: Object, observed: Observed) -> list[str]:
    return [_said(action) for action in next_actions(obj, observed, POLICY)]


def _said(action: Any) -> str:
    words = [type(action).__name__, getattr(action, "name", ""), str(getattr(action, "attempt", ""))]
    if hasattr(action, "grace"):
        words.append(f"{action.grace:g} s")
    if hasattr(action, "moment"):
        words.append(f"{action.moment - NOW:g} s: {action.because}")
    return " ".join(word for word in words if word)


def deleted(grace: int = 30) -> Object:
    obj = pod()
    obj["metadata"] |= {"deletionTimestamp": "2001-09-09T01:46:40Z", "deletionGracePeriodSeconds": grace}
    return obj


INIT: Any = {"initContainers": [container("first")]}
SIDECAR: Any = {"initContainers": [container("proxy", restartPolicy="Always")]}


@pytest.mark.parametrize(
    ("situation", "obj", "observed", "expected"),
    [
        (
            "a new pod: volumes and sandbox side by side",
            pod(),
            Observed(NOW, {"web": facts()}),
            ["PrepareVolumes", "MakeSandbox"],
        ),
        (
            "volumes are missing: the sandbox is made, nothing starts",
            pod(),
            prepared(facts(), volumes=VolumesAre.BLOCKED),
            [],
        ),
        ("both are there", pod(), prepared(facts()), ["Start web 0"]),
        ("it is being started", pod(), prepared(facts(starting=True)), []),
        (
            "an older pod of the name still ends",
            pod(),
            Observed(NOW, {"web": facts()}, predecessor="old"),
            ["WaitUntil inf s: an older pod of this name (old) is still being ended"],
        ),
        (
            "the init container comes first",
            pod(**INIT),
            prepared(facts(name="first", role=Role.INIT), facts()),
            ["Start first 0"],
        ),
        (
            "the init container has succeeded",
            pod(**INIT),
            prepared(facts(ended(0, "first"), "first", Role.INIT), facts()),
            ["Start web 0"],
        ),
        (
            "the init container has failed and is tried again",
            pod(**INIT),
            prepared(facts(ended(1, "first"), "first", Role.INIT), facts()),
            ["Start first 1"],
        ),
        (
            "the sidecar runs and has not started up yet",
            pod(**SIDECAR),
            prepared(facts(runs("proxy"), "proxy", Role.SIDECAR, started=False), facts()),
            [],
        ),
        (
            "the sidecar has started up",
            pod(**SIDECAR),
            prepared(facts(runs("proxy"), "proxy", Role.SIDECAR), facts()),
            ["Start web 0"],
        ),
        (
            "the sidecar crashed while the main container runs",
            pod(**SIDECAR),
            prepared(facts(ended(1, "proxy"), "proxy", Role.SIDECAR), facts(runs())),
            ["Start proxy 1"],
        ),
        ("it ended: the first restart is immediate", pod(), prepared(facts(ended(1))), ["Start web 1"]),
        (
            "it ended again: the restart waits",
            pod(),
            prepared(facts(ended(1), back_off=BackOff(10, NOW - 50))),
            ["WaitUntil 9 s: CrashLoopBackOff"],
        ),
        (
            "it ran for more than ten minutes: no wait",
            pod(),
            prepared(facts(ended(1), back_off=BackOff(300, NOW - 700))),
            ["Start web 1"],
        ),
        (
            "its image is unknown",
            pod(),
            prepared(facts(waiting=Waiting("ErrImagePull", "", NOW + 5))),
            ["WaitUntil 5 s: ErrImagePull"],
        ),
        (
            "it succeeded and is not wanted back",
            pod(restartPolicy="OnFailure"),
            prepared(facts(ended(0))),
            ["RemoveSandbox"],
        ),
        ("it failed and is not wanted back", pod(restartPolicy="Never"), prepared(facts(ended(1))), ["RemoveSandbox"]),
        (
            "the sandbox was lost with all in it",
            pod(**INIT),
            prepared(
                facts(ended(0, "first"), "first", Role.INIT, in_sandbox=False), facts(ended(137), in_sandbox=False)
            ),
            ["Start first 1"],
        ),
        ("it is deleted", deleted(), prepared(facts(runs())), ["Stop web 30 s"]),
        ("it is deleted and being stopped", deleted(), prepared(facts(runs(), stop_by=NOW + 20)), []),
        ("it is deleted more impatiently", deleted(5), prepared(facts(runs(), stop_by=NOW + 20)), ["Stop web 5 s"]),
        ("it is deleted and all has ended", deleted(), prepared(facts(ended(143))), ["RemoveSandbox"]),
        ("the sandbox is gone too", deleted(), prepared(facts(ended(143)), sandbox=None), ["Finish"]),
        ("the object is gone", pod(), prepared(facts(runs()), gone=True), ["Stop web 1 s"]),
        ("the kubelet failed it", pod(), prepared(facts(runs()), failure=Failure("X", "x")), ["Stop web 30 s"]),
        (
            "it is deleted: sidecars end after the main containers",
            deleted() | {"spec": pod(**SIDECAR)["spec"]},
            prepared(facts(runs("proxy"), "proxy", Role.SIDECAR), facts(runs())),
            ["Stop web 30 s"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_comes_next(situation: str, obj: Object, observed: Observed, expected: list[str]) -> None:
    assert said(obj, observed) == expected


def test_back_off_doubles_to_five_minutes() -> None:
    waits, back_off, ended_at = [], None, NOW
    for _ in range(8):
        restarted = restart_at(back_off, ended_at, POLICY)
        waits.append(restarted - ended_at)
        back_off = after_restart(back_off, ended_at, restarted, POLICY)
        ended_at = restarted + 1
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]


def test_what_the_node_has_forgotten_is_taken_from_the_status() -> None:
    ended_before = {
        "exitCode": 3,
        "reason": "Error",
        "startedAt": "2001-09-09T01:46:00Z",
        "finishedAt": "2001-09-09T01:46:10Z",
        "containerID": "klamm://uid-web-0/web/4",
    }
    entry = {
        "name": "web",
        "image": "web:1",
        "containerID": "klamm://uid-web-0/web/4",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": ended_before},
    }
    obj = pod() | {"status": {"containerStatuses": [entry]}}
    taken = adopt(obj, [], NOW, POLICY)["web"]
    assert (taken.attempt, taken.in_sandbox) == (4, False)
    assert taken.state == ContainerState("uid-web-0/web/4", False, None, NOW - 40, NOW - 30, 3)


def test_what_the_node_knows_wins_and_readiness_is_kept() -> None:
    entry = {"name": "web", "containerID": "klamm://uid-web-0/web/1", "ready": True, "started": True}
    obj = pod() | {"status": {"containerStatuses": [entry]}}
    older = ContainerState("uid-web-0/web/0", False, 1, NOW - 200, NOW - 150, 1)
    taken = adopt(obj, [older, runs(attempt=1)], NOW, POLICY)["web"]
    assert (taken.attempt, taken.ready, taken.started, taken.previous) == (1, True, True, older)
    assert taken.back_off == BackOff(10, NOW - 100)
