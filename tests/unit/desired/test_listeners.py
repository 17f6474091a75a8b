"""What follows from listeners of every type: Services, names, advertised addresses, settings."""

from typing import Any

import pytest
from tests.builders.kafka import kafka_with, surroundings

from klamm.desired.kafka.certificate_subjects import alternative_names
from klamm.desired.kafka.cluster import KafkaCluster
from klamm.desired.kafka.listeners import Addresses
from klamm.desired.kafka.server_config import advertised, server_config, unknown_addresses
from klamm.desired.kafka.services import services
from klamm.resources.custom.storage import Storage
from klamm.resources.native.service import Service


def cluster(*listeners: dict[str, Any], **spec: Any) -> KafkaCluster:
    resource = kafka_with(listeners=[{"tls": False, **listener} for listener in listeners], **spec)
    return KafkaCluster(resource, surroundings(), resource.spec.kafka.storage or Storage())


def settings(made: KafkaCluster, known: Addresses | None = None) -> dict[str, str]:
    """server.config of broker 0 as a map."""
    lines = server_config(made, made.nodes[0], known or Addresses()).splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def told(made: KafkaCluster, node: int, known: Addresses | None = None) -> tuple[str | None, int | None]:
    """What broker `node` tells clients of its one user listener."""
    (endpoint,) = advertised(made, made.nodes[node], known or Addresses()).values()
    return endpoint.host, endpoint.port


def service_of(made: KafkaCluster, name: str) -> Service:
    return next(service for service in services(made) if service.metadata.name == name)


NAMES = [
    ("plain", 9092, "internal", "tcp-clients", "c-kafka-bootstrap", None),
    ("tls", 9093, "internal", "tcp-clientstls", "c-kafka-bootstrap", None),
    ("tls", 9095, "internal", "tcp-tls", "c-kafka-bootstrap", None),
    ("external", 9094, "nodeport", "tcp-external", "c-kafka-external-bootstrap", "c-kafka-0"),
    ("external", 9094, "loadbalancer", "tcp-external", "c-kafka-external-bootstrap", "c-kafka-0"),
    ("external", 9095, "nodeport", "tcp-external", "c-kafka-external-bootstrap", "c-kafka-external-0"),
    ("lb", 9096, "loadbalancer", "tcp-lb", "c-kafka-lb-bootstrap", "c-kafka-lb-0"),
]


@pytest.mark.parametrize(("name", "port", "kind", "port_name", "bootstrap", "broker"), NAMES)
def test_names(name: str, port: int, kind: str, port_name: str, bootstrap: str, broker: str | None) -> None:
    made = cluster({"name": name, "port": port, "type": kind})
    listener = made.listeners[0]
    assert listener.port_name == port_name
    assert listener.bootstrap_service == bootstrap.replace("c-", "my-cluster-", 1)
    if broker is not None:
        assert listener.broker_service(0) == broker.replace("c-", "my-cluster-", 1)


def test_an_internal_listener_tells_the_pods_name() -> None:
    internal = {"name": "plain", "port": 9092, "type": "internal"}
    pod = "my-cluster-kafka-1.my-cluster-kafka-brokers.kafka.svc"
    full = {**internal, "configuration": {"useServiceDnsDomain": True}}
    assert told(cluster(internal), 1) == (pod, 9092)
    assert told(cluster(full), 1) == (f"{pod}.cluster.local", 9092)


def test_a_node_port_listener_tells_the_nodes_address_and_the_assigned_port() -> None:
    made = cluster({"name": "external", "port": 9094, "type": "nodeport"})
    known = Addresses(node_ports={("external-9094", 1): 31001})
    assert told(made, 1, known) == ("${STRIMZI_NODEPORT_DEFAULT_ADDRESS}", 31001)
    preferred = {"preferredNodePortAddressType": "InternalDNS"}
    other = cluster({"name": "external", "port": 9094, "type": "nodeport", "configuration": preferred})
    assert told(other, 1, known) == ("${STRIMZI_NODEPORT_INTERNALDNS_ADDRESS}", 31001)


