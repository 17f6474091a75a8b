"""What a container sees: variables, command line, user, names. Tables over the pure parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.builders.kubelets import NAMESPACE, World, container, pod
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.kubelet.containers import sandbox_spec, user_of
from klamm.localkube.kubelet.downward import UnknownField, resource_field
from klamm.localkube.kubelet.environment import MissingSource, Surroundings, command_line, environment
from klamm.localkube.kubelet.expansion import expand
from klamm.localkube.kubelet.quality import quality_of_service
from klamm.localkube.kubelet.service_links import service_variables
from klamm.localkube.objects import CONFIG_MAPS


@dataclass
class Given:
    config_maps: dict[str, dict[str, bytes]] = field(default_factory=dict)
    secrets: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def config_map(self, name: str) -> Mapping[str, bytes] | None:
        return self.config_maps.get(name)

    def secret(self, name: str) -> Mapping[str, bytes] | None:
        return self.secrets.get(name)


AROUND = Surroundings("web-0", "10.244.0.9", "127.0.0.1", {"cpu": "4", "memory": "8Gi"}, {})
GIVEN = Given({"cm": {"a": b"1"}}, {"keys": {"k": b"v"}})


def variables(*entries: dict[str, Any], **fields: Any) -> dict[str, str]:
    spec = container(env=list(entries), **fields)
    return environment(pod("web-0", spec), spec, {"LANG": "C", "A": "image"}, AROUND, GIVEN)


@pytest.mark.parametrize(
    ("case", "entry", "expected"),
    [
        ("a plain value", {"value": "x"}, "x"),
        ("an earlier variable", {"value": "$(LANG)/$(HOSTNAME)"}, "C/web-0"),
        ("an unknown variable stays", {"value": "$(NOPE)"}, "$(NOPE)"),
        ("a doubled dollar", {"value": "$$(LANG)"}, "$(LANG)"),
        ("the pod's name", {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, "web-0"),
        ("the node's name", {"valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}, "klamm-0"),
        ("the pod's address", {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}, "10.244.0.9"),
        ("a config map's key", {"valueFrom": {"configMapKeyRef": {"name": "cm", "key": "a"}}}, "1"),
        ("a secret's key", {"valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}}, "v"),
        ("optional", {"valueFrom": {"secretKeyRef": {"name": "no", "key": "k", "optional": True}}}, None),
        ("the node's memory", {"valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}, "8589934592"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_variable_is(case: str, entry: dict[str, Any], expected: str | None) -> None:
    assert variables({"name": "IT", **entry}).get("IT") == expected


def test_the_pods_variables_win_over_env_from_and_that_over_the_image() -> None:
    env_from = [{"configMapRef": {"name": "cm"}, "prefix": "P_"}, {"secretRef": {"name": "keys"}}]
    found = variables({"name": "A", "value": "pod"}, envFrom=env_from)
    assert (found["A"], found["P_a"], found["k"], found["HOME"]) == ("pod", "1", "v", "/root")


def test_a_missing_source_is_named() -> None:
    with pytest.raises(MissingSource, match='secret "no" not found'):
        variables({"name": "A", "valueFrom": {"secretKeyRef": {"name": "no", "key": "k"}}})
    with pytest.raises(MissingSource, match='find key z in configmap "cm"'):
        variables({"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "z"}}})


@pytest.mark.parametrize(
    ("case", "fields", "expected"),
    [
        ("neither: the image's", {"command": None}, ("entry", "default")),
        ("args replace the image's arguments", {"command": None, "args": ["$(A)"]}, ("entry", "1")),
        ("a command replaces both", {"command": ["run"]}, ("run",)),
        ("both", {"command": ["run"], "args": ["x"]}, ("run", "x")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_command_line_is(case: str, fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert command_line(container(**fields), ["entry"], ["default"], {"A": "1"}) == expected


def test_expansion_is_not_recursive() -> None:
    assert expand("$(A)", {"A": "$(B)", "B": "x"}) == "$(B)"


def test_resource_fields_are_rounded_up_to_their_divisor() -> None:
    one = pod("web-0", container(resources={"requests": {"cpu": "250m"}}))
    assert resource_field(one, {"resource": "requests.cpu"}, "web", {}) == "1"
    assert resource_field(one, {"resource": "requests.cpu", "divisor": "1m"}, "web", {}) == "250"
    with pytest.raises(UnknownField, match='names container "no"'):
        resource_field(one, {"resource": "requests.cpu", "containerName": "no"}, "web", {})


def test_services_are_told_by_host_port_and_link() -> None:
    service = {
        "metadata": {"name": "my-svc"},
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]},
    }
    headless = {"metadata": {"name": "x"}, "spec": {"clusterIP": "None"}}
    assert service_variables([service, headless]) == {
        "MY_SVC_SERVICE_HOST": "10.96.0.7",
        "MY_SVC_SERVICE_PORT": "80",
        "MY_SVC_SERVICE_PORT_HTTP": "80",
        "MY_SVC_PORT": "tcp://10.96.0.7:80",
        "MY_SVC_PORT_80_TCP": "tcp://10.96.0.7:80",
        "MY_SVC_PORT_80_TCP_PROTO": "tcp",
        "MY_SVC_PORT_80_TCP_PORT": "80",
        "MY_SVC_PORT_80_TCP_ADDR": "10.96.0.7",
    }


@pytest.mark.parametrize(
    ("case", "resources", "expected"),
    [
        ("nothing asked", {}, "BestEffort"),
        ("some asked", {"requests": {"memory": "1Gi"}}, "Burstable"),
        ("limits only", {"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ("equal in other words", {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m"}}, "Guaranteed"),
        ("less requested", {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1m"}}, "Burstable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_quality_of_service(case: str, resources: dict[str, Any], expected: str) -> None:
    assert quality_of_service(pod("web-0", container(resources=resources))) == expected


def test_the_sandbox_has_the_pods_names() -> None:
    aliases = [{"ip": "10.0.0.1", "hostnames": ["a", "b"]}]
    spec = sandbox_spec(
        pod("web-0", subdomain="brokers", hostAliases=aliases, dnsConfig={"searches": ["example.com"]}), "cluster.local"
    )
    assert (spec.hostname, spec.domain) == ("web-0", "brokers.kafka.svc.cluster.local")
    assert spec.dns_search == ("kafka.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.com")
    assert spec.host_aliases == (("10.0.0.1", ("a", "b")),)


def test_users_come_from_the_container_then_the_pod() -> None:
    own = container(securityContext={"runAsUser": 5})
    assert user_of(pod("web-0", securityContext={"runAsUser": 7}), own) == 5
    assert user_of(pod("web-0", securityContext={"runAsUser": 7}), container()) == 7
    assert user_of(pod("web-0", securityContext={"runAsNonRoot": True}), container()) == 1001
    assert user_of(pod("web-0"), container()) is None


@in_virtual_time
async def test_a_container_waits_for_the_config_map_of_its_environment(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod("web-0", container(envFrom=[{"configMapRef": {"name": "late"}}])))
        await world.until(lambda: world.waits_because() == "CreateContainerConfigError", 1)
        assert world.container()["state"]["waiting"]["message"] == 'configmap "late" not found'
        world.objects.create(CONFIG_MAPS, NAMESPACE, {"metadata": {"name": "late"}, "data": {"A": "1"}})
        await world.until(world.is_ready, 1)
    spec = world.node.specs["uid-web-0/web/0"]
    assert spec.environment["A"] == "1"
    assert spec.environment["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
