"""Waiting: what is said on the way, when it ends early, and what it says when time is up."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.builders.commands import STRIMZI, ScriptedContext, context, kinds, served
from tests.builders.scripted_api import Pause, answer, event, listed, pod, status

from klamm.cli.bringing_up import Given, bring_up
from klamm.cli.errors import Mistake, Unfinished
from klamm.cli.manifests import Manifest
from klamm.cli.waiting import targets, without_operator

KAFKA = "kafka.strimzi.io/v1beta2"


def manifest(kind: str = "Kafka", api_version: str = KAFKA, namespace: str | None = None) -> Manifest:
    obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "my-cluster"}, "spec": {}}
    return Manifest(api_version, kind, "my-cluster", namespace, obj, "a.yaml")


def kafka(version: int, *conditions: dict[str, str], **more: Any) -> dict[str, Any]:
    metadata = {
        "name": "my-cluster",
        "namespace": "kafka",
        "generation": 1,
        "resourceVersion": str(version),
        "uid": "u",
    }
    found = {"observedGeneration": 1, "conditions": list(conditions), **more} if conditions else None
    whole = {"apiVersion": KAFKA, "kind": "Kafka", "metadata": metadata, "spec": {}}
    return {**whole, "status": found} if found else whole


def condition(kind: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": kind, "status": "True", "reason": reason, "message": message}


CREATING = condition("NotReady", "Creating", "waiting for my-cluster-kafka-0")
WRONG = condition("NotReady", "InvalidResourceException", "spec.kafka.listeners: 9092 is given twice\nspec.x: no")
LISTENERS = [
    {"name": "plain", "bootstrapServers": "my-cluster-kafka-bootstrap.kafka.svc:9092"},
    {"name": "external", "bootstrapServers": "127.0.0.1:31940"},
]


def scene(folder: Path, *events: Any, pods: Any = (), output: Any = "text") -> ScriptedContext:
    """The API's answers to one `up`: version, namespace, discovery, apply, then lists of Kafkas and of pods."""
    made = context(
        folder,
        output,
        answer({}),
        status(409, "AlreadyExists"),
        STRIMZI,
        status(404, "NotFound"),
        answer(kafka(5), 201),
        listed([kafka(5)], 5),
        listed(list(pods), 5),
    )
    made.api.watches([*events, Pause(1e9)])
    return made


async def wait(made: ScriptedContext, seconds: float = 5.0) -> None:
    await bring_up(made, Given([manifest()], [], "kafka", seconds), started=True)


def test_up_tells_each_reason_once_and_then_how_to_connect(tmp_path: Path) -> None:
    made = scene(
        tmp_path,
        Pause(0.01),
        event("MODIFIED", kafka(6, CREATING)),
        Pause(0.01),
        event("MODIFIED", kafka(7, CREATING)),
        Pause(0.01),
        event("MODIFIED", kafka(8, condition("Ready"), listeners=LISTENERS)),
    )
    asyncio.run(wait(made))
    assert made.said.count("no operator has looked at it yet") == 1
    assert made.said.count("waiting for my-cluster-kafka-0") == 1
    assert "Kafka kafka/my-cluster is ready after 0.0 s" in made.said
    assert "plain      my-cluster-kafka-bootstrap.kafka.svc:9092   -" in made.said
    assert "external   -                                           127.0.0.1:31940" in made.said
    assert "export KUBECONFIG=$(klamm kubeconfig)" in made.said
    assert made.printed == ""


def test_up_for_programs_is_one_document(tmp_path: Path) -> None:
    import json

    made = scene(tmp_path, event("MODIFIED", kafka(8, condition("Ready"), listeners=LISTENERS)), output="json")
    asyncio.run(wait(made))
    found = json.loads(made.printed)["resources"][0]
    assert (found["kind"], found["name"], found["state"]) == ("Kafka", "my-cluster", "Ready")
    assert found["listeners"][1] == {"name": "external", "bootstrapServers": "127.0.0.1:31940", "fromHost": True}


