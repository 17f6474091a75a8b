"""Blocks on the wire: names, defaults, and the empty values that Kubernetes tells from absent ones."""

from typing import Any

import pytest

from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.process import JvmOptions
from klamm.resources.native.access import ClusterRoleBinding, RoleRef, Subject
from klamm.resources.native.container import Container, EnvVar, ResourceRequirements
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.native.network import NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicySpec
from klamm.resources.native.pod import Pod, PodSpec, PodStatus
from klamm.resources.native.service import ServiceSpec
from klamm.resources.native.volumes import EmptyDirVolumeSource, Volume
from klamm.resources.native.workloads import Deployment, DeploymentSpec
from klamm.resources.structure import Block, decode, encode

ON_THE_WIRE: list[tuple[str, Block, dict[str, Any]]] = [
    ("what was not given is not written", Container(name="kafka"), {"name": "kafka"}),
    ("zero and false are written", DeploymentSpec(replicas=0, paused=False), {
        "replicas": 0, "paused": False, "selector": {}, "template": {"spec": {}},
    }),
    ("an empty volume source is written", Volume(name="tmp", empty_dir=EmptyDirVolumeSource()), {
        "name": "tmp", "emptyDir": {},
    }),
    ("kind and version are always written", Pod(metadata=ObjectMeta(name="a")), {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {},
    }),
    ("initialisms keep their capitals", ServiceSpec(cluster_ip="None", external_ips=["1.2.3.4"]), {
        "clusterIP": "None", "externalIPs": ["1.2.3.4"],
    }),
    ("words of Python are written without a dash", NetworkPolicyIngressRule(from_=[]), {}),
    ("a policy selects with an empty selector", NetworkPolicySpec(), {"podSelector": {}}),
    ("options of the JVM keep their dashes", JvmOptions(xmx="1g", xx={"UseG1GC": "true"}), {
        "-Xmx": "1g", "-XX": {"UseG1GC": "true"},
    }),
    ("quantities stay what they are", ResourceRequirements(limits={"cpu": 0.5, "memory": "1Gi", "x": 1}), {
        "limits": {"cpu": 0.5, "memory": "1Gi", "x": 1},
    }),
    ("addresses of pods", PodStatus(pod_ip="10.0.0.1"), {"podIP": "10.0.0.1"}),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "block", "wire"), ON_THE_WIRE, ids=[fact for fact, _, _ in ON_THE_WIRE])
def test_on_the_wire(fact: str, block: Block, wire: dict[str, Any]) -> None:
    assert encode(block) == wire
    assert decode(type(block), wire) == block


def test_a_role_binding_names_its_group() -> None:
    binding = ClusterRoleBinding(
        role_ref=RoleRef(kind="ClusterRole", name="r"), subjects=[Subject(kind="ServiceAccount", name="s")]
    )
    assert encode(binding)["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "r",
    }


def test_unknown_fields_are_ignored() -> None:
    pod = decode(Pod, {"metadata": {"name": "a", "managedFields": []}, "spec": {"overhead": {}}, "new": 1})
    assert pod == Pod(metadata=ObjectMeta(name="a"), spec=PodSpec())


def test_objects_do_not_share_their_lists() -> None:
    first, second = Container(name="a"), Container(name="b")
    first.env.append(EnvVar(name="X"))
    assert second.env == []


def test_the_version_of_an_object_is_kept() -> None:
    assert decode(Kafka, {"apiVersion": "kafka.strimzi.io/v1", "kind": "Kafka"}).api_version == "kafka.strimzi.io/v1"
    assert encode(Kafka())["apiVersion"] == "kafka.strimzi.io/v1beta2"


def test_kinds_say_their_groups() -> None:
    assert encode(Deployment())["apiVersion"] == "apps/v1"
    assert encode(NetworkPolicy())["apiVersion"] == "networking.k8s.io/v1"
