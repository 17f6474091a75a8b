"""What the chart makes of values: the objects that the code describes, and clear words about values that are wrong."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import yaml
from tests.helm.release import CHART, Commands, Object, key

from klamm import __version__
from klamm.desired.cluster_operator.aggregation import aggregate_roles
from klamm.desired.cluster_operator.installation import Installation, installation_objects
from klamm.monitoring.dashboards import boards
from klamm.monitoring.dashboards.board import dashboard
from klamm.monitoring.manifests import pod_monitors, prometheus_rule
from klamm.releases.versions import versions_with_zookeeper
from klamm.resources.structure import Block, encode

HELMS_OWN = {"app", "chart", "release", "heritage"}
"""Labels of the chart: klamm's own, and those by which people find what a release has made."""


def installation(
    *, namespace: str = "kafka", repository: str = "klamm", tag: str = __version__, **changes: Any
) -> Installation:
    operator = f"{repository}/operator:{tag}"
    images = {version: f"{repository}/kafka:{tag}-kafka-{version}" for version in versions_with_zookeeper()}
    defaults: dict[str, Any] = {"watched": (namespace,), "operator_image": operator, "kafka_images": images}
    return Installation(namespace=namespace, **{**defaults, **changes})


SAME = {
    "default values": ([], installation()),
    "another namespace": (["-n", "my-operator"], installation(namespace="my-operator")),
    "all namespaces": (["--set", "watchAnyNamespace=true"], installation(watched=())),
    "several namespaces, its own named too": (
        ["--set", "watchNamespaces={team-a,team-b,kafka}"],
        installation(watched=("kafka", "team-a", "team-b")),
    ),
    "images of a registry": (
        ["--set", "defaultImageRegistry=registry.example:5000,defaultImageRepository=mirror/klamm,defaultImageTag=v7"],
        installation(repository="registry.example:5000/mirror/klamm", tag="v7"),
    ),
    "no leader election": (["--set", "leaderElection.enable=false"], installation(leader_election=False)),
    "two replicas, another log level, other times": (
        ["--set", "replicas=2,logLevel=DEBUG,fullReconciliationIntervalMs=60000,operationTimeoutMs=100000"],
        installation(replicas=2, log_level="DEBUG", full_reconciliation_seconds=60, operation_timeout_seconds=100),
    ),
    "a pull policy, no policies of networks": (
        ["--set", "image.imagePullPolicy=Never,generateNetworkPolicy=false"],
        installation(
            image_pull_policy="Never",
            settings={"STRIMZI_IMAGE_PULL_POLICY": "Never", "STRIMZI_NETWORK_POLICY_GENERATION": "false"},
        ),
    ),
    "another image of the exporter": (
        ["--set", "kafkaExporter.image.registry=registry.example,kafkaExporter.image.tag=v9"],
        installation(settings={"STRIMZI_DEFAULT_KAFKA_EXPORTER_IMAGE": "registry.example/klamm/operator:v9"}),
    ),
    "another domain of names": (
        ["--set", "kubernetesServiceDnsDomain=example.test"],
        installation(dns_domain="example.test"),
    ),
    "roles for people": (["--set", "createAggregateRoles=true"], installation()),
}


@pytest.mark.parametrize("case", SAME)
async def test_the_chart_makes_the_objects_that_the_code_describes(case: str, offline: Commands) -> None:
    arguments, described = SAME[case]
    wanted: list[Block] = list(installation_objects(described))
    if "createAggregateRoles=true" in arguments:
        wanted += aggregate_roles()
    if not described.leader_election:
        wanted = [block for block in wanted if "RoleBinding strimzi-cluster-operator-leader" not in _named(block)]
    made = await rendered(offline, *arguments)
    assert comparable(made) == comparable(encode(block) for block in wanted)


def _named(block: Block) -> str:
    obj = encode(block)
    return f"{obj['kind']} {obj['metadata']['name']}"


async def rendered(commands: Commands, *arguments: str) -> list[Object]:
    place = () if "-n" in arguments else ("-n", "kafka")
    text = await commands.helm("template", "kafka-operator", str(CHART), *place, *arguments)
    return [obj for obj in yaml.load_all(text, Strict) if obj]


class Strict(yaml.SafeLoader):
    """Refuses what Kubernetes refuses and YAML's loader takes: a key that stands there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key stands there twice: {keys}"
        return super().construct_mapping(node, deep=deep)


def comparable(objects: Iterable[Object]) -> dict[str, Any]:
    """By kind and name; without Helm's labels, and with environments and volumes in no order."""
    return {key(obj): _sorted(_without_labels(obj)) for obj in objects}