def test_what_was_ready_before_the_cluster_went_down_is_not_ready_now(tmp_path: Path) -> None:
    before, after = "2026-03-01T11:00:00Z", "2999-03-01T11:00:00Z"
    stale = kafka_pod(before)
    ready = kafka(5, condition("Ready"), listeners=LISTENERS)
    made = context(
        tmp_path,
        "text",
        *(answer({}), status(409, "AlreadyExists"), STRIMZI, answer(ready), answer(ready)),
        *(listed([ready], 5), listed([stale], 5)),
    )
    # The guardian's lock is as old as the running processes.
    made.home.run.mkdir(parents=True)
    (made.home.run / "guardian.lock").touch()
    made.api.watches([Pause(1e9)], [Pause(0.01), event("MODIFIED", kafka_pod(after, version=9)), Pause(1e9)])
    asyncio.run(wait(made))
    assert "Kafka kafka/my-cluster: waiting for pods my-cluster-kafka-0\n" in made.said
    assert "is ready after" in made.said


def kafka_pod(ready_since: str, version: int = 5) -> dict[str, Any]:
    made = pod("my-cluster-kafka-0", version, **{"strimzi.io/cluster": "my-cluster"})
    made["status"] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ready_since}],
    }
    return made


def test_a_refused_resource_ends_the_wait_at_once(tmp_path: Path) -> None:
    made = scene(tmp_path, event("MODIFIED", kafka(6, WRONG)))
    with pytest.raises(Mistake) as raised:
        asyncio.run(wait(made))
    assert str(raised.value) == (
        "Kafka kafka/my-cluster: InvalidResourceException:\n"
        "  spec.kafka.listeners: 9092 is given twice\n"
        "  spec.x: no\n"
        "Change the manifest, then run `klamm up` or `klamm apply` with it again."
    )


def test_the_end_of_patience_names_what_is_missing_and_the_pods_in_trouble(tmp_path: Path) -> None:
    stuck = pod("my-cluster-kafka-0", 5, **{"strimzi.io/cluster": "my-cluster"})
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no image x"}}
    stuck["status"] = {"phase": "Pending", "containerStatuses": [{"name": "kafka", "state": waiting}]}
    made = scene(tmp_path, event("MODIFIED", kafka(6, CREATING)), pods=[stuck])
    with pytest.raises(Unfinished) as raised:
        asyncio.run(wait(made, seconds=0.2))
    told = str(raised.value)
    assert told.startswith("not ready after 0.2 s: Kafka kafka/my-cluster: waiting for my-cluster-kafka-0.")
    assert "Pod my-cluster-kafka-0: ErrImagePull: container kafka: no image x." in told


def test_items_of_a_list_need_not_say_what_they_are(tmp_path: Path) -> None:
    daemon = {
        "metadata": {"name": "my-cluster", "namespace": "kafka", "generation": 1, "resourceVersion": "5", "uid": "u"},
        "status": {"observedGeneration": 1, "desiredNumberScheduled": 1, "numberReady": 1},
    }
    apps = kinds(served("daemonsets", "DaemonSet", "ds"))
    whole = {"apiVersion": "apps/v1", "kind": "DaemonSet", "spec": {}, **daemon}
    made = context(
        tmp_path,
        "text",
        *(answer({}), status(409, "AlreadyExists"), apps, answer(whole), answer(whole)),
        *(listed([daemon], 5), listed([], 5)),
    )
    asyncio.run(bring_up(made, Given([manifest("DaemonSet", "apps/v1")], [], "kafka", 5.0), started=False))
    assert "DaemonSet kafka/my-cluster is ready" in made.said


def test_what_is_waited_for() -> None:
    manifests = [
        manifest(),
        manifest("KafkaTopic", namespace="other"),
        manifest("Deployment", "apps/v1"),
        manifest("Secret", "v1"),
    ]
    assert [str(one) for one in targets(manifests, "kafka")] == [
        "Kafka kafka/my-cluster",
        "KafkaTopic other/my-cluster",
        "Deployment kafka/my-cluster",
    ]


def test_kinds_without_an_operator_are_not_waited_for() -> None:
    bridge = manifest("KafkaBridge")
    assert targets([bridge], "kafka") == []
    assert without_operator([bridge, manifest()]) == [bridge]