def test_without_its_node_port_a_broker_is_not_started() -> None:
    made = cluster({"name": "external", "port": 9094, "type": "nodeport"}, replicas=2)
    known = Addresses(node_ports={("external-9094", 0): 31000})
    assert unknown_addresses(made, known) == ["Service my-cluster-kafka-1 has no port yet (listener external)"]
    assert "EXTERNAL-9094://${STRIMZI_NODEPORT_DEFAULT_ADDRESS}:unassigned" in settings(made)["advertised.listeners"]


def test_what_the_user_says_is_told_first() -> None:
    configuration = {
        "advertisedHostTemplate": "b{nodeId}.example",
        "advertisedPortTemplate": "9000 + {nodeId}",
        "brokers": [{"broker": 1, "advertisedHost": "one.example", "advertisedPort": 19001}],
    }
    made = cluster({"name": "external", "port": 9094, "type": "nodeport", "configuration": configuration})
    assert told(made, 0) == ("b0.example", 9000)
    assert told(made, 1) == ("one.example", 19001)
    assert told(made, 2) == ("b2.example", 9002)
    assert unknown_addresses(made, Addresses()) == []


def test_other_types_tell_their_services_or_hosts() -> None:
    balancer = cluster({"name": "lb", "port": 9096, "type": "loadbalancer"})
    known = Addresses(hosts={("lb-9096", 0): "lb0.example"})
    by_ip = cluster({"name": "ip", "port": 9097, "type": "cluster-ip"})
    hosts = {"bootstrap": {"host": "b.example"}, "hostTemplate": "b{nodeId}.example"}
    ingress = cluster({"name": "web", "port": 9098, "type": "ingress", "tls": True, "configuration": hosts})
    assert told(balancer, 0, known) == ("lb0.example", 9096)
    assert told(balancer, 0) == (None, 9096)
    assert told(by_ip, 2) == ("my-cluster-kafka-ip-2.kafka.svc", 9097)
    assert told(ingress, 1) == ("b1.example", 443)


def test_services_of_a_load_balancer() -> None:
    configuration = {
        "class": "fast",
        "externalTrafficPolicy": "Local",
        "loadBalancerSourceRanges": ["10.0.0.0/8"],
        "brokers": [{"broker": 0, "loadBalancerIP": "10.1.1.1", "annotations": {"dns": "zero"}}],
    }
    made = cluster({"name": "lb", "port": 9096, "type": "loadbalancer", "configuration": configuration}, replicas=1)
    service = service_of(made, "my-cluster-kafka-lb-0")
    assert service.spec.type == "LoadBalancer"
    assert service.spec.load_balancer_class == "fast"
    assert service.spec.external_traffic_policy == "Local"
    assert service.spec.load_balancer_source_ranges == ["10.0.0.0/8"]
    assert service.spec.load_balancer_ip == "10.1.1.1"
    assert service.metadata.annotations["dns"] == "zero"


def test_a_load_balancer_may_do_without_a_bootstrap_service() -> None:
    configuration = {"createBootstrapService": False}
    made = cluster({"name": "lb", "port": 9096, "type": "loadbalancer", "configuration": configuration})
    assert "my-cluster-kafka-lb-bootstrap" not in [service.metadata.name for service in services(made)]


def test_node_ports_by_hand_are_asked_for() -> None:
    configuration = {"bootstrap": {"nodePort": 30000}, "brokers": [{"broker": 1, "nodePort": 30001}]}
    made = cluster({"name": "external", "port": 9094, "type": "nodeport", "configuration": configuration})
    assert service_of(made, "my-cluster-kafka-external-bootstrap").spec.ports[0].node_port == 30000
    assert service_of(made, "my-cluster-kafka-1").spec.ports[0].node_port == 30001
    assert service_of(made, "my-cluster-kafka-0").spec.ports[0].node_port is None


def test_mutual_tls() -> None:
    made = cluster({"name": "tls", "port": 9093, "type": "internal", "tls": True, "authentication": {"type": "tls"}})
    config, prefix = settings(made), "listener.name.tls-9093."
    assert config[f"{prefix}ssl.keystore.location"] == "/tmp/kafka/cluster.keystore.pem"
    assert config[f"{prefix}ssl.truststore.location"] == "/tmp/kafka/clients.truststore.pem"
    assert config[f"{prefix}ssl.client.auth"] == "required"
    assert "TLS-9093:SSL" in config["listener.security.protocol.map"]