def _without_labels(obj: Object) -> Object:
    labels = {name: value for name, value in obj["metadata"].get("labels", {}).items() if name not in HELMS_OWN}
    if obj["kind"] == "Deployment":
        # Said by the chart because people may change it; the code leaves it to Kubernetes, which says the same.
        assert obj["spec"].pop("revisionHistoryLimit", 10) == 10
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _sorted(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


async def test_labels_say_which_release_made_an_object(offline: Commands) -> None:
    for obj in await rendered(offline):
        labels = obj["metadata"]["labels"]
        assert (labels["app"], labels["release"], labels["chart"]) == (
            "strimzi",
            "kafka-operator",
            f"klamm-{__version__}",
        )


WRONG = {
    "replicas=some": ("/replicas", "got string, want integer"),
    "replicas=-1": ("/replicas", "minimum"),
    "watchNamespaces=kafka": ("/watchNamespaces", "got string, want array"),
    "watchNamespaces={Kafka}": ("/watchNamespaces/0", "does not match pattern"),
    "logLevel=LOUD": ("/logLevel", "value must be one of"),
    "featureGates=KafkaNodePools": ("/featureGates", "does not match pattern"),
    "resources.limits.memory=much": ("/resources/limits/memory", "does not match pattern"),
    "leaderElection.enabled=false": ("/leaderElection", "'enabled' not allowed"),
    "watchNamespace=kafka": ("", "'watchNamespace' not allowed"),
    "image.imagePullPolicy=Sometimes": ("/image/imagePullPolicy", "value must be one of"),
    "fullReconciliationIntervalMs=2m": ("/fullReconciliationIntervalMs", "got string, want integer"),
    "labelsExclusionPattern=(": ("/labelsExclusionPattern", "regex"),
}


@pytest.mark.parametrize("value", WRONG)
async def test_a_wrong_value_is_refused_and_named(value: str, offline: Commands) -> None:
    place, rule = WRONG[value]
    said = await offline.helm("template", "kafka-operator", str(CHART), "--set", value, code=1)
    assert place in said
    assert rule in said


async def test_a_values_file_of_strimzis_chart_is_taken(offline: Commands) -> None:
    """Every name of its 0.38 values is known, also those that have nothing to do here."""
    values = {
        "watchAnyNamespace": True,
        "defaultImageRegistry": "registry.example",
        "defaultImageRepository": "strimzi",
        "defaultImageTag": "0.38.0",
        "image": {"registry": "", "repository": "", "name": "operator", "tag": ""},
        "logVolume": "co-config-volume",
        "logConfigMap": "strimzi-cluster-operator",
        "logConfiguration": "rootLogger.level = WARN\n",
        "featureGates": "+UseKRaft,-StableConnectIdentities",
        "tmpDirSizeLimit": "1Mi",
        "extraEnvs": [{"name": "JAVA_OPTS", "value": "-Xmx=256m"}],
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "priorityClassName": "system-cluster-critical",
        "podSecurityContext": {"fsGroup": 0},
        "rbac": {"create": True},
        "dashboards": {"enabled": False, "namespace": None, "labelValue": "1"},
        "tlsSidecarEntityOperator": {"image": {"name": "kafka", "tagPrefix": ""}},
        "kafkaBridge": {"image": {"name": "kafka-bridge", "tag": "0.27.0"}},
        "kafka": {"image": {"registry": "", "repository": "", "name": "kafka", "tagPrefix": ""}},
        "kafkaExporter": {"image": {"registry": "", "repository": "", "name": "kafka", "tagPrefix": ""}},
        "connectBuildTimeoutMs": 300000,
    }
    path = offline.folder / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    made = {key(obj): obj for obj in await rendered(offline, "-f", str(path))}
    pod = made["Deployment kafka/strimzi-cluster-operator"]["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == "system-cluster-critical"
    assert pod["securityContext"] == {"fsGroup": 0}
    assert pod["containers"][0]["image"] == "registry.example/strimzi/operator:0.38.0"
    environment = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    assert environment["STRIMZI_FEATURE_GATES"] == "+UseKRaft,-StableConnectIdentities"
    assert environment["JAVA_OPTS"] == "-Xmx=256m"
    # Strimzi's exporter is in its Kafka image, klamm's in the operator's.
    assert environment["STRIMZI_DEFAULT_KAFKA_EXPORTER_IMAGE"] == "registry.example/strimzi/operator:0.38.0"
    assert environment["STRIMZI_LOG_LEVEL"] == "INFO"  # for texts that refer to it, as Strimzi's does
    assert made["ConfigMap kafka/strimzi-cluster-operator"]["data"] == {
        "log4j2.properties": "rootLogger.level = WARN\n"
    }


async def test_who_may_not_make_cluster_wide_objects_makes_none(offline: Commands) -> None:
    made = await rendered(offline, "--set", "createGlobalResources=false,createAggregateRoles=true")
    kinds = {obj["kind"] for obj in made}
    assert kinds == {"ServiceAccount", "ConfigMap", "Deployment", "RoleBinding"}
    without = await rendered(offline, "--set", "rbac.create=false,serviceAccountCreate=false")
    assert {obj["kind"] for obj in without} == {"ConfigMap", "Deployment"}


async def test_another_account_is_the_one_that_is_bound(offline: Commands) -> None:
    made = await rendered(offline, "--set", "serviceAccount=kafka-boss")
    subjects = {subject["name"] for obj in made for subject in obj.get("subjects", ())}
    assert subjects == {"kafka-boss"}
    accounts = [obj["metadata"]["name"] for obj in made if obj["kind"] == "ServiceAccount"]
    assert accounts == ["kafka-boss"]


async def test_lint_has_nothing_to_say(offline: Commands) -> None:
    assert "0 chart(s) failed" in await offline.helm("lint", "--strict", str(CHART))


async def test_values_are_documented(offline: Commands) -> None:
    """`helm show values` is where people read them: each has a comment of its own, or belongs to a commented group."""
    shown = await offline.helm("show", "values", str(CHART))
    assert yaml.safe_load(shown) == yaml.safe_load((CHART / "values.yaml").read_text())
    assert "# The namespaces whose Kafka resources the operator looks after" in shown


async def test_what_watches_over_clusters_is_that_of_the_examples(offline: Commands) -> None:
    """And its templates are Prometheus' own: Helm must leave them as they are."""
    settings = "podMonitors.enabled=true,podMonitors.extraLabels.release=stack,prometheusRules.enabled=true"
    made = await rendered(offline, "--set", f"{settings},dashboards.enabled=true,dashboards.namespace=grafana")
    found = {(obj["kind"], obj["metadata"]["name"]): obj for obj in made}
    for monitor in pod_monitors():
        one = found["PodMonitor", monitor["metadata"]["name"]]
        assert one["metadata"]["labels"]["release"] == "stack"
        assert {**one["spec"], "namespaceSelector": {"any": True}} == monitor["spec"]
    assert found["PrometheusRule", "prometheus-k8s-rules"]["metadata"]["labels"]["role"] == "alert-rules"
    assert found["PrometheusRule", "prometheus-k8s-rules"]["spec"] == prometheus_rule()["spec"]
    for board in boards():
        config_map = found["ConfigMap", board.uid]
        assert config_map["metadata"]["namespace"] == "grafana"
        assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert json.loads(config_map["data"][f"{board.uid}.json"]) == dashboard(board)


WATCHED: dict[str, tuple[list[str], Object]] = {
    "its own namespace": ([], {"matchNames": ["kafka"]}),
    "several": (["--set", "watchNamespaces={team-a,team-b}"], {"matchNames": ["kafka", "team-a", "team-b"]}),
    "all": (["--set", "watchAnyNamespace=true"], {"any": True}),
}


@pytest.mark.parametrize("case", WATCHED)
async def test_a_release_monitors_its_own_operator_and_the_clusters_that_it_looks_after(
    case: str, offline: Commands
) -> None:
    """Two releases that asked the same pods would count everything twice."""
    arguments, clusters = WATCHED[case]
    made = await rendered(offline, "--set", "podMonitors.enabled=true", *arguments)
    found = {obj["metadata"]["name"]: obj["spec"]["namespaceSelector"] for obj in made if obj["kind"] == "PodMonitor"}
    assert found == {
        "cluster-operator-metrics": {"matchNames": ["kafka"]},
        "entity-operator-metrics": clusters,
        "kafka-resources-metrics": clusters,
    }


async def test_peoples_labels_go_before_the_charts_own(offline: Commands) -> None:
    own = ("release", "role", "grafana_dashboard")
    values = [f"{block}.extraLabels.{name}=theirs" for block in ("prometheusRules", "dashboards") for name in own]
    enabled = "prometheusRules.enabled=true,dashboards.enabled=true,labels.release=theirs"
    made = await rendered(offline, "--set", f"{enabled},{','.join(values)}")
    labels = {obj["kind"]: obj["metadata"]["labels"] for obj in made}
    assert (labels["PrometheusRule"]["release"], labels["PrometheusRule"]["role"]) == ("theirs", "theirs")
    assert labels["Deployment"]["release"] == "theirs"
    boards_ = [obj for obj in made if obj["kind"] == "ConfigMap" and obj["metadata"]["name"].startswith("strimzi-k")]
    assert {obj["metadata"]["labels"]["grafana_dashboard"] for obj in boards_} == {"theirs"}


async def test_nothing_of_it_is_made_unasked(offline: Commands) -> None:
    kinds = {obj["kind"] for obj in await rendered(offline)}
    assert not {"PodMonitor", "PrometheusRule"} & kinds
