"""The cluster operator from the outside: what it makes, what it tells, what it leaves alone."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from tests.builders.kafka import kafka_object, overlaid
from tests.builders.kafka_world import KAFKAS, NAME, NAMESPACE, POD_SET_RESOURCE, KafkaWorld, kafka_world
from tests.builders.virtual_time import in_virtual_time

from klamm.base import documents
from klamm.kube.requests import Request
from klamm.localkube.objects import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    POD_DISRUPTION_BUDGETS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Refused,
    Resource,
)

GOLDEN = Path(__file__).parents[3] / "golden"
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False)
KINDS = {
    resource.kind: resource
    for resource in (
        CONFIG_MAPS,
        DEPLOYMENTS,
        NETWORK_POLICIES,
        PERSISTENT_VOLUME_CLAIMS,
        POD_DISRUPTION_BUDGETS,
        ROLES,
        ROLE_BINDINGS,
        SECRETS,
        SERVICE_ACCOUNTS,
        SERVICES,
    )
}
BINDING = "strimzi-kafka-my-cluster-kafka-init"


def kafka_1() -> Any:
    first = next(documents.read_all((GOLDEN / "kafka-1.yaml").read_text()))
    return overlaid(first, {"metadata": {"namespace": NAMESPACE}})


def with_node_port(**changes: Any) -> Any:
    listeners = [
        {"name": "plain", "port": 9092, "type": "internal", "tls": False},
        {"name": "external", "port": 9094, "type": "nodeport", "tls": False},
    ]
    return kafka_object({"spec": {"kafka": {"listeners": listeners, **changes}}})


@in_virtual_time
async def test_a_new_cluster_has_every_object_of_the_golden_file() -> None:
    wanted = [one for one in documents.read_all((GOLDEN / "kafka-1.out.yaml").read_text()) if one["kind"] in KINDS]
    async with kafka_world() as world:
        world.apply(kafka_1())
        await world.ready()
        for kind, resource in KINDS.items():
            names = {one["metadata"]["name"] for one in wanted if one["kind"] == kind}
            assert names, kind
            assert names <= set(world.names(resource)), kind
        pods = {f"my-cluster-{kind}-{number}" for kind in ("kafka", "zookeeper") for number in range(3)}
        assert pods <= set(world.pods())
        assert world.cluster.find(BINDINGS, BINDING, None) is not None


@in_virtual_time
async def test_the_status_goes_from_creating_to_ready_with_what_clients_need() -> None:
    async with kafka_world() as world:
        world.cluster.holds_back.add("my-cluster-kafka")
        world.apply(kafka_1())
        await world.passes(5)
        [condition] = world.conditions("NotReady")
        assert condition["reason"] == "Creating"
        assert "waiting for my-cluster-kafka-0" in condition["message"]
        world.cluster.holds_back.clear()
        for number in range(3):
            world.cluster.becomes(f"my-cluster-kafka-{number}", ready=True, namespace=NAMESPACE)
        await world.ready()
        status = world.kafka()["status"]
        await world.until("the cluster's id is told", lambda: None if "clusterId" in world.kafka()["status"] else "no")
        assert world.kafka()["status"]["clusterId"] == "fake-cluster-id"
        assert status["kafkaVersion"] == "3.6.0"
        port = world.get(SERVICES, "my-cluster-kafka-external-bootstrap")["spec"]["ports"][0]["nodePort"]
        assert {one["name"]: one["bootstrapServers"] for one in status["listeners"]} == {
            "plain": "my-cluster-kafka-bootstrap.kafka.svc:9092",
            "tls": "my-cluster-kafka-bootstrap.kafka.svc:9093",
            "external": f"127.0.0.1:{port}",
        }


@in_virtual_time
async def test_a_quiet_cluster_is_neither_written_to_nor_asked() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        await world.passes(10)
        world.transport.requests.clear()
        asked = world.brokers.asked
        await world.passes(100)
        assert [one for one in world.transport.requests if not one.startswith("GET")] == []
        assert world.brokers.asked == asked


def refuse_claims(request: Request) -> Refused | None:
    if request.method == "PATCH" and "persistentvolumeclaims" in request.path:
        return Refused(403, "Forbidden", "exceeded quota: no more storage")
    return None


@in_virtual_time
async def test_certificates_are_renewed_while_storage_is_refused() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        before = world.get(SECRETS, "my-cluster-kafka-brokers")["data"]
        world.transport.refuse = refuse_claims
        world.change(kafka={"storage": {"volumes": [{"id": 0, "type": "persistent-claim", "size": "20Gi"}]}})
        world.annotate(SECRETS, "my-cluster-cluster-ca-cert", force_renew="true")
        await world.passes(30)
        renewed = world.get(SECRETS, "my-cluster-cluster-ca-cert")
        assert renewed["metadata"]["annotations"]["strimzi.io/ca-cert-generation"] == "1"
        assert "strimzi.io/force-renew" not in renewed["metadata"]["annotations"]
        assert world.get(SECRETS, "my-cluster-kafka-brokers")["data"] != before
        [condition] = world.conditions("NotReady")
        assert condition["reason"] == "Forbidden"
        assert "no more storage" in condition["message"]
        brokers = {death.pod for death in world.deaths if "-kafka-" in death.pod or "-zookeeper-" in death.pod}
        assert brokers == set(), "their pods wait for the claims"


@in_virtual_time
async def test_a_paused_cluster_is_left_alone_but_for_pods_that_are_lost() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        world.annotate(KAFKAS, NAME.name, pause_reconciliation="True")  # Strimzi reads it in any spelling
        world.change(kafka={"config": {"num.io.threads": 4}})
        await world.passes(30)
        assert [one["type"] for one in world.kafka()["status"]["conditions"]] == ["ReconciliationPaused"]
        assert world.deaths == []
        assert "num.io.threads" not in world.get(CONFIG_MAPS, "my-cluster-kafka-0")["data"]["server.config"]
        world.cluster.ends("my-cluster-kafka-0", "Failed", NAMESPACE)
        await world.until("the pod is back", lambda: None if "my-cluster-kafka-0" in world.ready_pods() else "no")
        world.annotate(KAFKAS, NAME.name, pause_reconciliation=None)
        await world.ready()
        assert "num.io.threads=4" in world.get(CONFIG_MAPS, "my-cluster-kafka-0")["data"]["server.config"]


@in_virtual_time
async def test_an_operator_that_was_away_when_a_cluster_went_cleans_up_after_it() -> None:
    async with kafka_world() as world:
        world.apply(with_node_port())
        await world.ready()
        await world.stop_operator()
        world.cluster.objects.delete(KAFKAS, NAMESPACE, NAME.name)
        await world.cluster.passes(5)
        assert world.cluster.find(BINDINGS, BINDING, None) is not None
        world.start_operator()
        await world.passes(5)
        assert world.cluster.find(BINDINGS, BINDING, None) is None


@in_virtual_time
async def test_deletion_takes_what_was_made_and_keeps_claims_that_are_to_be_kept() -> None:
    async with kafka_world() as world:
        world.apply(with_node_port())
        await world.ready()
        world.cluster.objects.delete(KAFKAS, NAMESPACE, NAME.name)
        await world.until("no pod is left", lambda: ", ".join(world.pods()) or None)
        await world.passes(5)
        assert world.cluster.find(BINDINGS, BINDING, None) is None
        assert [name for name in world.names(SECRETS) if name.startswith("my-cluster")] == []
        assert [name for name in world.names(SERVICES) if name.startswith("my-cluster")] == []
        kept = [f"data-0-my-cluster-kafka-{n}" for n in range(3)] + [f"data-my-cluster-zookeeper-{n}" for n in range(3)]
        assert world.names(PERSISTENT_VOLUME_CLAIMS) == kept


@in_virtual_time
async def test_a_namespace_whose_operator_went_before_takes_even_the_cluster_wide_binding_along() -> None:
    async with kafka_world() as world:
        world.apply(with_node_port())
        await world.ready()
        await world.stop_operator()
        world.operator = None
        world.cluster.objects.delete(NAMESPACES, None, NAMESPACE)
        there = partial(world.cluster.find, NAMESPACES, NAMESPACE, None)
        await world.until("the namespace is gone", lambda: None if there() is None else "it is there")
        await world.passes(5)
        assert world.cluster.find(BINDINGS, BINDING, None) is None


@in_virtual_time
async def test_claims_go_with_the_cluster_when_deleteclaim_says_so() -> None:
    async with kafka_world() as world:
        world.apply(kafka_1())
        await world.ready()
        world.cluster.objects.delete(KAFKAS, NAMESPACE, NAME.name)
        await world.until("no claim is left", lambda: ", ".join(world.names(PERSISTENT_VOLUME_CLAIMS)) or None)


@in_virtual_time
async def test_a_cluster_of_the_same_name_is_made_anew() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        world.cluster.objects.delete(KAFKAS, NAMESPACE, NAME.name)
        await world.until("no pod is left", lambda: ", ".join(world.pods()) or None)
        world.apply(kafka_object())
        await world.ready()
        assert len(world.pods()) == 7


@in_virtual_time
async def test_all_mistakes_are_told_at_once_and_the_running_cluster_goes_on() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        pods, service = world.uids(), world.get(SERVICES, "my-cluster-kafka-bootstrap")
        world.change(
            kafka={
                "version": "2.0.0",
                "config": {"default.replication.factor": 5, "num.io.threads": "many"},
                "resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}},
            }
        )
        await world.passes(30)
        [condition] = world.conditions("NotReady")
        assert condition["reason"] == "InvalidResourceException"
        for path in ("spec.kafka.version", "default.replication.factor", "resources.requests.memory"):
            assert path in condition["message"], path
        assert world.kafka()["status"]["observedGeneration"] == 2
        assert world.uids() == pods
        assert world.get(SERVICES, "my-cluster-kafka-bootstrap") == service


@in_virtual_time
async def test_a_missing_configmap_is_named_and_stops_nothing_else() -> None:
    async with kafka_world() as world:
        source = {"configMapKeyRef": {"name": "metrics", "key": "kafka.yml"}}
        world.apply(with_node_port(metricsConfig={"type": "jmxPrometheusExporter", "valueFrom": source}))
        await world.passes(5)
        [condition] = world.conditions("NotReady")
        assert "spec.kafka.metricsConfig.valueFrom.configMapKeyRef" in condition["message"]
        assert "there is no ConfigMap kafka/metrics; create it" in condition["message"]
        assert "my-cluster-kafka-brokers" in world.names(SECRETS), "certificates do not wait for it"
        world.cluster.objects.create(CONFIG_MAPS, NAMESPACE, _metrics("rules: [{pattern: kafka.*}]"))
        await world.ready()
        assert _metrics_of_brokers(world)[0] == {"pattern": "kafka.*"}


@in_virtual_time
async def test_wrong_metrics_are_told_and_pods_keep_those_that_they_have() -> None:
    async with kafka_world() as world:
        source = {"configMapKeyRef": {"name": "metrics", "key": "kafka.yml"}}
        exporter = {"metricsConfig": {"type": "jmxPrometheusExporter", "valueFrom": source}}
        world.cluster.objects.create(CONFIG_MAPS, NAMESPACE, _metrics("rules: [{pattern: kafka.*}]"))
        world.apply(kafka_object({"spec": {"kafka": exporter}}))
        await world.ready()
        before, brokers = _metrics_of_brokers(world), _brokers(world)
        _write_metrics(world, "rules: [{pattern: 'kafka.('}]")
        world.change(kafka={"config": {"num.io.threads": 9}})
        await world.passes(120)
        [condition] = world.conditions("NotReady")
        assert condition["reason"] == "MetricsUnusable"
        place = "spec.kafka.metricsConfig (ConfigMap metrics, kafka.yml): rules[0].pattern: 'kafka.('"
        assert f"{place} is no regular expression" in condition["message"]
        assert _metrics_of_brokers(world) == before
        assert not _brokers(world) & brokers, "other changes are rolled out all the same"
        brokers = _brokers(world)
        _write_metrics(world, "rules: [{pattern: java.*, cashe: true}]")
        await world.passes(150)
        await world.ready()
        [warning] = [one for one in world.conditions("Warning") if one["reason"] == "UnknownMetricsKey"]
        assert "rules[0].cashe is not a known field and is ignored (did you mean cache?)" in warning["message"]
        assert _metrics_of_brokers(world)[0]["pattern"] == "java.*"
        assert _brokers(world) == brokers, "the exporter reads a changed file by itself"


@in_virtual_time
async def test_metrics_that_were_never_there_keep_no_broker_from_starting() -> None:
    async with kafka_world() as world:
        source = {"configMapKeyRef": {"name": "metrics", "key": "kafka.yml"}}
        exporter = {"metricsConfig": {"type": "jmxPrometheusExporter", "valueFrom": source}}
        world.apply(kafka_object({"spec": {"kafka": exporter, "zookeeper": exporter}}))
        await world.passes(30)
        [condition] = world.conditions("NotReady")
        for part in ("kafka", "zookeeper"):
            assert f"spec.{part}.metricsConfig.valueFrom.configMapKeyRef: there is no ConfigMap" in condition["message"]
        assert len(world.ready_pods() & {f"my-cluster-kafka-{number}" for number in range(3)}) == 3
        assert [rule["name"] for rule in _metrics_of_brokers(world)] == ["jvm_memory_used_bytes"] * 2


@in_virtual_time
async def test_a_configmap_that_a_resource_refers_to_is_followed_at_once() -> None:
    async with kafka_world() as world:
        source = {"configMapKeyRef": {"name": "metrics", "key": "kafka.yml"}}
        world.apply(with_node_port(metricsConfig={"type": "jmxPrometheusExporter", "valueFrom": source}))
        await world.passes(30)
        world.cluster.objects.create(CONFIG_MAPS, NAMESPACE, _metrics("rules: [{pattern: kafka.*}]"))
        await world.ready(2)
        assert _metrics_of_brokers(world)[0]["pattern"] == "kafka.*"
        _write_metrics(world, "rules: [{pattern: java.*}]")
        await world.passes(2)
        assert _metrics_of_brokers(world)[0]["pattern"] == "java.*"
        world.cluster.objects.delete(CONFIG_MAPS, NAMESPACE, "metrics")
        await world.passes(2)
        [condition] = world.conditions("NotReady")
        assert "there is no ConfigMap kafka/metrics; create it" in condition["message"]


@in_virtual_time
async def test_a_configmap_that_nobody_refers_to_wakes_nobody() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        await world.passes(10)
        world.transport.requests.clear()
        other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-somebody"}, "data": {"a": "b"}}
        world.cluster.objects.create(CONFIG_MAPS, NAMESPACE, other)
        await world.passes(10)
        assert [one for one in world.transport.requests if "secrets" in one] == [], "a pass reads Secrets first"


def _metrics(text: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "metrics"}, "data": {"kafka.yml": text}}


def _write_metrics(world: KafkaWorld, text: str) -> None:
    world.cluster.objects.patch(CONFIG_MAPS, NAMESPACE, "metrics", {"data": {"kafka.yml": text}})


def _metrics_of_brokers(world: KafkaWorld) -> list[dict[str, Any]]:
    """The rules that are mounted."""
    text = world.get(CONFIG_MAPS, "my-cluster-kafka-0")["data"]["metrics-config.json"]
    rules: list[dict[str, Any]] = json.loads(text)["rules"]
    return rules


def _brokers(world: KafkaWorld) -> set[str]:
    return {uid for name, uid in world.uids().items() if "-kafka-" in name}


@in_virtual_time
async def test_unknown_and_deprecated_fields_become_warnings() -> None:
    async with kafka_world() as world:
        # The API drops what its schema does not know; the nodes where the two versions differ keep it.
        volume = {"id": 0, "type": "ephemeral", "kraftMetadatta": "shared"}
        template = {"statefulset": {"metadata": {"labels": {"a": "b"}}}}
        world.apply(kafka_object({"spec": {"kafka": {"template": template, "storage": {"volumes": [volume]}}}}))
        await world.ready()
        told = {one["reason"]: one["message"] for one in world.conditions("Warning")}
        assert "spec.kafka.template.statefulset is deprecated" in told["DeprecatedFields"]
        assert "did you mean kraftMetadata" in told["UnknownFields"]


@in_virtual_time
async def test_a_newer_generation_ends_an_older_wait() -> None:
    """The image of the first generation cannot be had; nobody waits for it once a second one came."""
    async with kafka_world() as world:
        world.cluster.holds_back.add("my-cluster-kafka")
        world.apply(kafka_object())
        await world.passes(20)
        world.cluster.holds_back.clear()
        world.change(kafka={"config": {"num.io.threads": 4}})
        await world.ready(120)
        assert "num.io.threads=4" in world.get(CONFIG_MAPS, "my-cluster-kafka-0")["data"]["server.config"]


@in_virtual_time
async def test_a_removed_listener_takes_its_services_along() -> None:
    async with kafka_world() as world:
        world.apply(with_node_port())
        await world.ready()
        own = ["my-cluster-kafka-0", "my-cluster-kafka-1", "my-cluster-kafka-2", "my-cluster-kafka-external-bootstrap"]
        assert set(own) <= set(world.names(SERVICES))
        mine = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mine"}, "spec": {"ports": [{"port": 1}]}}
        labels = world.get(SERVICES, own[0])["metadata"]["labels"]
        world.cluster.objects.create(SERVICES, NAMESPACE, overlaid(mine, {"metadata": {"labels": labels}}))
        world.apply(kafka_object())
        await world.ready()
        await world.passes(5)
        assert not set(own) & set(world.names(SERVICES))
        assert "mine" in world.names(SERVICES), "it has our labels, but another owner"


@in_virtual_time
async def test_leftover_claims_of_brokers_and_zookeepers_go_and_are_asked_for_together() -> None:
    async with kafka_world() as world:
        world.apply(kafka_1())
        await world.ready()
        for node in ("my-cluster-kafka-0", "my-cluster-zookeeper-0"):
            claim = next(name for name in world.names(PERSISTENT_VOLUME_CLAIMS) if name.endswith(node))
            kept = world.get(PERSISTENT_VOLUME_CLAIMS, claim)
            copied = {key: kept["metadata"][key] for key in ("labels", "ownerReferences")}
            spec = {key: kept["spec"][key] for key in ("accessModes", "resources")}
            for name, metadata in ((f"old-{node}", copied), (f"mine-{node}", {"labels": copied["labels"]})):
                body = {"metadata": {"name": name, **metadata}, "spec": spec}
                world.cluster.objects.create(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, body)
        world.transport.requests.clear()
        await world.passes(200)
        left = {name for name in world.names(PERSISTENT_VOLUME_CLAIMS) if name.startswith(("old-", "mine-"))}
        assert left == {"mine-my-cluster-kafka-0", "mine-my-cluster-zookeeper-0"}
        lists = [one.rpartition("/")[2] for one in world.transport.requests if one.startswith("GET")]
        tidied = lists.count("ingresses")
        assert tidied > 0
        assert lists.count("persistentvolumeclaims") == 2 * tidied, "once to be sized, once to be tidied"


@in_virtual_time
async def test_without_entity_operator_all_of_it_goes() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        world.cluster.objects.patch(KAFKAS, NAMESPACE, NAME.name, {"spec": {"entityOperator": None}})
        await world.ready()
        left = {kind: [n for n in world.names(resource) if "entity" in n] for kind, resource in KINDS.items()}
        assert {kind: names for kind, names in left.items() if names} == {}


@in_virtual_time
async def test_one_of_the_two_operators_goes_and_the_other_stays() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        world.change(entityOperator={"userOperator": None})
        await world.ready()
        left = {name for resource in KINDS.values() for name in world.names(resource) if "entity" in name}
        assert {name for name in left if "user" in name} == set()
        topic = "my-cluster-entity-topic-operator"
        assert {f"{topic}-certs", f"{topic}-config", f"{topic}-role", "my-cluster-entity-operator"} <= left
        containers = world.get(DEPLOYMENTS, "my-cluster-entity-operator")["spec"]["template"]["spec"]["containers"]
        assert [one["name"] for one in containers] == ["topic-operator"]


EXPORTER = "my-cluster-kafka-exporter"


@in_virtual_time
async def test_the_exporter_comes_and_all_of_it_goes_again() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        before = {kind: set(world.names(resource)) for kind, resource in KINDS.items()}
        world.change(kafkaExporter={"groupRegex": "app-.*"})
        await world.ready()
        came = {kind: set(world.names(resource)) - before[kind] for kind, resource in KINDS.items()}
        assert {kind: names for kind, names in came.items() if names} == {
            "Deployment": {EXPORTER},
            "NetworkPolicy": {EXPORTER},
            "PodDisruptionBudget": {EXPORTER},
            "Secret": {f"{EXPORTER}-certs"},
            "ServiceAccount": {EXPORTER},
        }
        assert sorted(world.get(SECRETS, f"{EXPORTER}-certs")["data"]) == [
            f"kafka-exporter.{end}" for end in ("crt", "key", "p12", "password")
        ]
        assert any(name.startswith(f"{EXPORTER}-") for name in world.ready_pods())
        world.change(kafkaExporter=None)
        await world.ready()
        await world.until(
            "its pod is gone", lambda: next((name for name in world.pods() if name.startswith(EXPORTER)), None)
        )
        assert {kind: set(world.names(resource)) for kind, resource in KINDS.items()} == before


@in_virtual_time
async def test_the_cluster_is_ready_when_its_exporter_is() -> None:
    async with kafka_world() as world:
        world.cluster.holds_back.add(EXPORTER)
        world.apply(kafka_object({"spec": {"kafkaExporter": {}}}))
        await world.passes(20)
        [condition] = world.conditions("NotReady")
        assert condition["message"] == f"ready: waiting for {EXPORTER} to be ready"
        world.cluster.holds_back.clear()
        for name in world.pods():
            if name.startswith(EXPORTER):
                world.cluster.becomes(name, ready=True, namespace=NAMESPACE)
        await world.ready()


@in_virtual_time
async def test_another_setting_of_the_exporter_gives_a_new_pod_of_it_and_no_other() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object({"spec": {"kafkaExporter": {}}}))
        await world.ready()
        before = world.uids()
        world.change(kafkaExporter={"logging": "debug"})
        await world.ready()
        await world.passes(5)
        after = world.uids()
        assert {name for name in before.keys() | after.keys() if before.get(name) == after.get(name)} == {
            name for name in before if not name.startswith(EXPORTER)
        }
        assert len(after) == len(before)


def refuse_the_exporter(request: Request) -> Refused | None:
    if request.method == "PATCH" and request.path.endswith(f"deployments/{EXPORTER}"):
        return Refused(403, "Forbidden", "exceeded quota: no more Deployments")
    return None


@in_virtual_time
async def test_an_exporter_that_is_refused_stops_nothing_else() -> None:
    async with kafka_world() as world:
        world.transport.refuse = refuse_the_exporter
        world.apply(kafka_object({"spec": {"kafkaExporter": {}}}))
        await world.passes(60)
        assert {f"my-cluster-{part}-{n}" for part in ("kafka", "zookeeper") for n in range(3)} <= world.ready_pods()
        [condition] = world.conditions("NotReady")
        assert "kafka exporter" in condition["message"]
        assert "no more Deployments" in condition["message"]


@in_virtual_time
async def test_what_somebody_deletes_comes_back() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        world.cluster.objects.delete(POD_SET_RESOURCE, NAMESPACE, "my-cluster-kafka")
        await world.passes(5)
        world.cluster.objects.delete(SERVICES, NAMESPACE, "my-cluster-kafka-bootstrap")
        await world.ready(60)
        assert "my-cluster-kafka" in world.names(POD_SET_RESOURCE)
        await world.until(
            "the Service is back", lambda: None if "my-cluster-kafka-bootstrap" in world.names(SERVICES) else "no"
        )


@in_virtual_time
async def test_a_jmx_port_with_a_password_has_its_secret_which_stays() -> None:
    async with kafka_world() as world:
        options = {"jmxOptions": {"authentication": {"type": "password"}}}
        world.apply(kafka_object({"spec": {"kafka": options, "zookeeper": options}}))
        await world.ready()
        before = world.get(SECRETS, "my-cluster-kafka-jmx")["data"]
        assert sorted(before) == ["jmx-password", "jmx-username"]
        assert "my-cluster-zookeeper-jmx" in world.names(SECRETS)
        await world.passes(300)
        assert world.get(SECRETS, "my-cluster-kafka-jmx")["data"] == before


@in_virtual_time
async def test_a_namespace_that_is_to_be_watched_and_is_not_there_stops_only_the_entity_operator() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object({"spec": {"entityOperator": {"topicOperator": {"watchedNamespace": "team-b"}}}}))
        await world.passes(20)
        assert {"my-cluster-kafka-0", "my-cluster-zookeeper-0"} <= world.ready_pods()
        [condition] = world.conditions("NotReady")
        assert "operator accounts" in condition["message"]
        assert "team-b" in condition["message"]


@in_virtual_time
async def test_the_address_of_a_load_balancer_is_noticed_soon_after_it_is_there() -> None:
    balanced = {"name": "balanced", "port": 9094, "type": "loadbalancer", "tls": False}
    async with kafka_world() as world:
        world.apply(kafka_object({"spec": {"kafka": {"listeners": [balanced]}}}))
        await world.passes(30)
        assert "has no address yet" in world.conditions("NotReady")[0]["message"]
        for service in ("bootstrap", "0", "1", "2"):
            address = {"loadBalancer": {"ingress": [{"ip": "10.1.2.3"}]}}
            name = f"my-cluster-kafka-balanced-{service}"
            world.cluster.objects.patch(SERVICES, NAMESPACE, name, {"status": address}, subresource="status")
        await world.ready(seconds=10)
