"""ZooKeeper's objects, the entity operator's parts, the cluster operator's installation."""

from typing import Any

from tests.builders.kafka import ABSENT, kafka, surroundings

from klamm.desired.cluster_operator.installation import Installation, deployment, installation_objects
from klamm.desired.entity_operator.deployment import EntityOperatorInputs
from klamm.desired.entity_operator.deployment import deployment as entity_deployment
from klamm.desired.entity_operator.objects import entity_operator_objects
from klamm.desired.entity_operator.operators import EntityOperator
from klamm.desired.kafka.access import init_binding
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.ingresses import ingresses
from klamm.desired.kafka.network_policy import network_policy
from klamm.desired.zookeeper.certificate_subjects import alternative_names
from klamm.desired.zookeeper.configuration import zookeeper_configuration
from klamm.desired.zookeeper.ensemble import Ensemble, EnsembleInputs
from klamm.desired.zookeeper.objects import zookeeper_pod_set
from klamm.desired.zookeeper.services import client_service
from klamm.resources.custom.storage import Storage
from klamm.resources.native.container import Container
from klamm.resources.structure import encode


def ensemble(**spec: Any) -> Ensemble:
    resource = kafka({"spec": {"zookeeper": spec}})
    assert resource.spec.zookeeper is not None
    return Ensemble(resource, surroundings(), resource.spec.zookeeper.storage)


def entity(changes: dict[str, Any]) -> EntityOperator:
    return EntityOperator(kafka({"spec": changes}), surroundings())


def kinds(operator: EntityOperator) -> list[tuple[str, str]]:
    made = [encode(block) for block in entity_operator_objects(operator, EntityOperatorInputs())]
    return [(obj["kind"], obj["metadata"]["name"]) for obj in made]


def environment(container: Container) -> dict[str | None, str | None]:
    return {variable.name: variable.value for variable in container.env}


def test_zookeepers_settings_keep_the_ensembles_own() -> None:
    text = zookeeper_configuration(ensemble(config={"tickTime": 3000, "dataDir": "/tmp", "ssl.protocol": "TLSv1.3"}))
    assert text.splitlines() == [
        "tickTime=3000",
        "initLimit=5",
        "syncLimit=2",
        "autopurge.purgeInterval=1",
        "admin.enableServer=false",
        "ssl.protocol=TLSv1.3",
    ]


def test_brokers_find_zookeeper_before_it_is_ready() -> None:
    assert client_service(ensemble()).spec.publish_not_ready_addresses


def test_a_changed_setting_makes_other_zookeeper_pods() -> None:
    before = zookeeper_pod_set(ensemble(), EnsembleInputs()).spec.pods
    after = zookeeper_pod_set(ensemble(config={"tickTime": 3000}), EnsembleInputs()).spec.pods
    assert before != after


def test_more_zookeepers_leave_the_pods_of_the_others_alone() -> None:
    three = zookeeper_pod_set(ensemble(), EnsembleInputs()).spec.pods
    five = zookeeper_pod_set(ensemble(replicas=5), EnsembleInputs()).spec.pods
    assert five[:3] == three


def test_ephemeral_zookeepers_have_no_claims() -> None:
    made = ensemble(storage={"type": "ephemeral", "size": ABSENT, "sizeLimit": "1Gi"})
    data = zookeeper_pod_set(made, EnsembleInputs()).spec.pods[0]["spec"]["volumes"][-1]
    assert data == {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}


def test_zookeepers_names_hold_for_both_directions_of_a_connection() -> None:
    names = alternative_names(ensemble(), "my-cluster-zookeeper-1")
    assert "my-cluster-zookeeper-1.my-cluster-zookeeper-nodes.kafka.svc" in names
    assert "*.my-cluster-zookeeper-nodes.kafka.svc.cluster.local" in names


def test_without_entity_operator_nothing_of_it_is_wanted() -> None:
    assert kinds(entity({"entityOperator": ABSENT})) == []
    assert kinds(entity({"entityOperator": {"topicOperator": ABSENT, "userOperator": ABSENT}})) == []


def test_each_operator_can_be_alone() -> None:
    made = entity({"entityOperator": {"userOperator": ABSENT}})
    assert ("RoleBinding", "my-cluster-entity-topic-operator-role") in kinds(made)
    assert ("RoleBinding", "my-cluster-entity-user-operator-role") not in kinds(made)
    alone = entity({"entityOperator": {"topicOperator": ABSENT}})
    template = entity_deployment(alone, EntityOperatorInputs()).spec.template
    assert [container.name for container in template.spec.containers] == ["user-operator"]
    assert "cluster-ca-certs" in [volume.name for volume in template.spec.volumes]


