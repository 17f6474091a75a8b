"""What Strimzi's operator has set and klamm does not want goes: the same on localkube and on a real kube-apiserver."""

import json
from contextlib import AsyncExitStack
from random import Random
from typing import Any

from tests.builders.kafka import kafka, surroundings
from tests.builders.strimzi import exporter_container
from tests.helm.release import Commands

from klamm.base.clock import SystemClock
from klamm.desired.kafka_exporter.deployment import ExporterInputs, deployment
from klamm.desired.kafka_exporter.exporter import KafkaExporter
from klamm.kube.client import connect
from klamm.kube.connection import from_kubeconfig
from klamm.operations.applying import Applier
from klamm.resources.native.container import Container
from klamm.resources.native.metadata import LabelSelector, ObjectMeta
from klamm.resources.native.pod import PodSpec, PodTemplateSpec
from klamm.resources.native.workloads import Deployment, DeploymentSpec

LABELS = {"app": "entity-operator"}


def wanted(*containers: str) -> Deployment:
    template = PodTemplateSpec(
        metadata=ObjectMeta(labels=LABELS),
        spec=PodSpec(containers=[Container(name=name, image=f"klamm/{name}:1") for name in containers]),
    )
    return Deployment(
        metadata=ObjectMeta(name="entity-operator", namespace="default"),
        spec=DeploymentSpec(replicas=1, selector=LabelSelector(match_labels=LABELS), template=template),
    )


def wanted_exporter() -> Deployment:
    """In the namespace of these tests, and without an owner, which would have to be there."""
    changes = {"metadata": {"namespace": "default"}, "spec": {"kafkaExporter": {"groupRegex": "app-.*"}}}
    made = deployment(KafkaExporter(kafka(changes), surroundings()), ExporterInputs())
    made.metadata.owner_references = []
    return made


def of_strimzi(name: str, labels: dict[str, str], containers: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


async def test_containers_of_strimzi_go_and_what_people_wrote_stays(
    on_localkube: Commands, on_kubernetes: Commands
) -> None:
    before: list[dict[str, Any]] = [
        {"name": "topic-operator", "image": "strimzi/operator:0.38.0", "env": [{"name": "OLD", "value": "1"}]},
        {"name": "tls-sidecar", "image": "strimzi/kafka:0.38.0"},
    ]
    theirs = of_strimzi("entity-operator", LABELS, before)
    found = await _taken_over_on_both(on_localkube, on_kubernetes, theirs, wanted("topic-operator"))
    containers = found["spec"]["template"]["spec"]["containers"]
    assert [(one["name"], one["image"], one.get("env")) for one in containers] == [
        ("topic-operator", "klamm/topic-operator:1", None)
    ]
    assert found["metadata"]["labels"] == {"of": "a-person"}


async def test_the_exporter_of_strimzi_becomes_klamms(on_localkube: Commands, on_kubernetes: Commands) -> None:
    ours = wanted_exporter()
    name, labels = ours.metadata.name or "", dict(ours.spec.selector.match_labels)
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    theirs = of_strimzi(name, labels, [exporter_container()], strategy=rolling)
    found = await _taken_over_on_both(on_localkube, on_kubernetes, theirs, ours)
    [container] = found["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["/opt/strimzi/bin/kafka_exporter_run.sh"]
    assert "args" not in container
    settings = {one["name"]: one["value"] for one in container["env"]}
    assert settings["KAFKA_EXPORTER_GROUP_REGEX"] == "app-.*"
    assert "STRIMZI_SHUTDOWN_SETTING" not in settings
    assert found["spec"]["strategy"] == rolling


async def _taken_over_on_both(
    on_localkube: Commands, on_kubernetes: Commands, theirs: dict[str, Any], ours: Deployment
) -> dict[str, Any]:
    found = [await _taken_over(commands, theirs, ours) for commands in (on_localkube, on_kubernetes)]
    assert found[0] == found[1]
    return found[1]


async def _taken_over(commands: Commands, theirs: dict[str, Any], ours: Deployment) -> dict[str, Any]:
    """The Deployment in the end, without what differs from server to server."""
    name = theirs["metadata"]["name"]
    path = commands.folder / "strimzi.json"
    path.write_text(json.dumps(theirs))
    await commands.kubectl("create", "-f", str(path), "--field-manager=strimzi-cluster-operator")
    await commands.kubectl("label", "deployment", name, "of=a-person")
    assert commands.kubeconfig is not None
    async with AsyncExitStack() as open_:
        connection = from_kubeconfig(commands.kubeconfig)
        client = await open_.enter_async_context(connect(connection, "klamm-cluster-operator", Random(1)))
        await Applier(client, SystemClock()).apply(ours)
        # A second operator process finds nothing to inherit.
        await Applier(client, SystemClock()).apply(ours)
    shown = await commands.kubectl("get", "deployment", name, "-o", "json", "--show-managed-fields")
    said = json.loads(shown)
    managers = {(one["manager"], one["operation"]) for one in said["metadata"]["managedFields"]}
    await commands.kubectl("delete", "deployment", name)
    return {
        "spec": said["spec"],
        "managers": managers,
        "metadata": {"labels": said["metadata"]["labels"], "annotations": said["metadata"].get("annotations")},
    }