def test_scram() -> None:
    made = cluster({"name": "plain", "port": 9092, "type": "internal", "authentication": {"type": "scram-sha-512"}})
    config, prefix = settings(made), "listener.name.plain-9092."
    assert config[f"{prefix}sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert config[f"{prefix}scram-sha-512.sasl.jaas.config"].endswith("ScramLoginModule required;")
    assert "PLAIN-9092:SASL_PLAINTEXT" in config["listener.security.protocol.map"]


def test_custom_authentication_takes_the_users_settings_but_not_our_stores() -> None:
    given = {"sasl.enabled.mechanisms": "OAUTHBEARER", "ssl.keystore.location": "/etc/passwd"}
    authentication = {"type": "custom", "sasl": True, "listenerConfig": given}
    made = cluster({"name": "own", "port": 9095, "type": "internal", "tls": True, "authentication": authentication})
    config = settings(made)
    assert config["listener.name.own-9095.sasl.enabled.mechanisms"] == "OAUTHBEARER"
    assert config["listener.name.own-9095.ssl.keystore.location"] == "/tmp/kafka/cluster.keystore.pem"
    assert "OWN-9095:SASL_SSL" in config["listener.security.protocol.map"]


def test_a_certificate_of_ones_own_has_its_own_store() -> None:
    own = {"brokerCertChainAndKey": {"secretName": "mine", "key": "a.key", "certificate": "a.crt"}}
    made = cluster({"name": "tls", "port": 9093, "type": "internal", "tls": True, "configuration": own})
    store = settings(made)["listener.name.tls-9093.ssl.keystore.location"]
    assert store == "/tmp/kafka/custom-tls-9093.keystore.pem"


def test_certificates_carry_the_names_of_external_listeners() -> None:
    configuration = {
        "bootstrap": {"host": "start.example", "alternativeNames": ["also.example"]},
        "brokers": [{"broker": 0, "advertisedHost": "zero.example"}],
    }
    made = cluster(
        {"name": "lb", "port": 9096, "type": "loadbalancer", "configuration": configuration},
        {"name": "ip", "port": 9097, "type": "cluster-ip"},
    )
    known = Addresses(hosts={("lb-9096", 0): "10.0.0.7", ("lb-9096", None): "10.0.0.6", ("lb-9096", 1): "10.0.0.8"})
    names = alternative_names(made, made.nodes[0], known)
    wanted = {
        "start.example",
        "also.example",
        "zero.example",
        "10.0.0.6",
        "10.0.0.7",
        "my-cluster-kafka-ip-0.kafka.svc",
    }
    assert wanted <= names
    assert "10.0.0.8" not in names


def test_simple_authorization_names_the_clusters_own_users_first() -> None:
    made = cluster(
        {"name": "plain", "port": 9092, "type": "internal"},
        authorization={"type": "simple", "superUsers": ["CN=admin"]},
    )
    config = settings(made)
    users = config["super.users"].split(";")
    assert config["authorizer.class.name"] == "kafka.security.authorizer.AclAuthorizer"
    assert users[0] == "User:CN=my-cluster-kafka,O=io.strimzi"
    assert users[-2:] == ["User:CN=cluster-operator,O=io.strimzi", "User:CN=admin"]


def test_users_settings_are_filtered_and_cannot_break_out_of_their_line() -> None:
    config = {
        "advertised.listeners": "x",
        "SSL.keystore.location": "x",
        "ssl.cipher.suites": ["A", "B"],
        "auto.create.topics.enable": False,
        "my.plugin.text": "one\nsuper.users=User:eve",
    }
    made = settings(cluster({"name": "plain", "port": 9092, "type": "internal"}, config=config))
    assert made["advertised.listeners"].startswith("CONTROLPLANE-9090://")
    assert made["ssl.cipher.suites"] == "A,B"
    assert made["auto.create.topics.enable"] == "false"
    assert made["my.plugin.text"] == r"one\nsuper.users=User:eve"
    assert "super.users" not in made
    assert "SSL.keystore.location" not in made