def test_an_operator_that_watches_another_namespace_gets_its_role_there() -> None:
    made = entity({"entityOperator": {"userOperator": {"watchedNamespace": "users"}}})
    objects = [encode(block) for block in entity_operator_objects(made, EntityOperatorInputs())]
    places = [
        (obj["metadata"]["namespace"], "ownerReferences" in obj["metadata"])
        for obj in objects
        if obj["kind"] == "RoleBinding" and "user" in obj["metadata"]["name"]
    ]
    assert places == [("kafka", True), ("users", False)]


def test_the_user_operator_knows_whether_kafka_keeps_acls() -> None:
    simple = {"kafka": {"authorization": {"type": "simple"}}, "maintenanceTimeWindows": ["* * 1 * * ?", "* * 2 * * ?"]}
    operator = entity(simple)
    container = entity_deployment(operator, EntityOperatorInputs()).spec.template.spec.containers[1]
    assert environment(container)["STRIMZI_ACLS_ADMIN_API_SUPPORTED"] == "true"
    assert environment(container)["STRIMZI_MAINTENANCE_TIME_WINDOWS"] == "* * 1 * * ?;* * 2 * * ?"


def test_intervals_of_both_api_versions() -> None:
    old = entity({"entityOperator": {"topicOperator": {"reconciliationIntervalSeconds": 30}}})
    new = entity({"entityOperator": {"topicOperator": {"reconciliationIntervalMs": 1500}}})
    assert [operator.parts[0].interval_ms for operator in (old, new)] == [30_000, 1500]


def test_a_changed_certificate_makes_a_new_entity_operator_pod() -> None:
    def annotations(thumbprint: str) -> dict[str, str]:
        inputs = EntityOperatorInputs(certificates={"topic-operator": thumbprint})
        meta = entity_deployment(entity({}), inputs).spec.template.metadata
        assert meta is not None
        return meta.annotations

    assert annotations("a") != annotations("b")


def test_an_operator_in_another_namespace_is_let_in_by_its_labels() -> None:
    resource = kafka()
    away = surroundings(operator_namespace="operators", operator_namespace_labels={"name": "operators"})
    cluster = KafkaCluster(resource, away, resource.spec.kafka.storage or Storage())
    agent = network_policy(cluster).spec.ingress[2].from_[0]
    assert encode(agent) == {
        "namespaceSelector": {"matchLabels": {"name": "operators"}},
        "podSelector": {"matchLabels": {"strimzi.io/kind": "cluster-operator"}},
    }


def test_only_pods_that_read_their_node_are_bound_to_do_so() -> None:
    resource = kafka()
    cluster = KafkaCluster(resource, surroundings(), resource.spec.kafka.storage or Storage())
    assert init_binding(cluster) is None
    racks = kafka({"spec": {"kafka": {"rack": {"topologyKey": "zone"}}}})
    binding = init_binding(KafkaCluster(racks, surroundings(), Storage()))
    assert binding is not None
    assert binding.metadata.name == "strimzi-kafka-my-cluster-kafka-init"
    assert binding.metadata.namespace is None
    assert binding.metadata.owner_references == []


def test_an_ingress_hands_tls_through_to_each_broker() -> None:
    hosts = {"bootstrap": {"host": "b.example"}, "hostTemplate": "b{nodeId}.example", "class": "nginx"}
    listener = {"name": "web", "port": 9098, "type": "ingress", "tls": True, "configuration": hosts}
    resource = kafka({"spec": {"kafka": {"listeners": [listener], "replicas": 1}}})
    made = ingresses(KafkaCluster(resource, surroundings(), Storage()))
    assert [(i.metadata.name, i.spec.rules[0].host) for i in made] == [
        ("my-cluster-kafka-web-bootstrap", "b.example"),
        ("my-cluster-kafka-web-0", "b0.example"),
    ]
    assert made[0].metadata.annotations["nginx.ingress.kubernetes.io/ssl-passthrough"] == "true"


INSTALLATION = Installation(
    namespace="kafka", operator_image="klamm/operator:1", kafka_images={"3.5.0": "a:1", "3.6.0": "b:2"}
)


def test_the_operators_deployment_lists_a_version_a_line() -> None:
    container = deployment(INSTALLATION).spec.template.spec.containers[0]
    assert environment(container)["STRIMZI_KAFKA_IMAGES"] == "3.5.0=a:1\n3.6.0=b:2\n"
    assert environment(container)["STRIMZI_NAMESPACE"] == "*"


def test_an_operator_of_some_namespaces_is_bound_only_there() -> None:
    some = Installation(namespace="kafka", operator_image="o", kafka_images={}, watched=("a", "b"))
    made = [encode(block) for block in installation_objects(some)]
    bound = [(o["metadata"].get("namespace"), o["roleRef"]["name"]) for o in made if o["kind"].endswith("Binding")]
    assert ("a", "strimzi-cluster-operator-namespaced") in bound
    assert (None, "strimzi-cluster-operator-namespaced") not in bound
    assert (None, "strimzi-cluster-operator-global") in bound
