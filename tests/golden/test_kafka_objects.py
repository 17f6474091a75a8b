"""Every object of a Kafka resource, as one file to be read: kafka-1.yaml -> kafka-1.out.yaml.

Of examples/kafka-2.yaml, which is the same with metrics and the exporter, kafka-2.out.yaml has what differs.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from tests.builders.kafka import overlaid, surroundings

from klamm.desired.cluster_operator.installation import Installation, installation_objects
from klamm.desired.entity_operator.deployment import EntityOperatorInputs
from klamm.desired.entity_operator.objects import entity_operator_objects
from klamm.desired.entity_operator.operators import EntityOperator
from klamm.desired.kafka import certificate_subjects as broker_subjects
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.configuration import ConfigurationInputs
from klamm.desired.kafka.listeners import Addresses
from klamm.desired.kafka.objects import kafka_objects
from klamm.desired.kafka.pods import PodInputs, brokers_secret
from klamm.desired.kafka_exporter.deployment import ExporterInputs
from klamm.desired.kafka_exporter.exporter import KafkaExporter
from klamm.desired.kafka_exporter.objects import kafka_exporter_objects
from klamm.desired.secrets import (
    CLIENTS_CA,
    CLUSTER_CA,
    CLUSTER_OPERATOR,
    AuthorityFiles,
    Generations,
    LeafFiles,
    authority_certificate_secret,
    authority_key_secret,
    leaf_secret,
    operator_component,
)
from klamm.desired.zookeeper import certificate_subjects as zookeeper_subjects
from klamm.desired.zookeeper.ensemble import Ensemble, EnsembleInputs
from klamm.desired.zookeeper.objects import zookeeper_objects
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.storage import Storage
from klamm.resources.structure import Block, decode, encode

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
META = {"namespace": "kafka", "uid": "00000000-0000-0000-0000-000000000001"}
LEAF = LeafFiles(b"<certificate>", b"<key>", b"<store>", "<password>")


class Dumper(yaml.SafeDumper):
    """Texts of several lines stand as they are, so that a diff shows the line that changed."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, _text)


def dump(objects: list[Block]) -> str:
    return yaml.dump_all(map(encode, objects), Dumper=Dumper, sort_keys=False, width=120, explicit_start=True)


def read_kafka(path: Path) -> Kafka:
    """The first manifest of the file."""
    first: dict[str, Any] = next(yaml.safe_load_all(path.read_text()))
    return decode(Kafka, overlaid(first, {"metadata": META}))


def test_kafka_1(golden: Callable[[str, str], None]) -> None:
    golden("kafka-1.out.yaml", dump(objects_of(read_kafka(HERE / "kafka-1.yaml"))))


def test_kafka_2(golden: Callable[[str, str], None]) -> None:
    """With metrics and the exporter: only what kafka-1 has not, or has otherwise."""
    before = [encode(one) for one in objects_of(read_kafka(HERE / "kafka-1.yaml"))]
    golden("kafka-2.out.yaml", dump([one for one in objects_of(kafka_2()) if encode(one) not in before]))


def kafka_2() -> Kafka:
    return read_kafka(EXAMPLES / "kafka-2.yaml")


def test_cluster_operator(golden: Callable[[str, str], None]) -> None:
    versions = surroundings().kafka_images
    golden(
        "cluster-operator.out.yaml",
        dump(
            installation_objects(
                Installation(namespace="kafka", operator_image="klamm/operator:1.0.0", kafka_images=versions)
            )
        ),
    )


def test_names_in_certificates(golden: Callable[[str, str], None]) -> None:
    cluster, ensemble = described(read_kafka(HERE / "kafka-1.yaml"))
    names = {node.pod: sorted(broker_subjects.alternative_names(cluster, node, Addresses())) for node in cluster.nodes}
    names |= {pod: sorted(zookeeper_subjects.alternative_names(ensemble, pod)) for pod in ensemble.pods}
    golden("kafka-1.names.yaml", yaml.dump(names, Dumper=Dumper, sort_keys=False))


def described(resource: Kafka) -> tuple[KafkaCluster, Ensemble]:
    spec = resource.spec
    assert spec.zookeeper is not None
    return (
        KafkaCluster(resource, surroundings(), spec.kafka.storage or Storage()),
        Ensemble(resource, surroundings(), spec.zookeeper.storage),
    )


def objects_of(resource: Kafka) -> list[Block]:
    cluster, ensemble = described(resource)
    operator = EntityOperator(resource, surroundings())
    ports: dict[tuple[str, int | None], int] = {("external-9094", node.id): 30000 + node.id for node in cluster.nodes}
    metered = resource.spec.kafka.metrics_config is not None
    metrics = '{"rules": ["<of the ConfigMap>"]}' if metered else None
    configuration = ConfigurationInputs(addresses=Addresses(node_ports=ports), metrics=metrics)
    certificates = {node.pod: f"<thumbprint of {node.pod}>" for node in cluster.nodes}
    zookeeper_certificates = {pod: f"<thumbprint of {pod}>" for pod in ensemble.pods}
    exporter = KafkaExporter(resource, surroundings())
    return [
        *secrets(cluster, ensemble, operator, exporter),
        *zookeeper_objects(ensemble, EnsembleInputs(certificates=zookeeper_certificates, metrics=metrics)),
        *kafka_objects(cluster, PodInputs(configuration=configuration, certificates=certificates)),
        *entity_operator_objects(operator, EntityOperatorInputs()),
        *kafka_exporter_objects(exporter, ExporterInputs(certificate="<thumbprint of the exporter>")),
    ]


def secrets(
    cluster: KafkaCluster, ensemble: Ensemble, operator: EntityOperator, exporter: KafkaExporter
) -> list[Block]:
    name, namespace, owner = cluster.name, cluster.namespace, cluster.owner
    files, generations = AuthorityFiles(b"<certificate>", b"<store>", "<password>"), Generations()
    made: list[Block] = []
    for authority in (CLUSTER_CA, CLIENTS_CA):
        made.append(authority_certificate_secret(name, namespace, authority, files, 0, owner, {}))
        made.append(authority_key_secret(name, namespace, authority, b"<key>", 0, owner, {}))
    leaves = [
        (operator_component(name, {}), f"{name}-{CLUSTER_OPERATOR}-certs", {CLUSTER_OPERATOR: LEAF}, False),
        (ensemble.component, ensemble.nodes_secret, dict.fromkeys(ensemble.pods, LEAF), False),
        (cluster.component, brokers_secret(cluster), {node.pod: LEAF for node in cluster.nodes}, True),
        *((part.component, part.secret, {"entity-operator": LEAF}, False) for part in operator.parts),
        *([(exporter.component, exporter.secret, {"kafka-exporter": LEAF}, False)] if exporter.is_wanted else []),
    ]
    for component, secret, entries, trusts_clients in leaves:
        made.append(
            leaf_secret(component, secret, namespace, owner, entries, generations, trusts_clients=trusts_clients)
        )
    return made
