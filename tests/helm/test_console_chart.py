"""What the console's chart makes of the values that users of kafka-ui's charts have."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.builders.cluster import EXAMPLES
from tests.helm.release import CHECKOUT, Commands, Object, key
from tests.helm.test_chart import Strict

from klamm import __version__
from klamm.console.configuring.configuration import read

CHART = CHECKOUT / "charts" / "kafka-ui"
TUTORIAL = EXAMPLES / "kafkaui-values.yml"

# As charts of kafka-ui write them, with {} for lists.
EVERYTHING: dict[str, Any] = {
    "replicaCount": 2,
    "image": {"registry": "registry.example", "repository": "mirror/kafka-ui", "pullPolicy": "Always", "tag": "v7"},
    "imagePullSecrets": [{"name": "mine"}],
    "nameOverride": "",
    "fullnameOverride": "console",
    "serviceAccount": {"create": True, "annotations": {"a": "b"}, "name": "reader"},
    "existingConfigMap": "more",
    "yamlApplicationConfigConfigMap": {"name": "theirs", "keyName": "ui.yml"},
    "existingSecret": "words",
    "envs": {
        "secret": {"KAFKA_CLUSTERS_0_SCHEMAREGISTRYAUTH_PASSWORD": "word"},
        "config": {"SERVER_SERVLET_CONTEXT_PATH": "/ui", "KAFKA_POLLING_MAXPAGESIZE": 1000000, "AUTH_TYPE": "DISABLED"},
    },
    "networkPolicy": {
        "enabled": True,
        "egressRules": {"customRules": [{"to": [{"podSelector": {}}]}]},
        "ingressRules": {"customRules": [{"from": [{"podSelector": {}}]}]},
    },
    "podAnnotations": {"an": "notation"},
    "podLabels": {"team": "a"},
    "annotations": {"of": "deployment"},
    "probes": {"useHttpsScheme": False},
    "podSecurityContext": {"fsGroup": 0},
    "securityContext": {"runAsUser": 1001},
    "service": {"type": "NodePort", "port": 8081, "nodePort": 30080},
    "ingress": {
        "enabled": True,
        "annotations": {"c": "d"},
        "ingressClassName": "nginx",
        "path": "/ui",
        "pathType": "Prefix",
        "host": "ui.example",
        "tls": {"enabled": True, "secretName": "cert"},
        "precedingPaths": [{"path": "/first", "serviceName": "first", "servicePort": 80}],
        "succeedingPaths": [{"path": "/last", "serviceName": "last", "servicePort": "http"}],
    },
    "resources": {"limits": {"cpu": "200m", "memory": "512Mi"}, "requests": {"cpu": "200m", "memory": "256Mi"}},
    "autoscaling": {"enabled": True, "minReplicas": 1, "maxReplicas": 100, "targetCPUUtilizationPercentage": 80},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "env": [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    "initContainers": [{"name": "first", "image": "busybox"}],
    "volumeMounts": [{"name": "certs", "mountPath": "/certs"}],
    "volumes": [{"name": "certs", "secret": {"secretName": "certs"}}],
}


async def rendered(commands: Commands, values: dict[str, Any] | Path) -> dict[str, Object]:
    path = values if isinstance(values, Path) else commands.folder / "values.yaml"
    if not isinstance(values, Path):
        path.write_text(yaml.safe_dump(values))
    text = await commands.helm("template", "kafka-ui", str(CHART), "-n", "kafka", "-f", str(path))
    return {key(obj): obj for obj in yaml.load_all(text, Strict) if obj}


def container_of(made: dict[str, Object], name: str = "kafka-ui") -> Object:
    (container,) = made[f"Deployment kafka/{name}"]["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


async def test_the_tutorial_s_values_make_a_console_of_the_cluster_yaml(offline: Commands) -> None:
    made = await rendered(offline, TUTORIAL)
    assert sorted(made) == [
        "ConfigMap kafka/kafka-ui-fromvalues",
        "Deployment kafka/kafka-ui",
        "Service kafka/kafka-ui",
        "ServiceAccount kafka/kafka-ui",
    ]
    container = container_of(made)
    assert container["image"] == f"klamm/kafka-ui:{__version__}"
    assert container["env"] == [{"name": "SPRING_CONFIG_ADDITIONAL-LOCATION", "value": "/kafka-ui/config.yml"}]
    assert container["volumeMounts"] == [{"name": "kafka-ui-yaml-conf", "mountPath": "/kafka-ui/", "readOnly": True}]
    assert container["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
    for probe in ("livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/actuator/health", "port": "http"}
    (port,) = made["Service kafka/kafka-ui"]["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, "http")
    written = yaml.safe_load(made["ConfigMap kafka/kafka-ui-fromvalues"]["data"]["config.yml"])
    configured = read([("config.yml", written)], {}, lambda path: b"")
    assert [one.name for one in configured.settings.clusters] == ["yaml"]
    assert configured.remarks == ()


async def test_it_has_no_rights_and_cannot_write(offline: Commands) -> None:
    made = await rendered(offline, TUTORIAL)
    pod = made["Deployment kafka/kafka-ui"]["spec"]["template"]["spec"]
    assert not {one for one in made if "Role" in one}
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container_of(made)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


async def test_the_operator_s_view_has_the_rights_that_it_asks_and_no_more(offline: Commands) -> None:
    made = await rendered(
        offline, {"kubernetes": {"enabled": True, "namespaces": ["a", "b"], "clusters": ["my-cluster"]}}
    )
    assert {one for one in made if "Role" in one} == {
        f"{kind} {namespace}/kafka-ui" for kind in ("Role", "RoleBinding") for namespace in ("a", "b")
    }
    rules = made["Role a/kafka-ui"]["rules"]
    secrets = [one for one in rules if "secrets" in one["resources"]]
    assert secrets == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["my-cluster-cluster-ca-cert", "my-cluster-clients-ca-cert"],
            "verbs": ["get"],
        }
    ]
    assert {"name": "KLAMM_KUBERNETES_NAMESPACES", "value": "a,b"} in container_of(made)["env"]
    assert made["Deployment kafka/kafka-ui"]["spec"]["template"]["spec"]["automountServiceAccountToken"] is True


@pytest.mark.parametrize("resource", ["kafkatopics", "kafkausers"])
async def test_changes_through_resources_can_be_withheld(offline: Commands, resource: str) -> None:
    value, default = {"kafkatopics": ("changeTopics", True), "kafkausers": ("changeUsers", False)}[resource]
    for given, permitted in (({}, default), ({value: True}, True), ({value: False}, False)):
        made = await rendered(offline, {"kubernetes": {"enabled": True, **given}})
        rules = made["Role kafka/kafka-ui"]["rules"]
        assert any(resource in one["resources"] and "patch" in one["verbs"] for one in rules) is permitted


async def test_every_value_of_kafka_ui_s_charts_is_taken(offline: Commands) -> None:
    made = await rendered(offline, EVERYTHING)
    spec = made["Deployment kafka/console"]["spec"]
    pod, container = spec["template"]["spec"], container_of(made, "console")
    assert "replicas" not in spec  # the autoscaler's
    assert container["image"] == "registry.example/mirror/kafka-ui:v7"
    assert container["env"][0] == EVERYTHING["env"][0]
    assert container["env"][1]["value"] == "/kafka-ui/ui.yml"
    assert [next(iter(one.values()))["name"] for one in container["envFrom"]] == ["more", "console", "words", "console"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/ui/actuator/health"
    assert [one["name"] for one in pod["volumes"]] == ["certs", "kafka-ui-yaml-conf"]
    assert pod["volumes"][1]["configMap"] == {"name": "theirs"}
    for name in ("nodeSelector", "tolerations", "affinity", "initContainers", "imagePullSecrets"):
        assert pod[name] == EVERYTHING[name]
    assert spec["template"]["metadata"]["labels"]["team"] == "a"
    assert spec["template"]["metadata"]["annotations"]["an"] == "notation"
    assert made["ConfigMap kafka/console"]["data"]["KAFKA_POLLING_MAXPAGESIZE"] == "1000000"
    assert made["Secret kafka/console"]["data"] == {"KAFKA_CLUSTERS_0_SCHEMAREGISTRYAUTH_PASSWORD": "d29yZA=="}
    assert made["Service kafka/console"]["spec"]["ports"][0]["nodePort"] == 30080
    (rule,) = made["Ingress kafka/console"]["spec"]["rules"]
    assert [one["path"] for one in rule["http"]["paths"]] == ["/first", "/ui", "/last"]
    assert rule["http"]["paths"][2]["backend"] == {"service": {"name": "last", "port": {"name": "http"}}}
    assert made["NetworkPolicy kafka/console"]["spec"]["egress"] == [{"to": [{"podSelector": {}}]}]
    assert made["NetworkPolicy kafka/console"]["spec"]["ingress"] == [{"from": [{"podSelector": {}}]}]
    assert made["HorizontalPodAutoscaler kafka/console"]["spec"]["maxReplicas"] == 100
    assert "ServiceAccount kafka/reader" in made


async def test_nothing_for_a_list_may_be_written_as_kafka_ui_s_charts_do(offline: Commands) -> None:
    empty: dict[str, Any] = {"env": {}, "initContainers": {}, "volumeMounts": {}, "volumes": {}}
    container = container_of(await rendered(offline, empty))
    assert "env" not in container
    assert "volumeMounts" not in container


@pytest.mark.parametrize(
    "values",
    [
        {"envs": {"config": {"SERVER_SERVLET_CONTEXT_PATH": "kafka/ui/"}}},
        {"yamlApplicationConfig": {"server": {"servlet": {"context-path": "/kafka/ui"}}}},
    ],
)
async def test_probes_ask_below_the_base_path(values: dict[str, Any], offline: Commands) -> None:
    made = await rendered(offline, {**values, "ingress": {"enabled": True}})
    assert container_of(made)["livenessProbe"]["httpGet"]["path"] == "/kafka/ui/actuator/health"
    (rule,) = made["Ingress kafka/kafka-ui"]["spec"]["rules"]
    assert rule["http"]["paths"][0]["path"] == "/kafka/ui"


WRONG = {
    "replicas=2": "'replicas' not allowed",
    "replicaCount=two": "got string, want integer",
    "service.type=Ingress": "value must be one of",
    "yamlApplicationConfigConfigMap.keyName=a": "name",
    "envs.config.A B=c": "does not match pattern",
    "resources.limits.memory=much": "does not match pattern",
    "volumes.a=b": "maxProperties",
}


@pytest.mark.parametrize("value", WRONG)
async def test_a_wrong_value_is_refused(value: str, offline: Commands) -> None:
    said = await offline.helm("template", "kafka-ui", str(CHART), "--set", value, code=1)
    assert WRONG[value] in said


async def test_what_is_made_is_taken_by_a_real_api_server(on_kubernetes: Commands) -> None:
    path = on_kubernetes.folder / "values.yaml"
    path.write_text(yaml.safe_dump(EVERYTHING | {"fullnameOverride": "everything"}))
    await on_kubernetes.kubectl("create", "namespace", "console")
    for name, values in (("kafka-ui", TUTORIAL), ("everything", path)):
        said = await on_kubernetes.helm("install", name, str(CHART), "-n", "console", "-f", str(values))
        assert "STATUS: deployed" in said
        assert "klamm's console" in said
        await on_kubernetes.helm("uninstall", name, "-n", "console")


def test_chart_and_package_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
