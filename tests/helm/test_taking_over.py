"""What Strimzi's operator has set and klamm does not want goes: the same on localkube and on a real kube-apiserver."""

import json
from contextlib import AsyncExitStack
from random import Random
from typing import Any

from tests.helm.release import Commands

from klamm.base.clock import SystemClock
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


def of_strimzi() -> dict[str, Any]:
    containers = [
        {"name": "topic-operator", "image": "strimzi/operator:0.38.0", "env": [{"name": "OLD", "value": "1"}]},
        {"name": "tls-sidecar", "image": "strimzi/kafka:0.38.0"},
    ]
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "entity-operator"},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
    }


async def test_containers_of_strimzi_go_and_what_people_wrote_stays(
    on_localkube: Commands, on_kubernetes: Commands
) -> None:
    found = [await _taken_over(commands) for commands in (on_localkube, on_kubernetes)]
    assert found[0] == found[1]
    containers = found[1]["spec"]["template"]["spec"]["containers"]
    assert [(one["name"], one["image"], one.get("env")) for one in containers] == [
        ("topic-operator", "klamm/topic-operator:1", None)
    ]
    assert found[1]["metadata"]["labels"] == {"of": "a-person"}


async def _taken_over(commands: Commands) -> dict[str, Any]:
    """The Deployment in the end, without what differs from server to server."""
    path = commands.folder / "strimzi.json"
    path.write_text(json.dumps(of_strimzi()))
    await commands.kubectl("create", "-f", str(path), "--field-manager=strimzi-cluster-operator")
    await commands.kubectl("label", "deployment", "entity-operator", "of=a-person")
    assert commands.kubeconfig is not None
    async with AsyncExitStack() as open_:
        connection = from_kubeconfig(commands.kubeconfig)
        client = await open_.enter_async_context(connect(connection, "klamm-cluster-operator", Random(1)))
        await Applier(client, SystemClock()).apply(wanted("topic-operator"))
        # A second operator process finds nothing to inherit.
        await Applier(client, SystemClock()).apply(wanted("topic-operator"))
    shown = await commands.kubectl("get", "deployment", "entity-operator", "-o", "json", "--show-managed-fields")
    said = json.loads(shown)
    managers = {(one["manager"], one["operation"]) for one in said["metadata"]["managedFields"]}
    await commands.kubectl("delete", "deployment", "entity-operator")
    return {
        "spec": said["spec"],
        "managers": managers,
        "metadata": {"labels": said["metadata"]["labels"], "annotations": said["metadata"].get("annotations")},
    }
