"""How a resource stands, from its status alone."""

from typing import Any

import msgspec
import pytest

from klamm.cli.readiness import State, is_refusal, pod_state, readiness
from klamm.cli.seen import Pod, Resource


def seen(kind: str = "Kafka", api_version: str = "kafka.strimzi.io/v1beta2", **status: Any) -> Resource:
    whole = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x", "generation": 2},
        "spec": {"replicas": 2},
    }
    if status:
        whole["status"] = status
    return msgspec.convert(whole, Resource)


def condition(kind: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": kind, "status": "True", "reason": reason, "message": message}


READY = condition("Ready")


@pytest.mark.parametrize(
    ("what", "resource", "state", "why"),
    [
        ("nothing is there", None, State.UNSEEN, "it is not there"),
        ("no status yet", seen(), State.UNSEEN, "no operator has looked at it yet"),
        (
            "the status is of an older generation",
            seen(observedGeneration=1, conditions=[READY]),
            State.UNSEEN,
            "no operator has looked at it yet",
        ),
        ("ready", seen(observedGeneration=2, conditions=[READY]), State.READY, ""),
        (
            "being created",
            seen(observedGeneration=2, conditions=[condition("NotReady", "Creating", "waiting for pods")]),
            State.NOT_READY,
            "waiting for pods",
        ),
        (
            "the user must change it",
            seen(observedGeneration=2, conditions=[condition("NotReady", "InvalidResourceException", "port twice")]),
            State.REFUSED,
            "port twice",
        ),
        (
            "paused",
            seen(observedGeneration=2, conditions=[condition("ReconciliationPaused")]),
            State.PAUSED,
            "paused by its annotation strimzi.io/pause-reconciliation",
        ),
        (
            "a kind that no operator acts on",
            seen("KafkaBridge"),
            State.STORED,
            "this klamm does not act on it yet",
        ),
        (
            "a status without conditions",
            seen(observedGeneration=2),
            State.NOT_READY,
            "its operator has not said yet how it stands",
        ),
        (
            "a Deployment on its way",
            seen("Deployment", "apps/v1", observedGeneration=2, replicas=2, readyReplicas=1, updatedReplicas=2),
            State.NOT_READY,
            "1 of 2 pods are ready",
        ),
        (
            "a Deployment whose ready pods are of the old template",
            seen("Deployment", "apps/v1", observedGeneration=2, replicas=2, readyReplicas=2, updatedReplicas=0),
            State.NOT_READY,
            "0 of 2 pods are ready",
        ),
        (
            "a DaemonSet on every node",
            seen("DaemonSet", "apps/v1", observedGeneration=2, desiredNumberScheduled=3, numberReady=3),
            State.READY,
            "",
        ),
    ],
)
def test_a_resource_stands_as(what: str, resource: Resource | None, state: State, why: str) -> None:
    found = readiness(resource)
    assert (found.state, found.why) == (state, why), what


def test_warnings_stand_beside_ready() -> None:
    found = readiness(seen(observedGeneration=2, conditions=[READY, condition("Warning", "Old", "use v1")]))
    assert found.is_ready
    assert found.warnings == ("use v1",)


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        ("InvalidResourceException", True),
        ("UnsupportedKafkaVersionException", True),
        ("ResourceConflict", True),
        ("Creating", False),
        ("TimeoutException", False),
        ("Unreachable", False),
        (None, False),
    ],
)
def test_some_reasons_are_for_the_user_to_mend(reason: str | None, refused: bool) -> None:
    assert is_refusal(reason) is refused


def pod(phase: str = "Pending", conditions: Any = (), **container: Any) -> Pod:
    statuses = [{"name": "kafka", "state": container}] if container else []
    status = {"phase": phase, "conditions": list(conditions), "containerStatuses": statuses}
    return msgspec.convert({"metadata": {"name": "p"}, "status": status}, Pod)


@pytest.mark.parametrize(
    ("found", "text", "trouble"),
    [
        (Pod(), "Pending", False),
        (pod("Running", [READY]), "Ready", False),
        (pod("Running"), "Running: not ready yet", False),
        (pod("Succeeded"), "Completed", False),
        (pod("Failed"), "Failed", True),
        (pod(waiting={"reason": "ContainerCreating"}), "ContainerCreating", False),
        (
            pod("Running", waiting={"reason": "CrashLoopBackOff", "message": "back-off 10s"}),
            "CrashLoopBackOff: container kafka: back-off 10s",
            True,
        ),
        (pod(waiting={"reason": "ErrImagePull"}), "ErrImagePull: container kafka", True),
        (
            pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/3 nodes fit"}]),
            "Pending: 0/3 nodes fit",
            True,
        ),
    ],
)
def test_a_pod_is_told_in_a_word_and_a_reason(found: Pod, text: str, trouble: bool) -> None:
    state = pod_state(found)
    assert (str(state), state.is_trouble) == (text, trouble)
