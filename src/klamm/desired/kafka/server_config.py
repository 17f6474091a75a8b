"""`server.config`: the settings of one broker, in sections, as they lie in its ConfigMap.

The launch script of the image replaces the placeholders that only the pod knows (`${STRIMZI_RACK_ID}`,
`${STRIMZI_NODEPORT_…_ADDRESS}`) and makes the key stores named here from the Secrets that are mounted. Stores are PEM:
Java needs no password to read them, and making them costs a `cat`.
"""

from collections.abc import Iterable

from klamm.desired.kafka.cluster import KafkaCluster, Node
from klamm.desired.kafka.listeners import (
    CONTROL_PLANE,
    CONTROL_PLANE_PORT,
    REPLICATION,
    REPLICATION_PORT,
    Addresses,
    ClusterListener,
    Endpoint,
)
from klamm.desired.kafka.metrics_reporter import is_reporter, reporter_settings
from klamm.desired.kafka.user_settings import reserved_listener_settings, user_settings
from klamm.desired.properties import Properties
from klamm.desired.surroundings import pod_names
from klamm.resources.custom.authorization import KafkaAuthorization

CLUSTER_KEYSTORE = "/tmp/kafka/cluster.keystore.pem"
CLUSTER_TRUSTSTORE = "/tmp/kafka/cluster.truststore.pem"
CLIENTS_TRUSTSTORE = "/tmp/kafka/clients.truststore.pem"
DATA_FOLDER = "/var/lib/kafka"

_UNKNOWN = "unassigned"
"""Stands where an address is not known yet. Kafka refuses to start with it: nobody may make pods from such a file."""


def server_config(cluster: KafkaCluster, node: Node, known: Addresses) -> str:
    """The text of one broker's server.config."""
    config = Properties()
    config.section(
        "Written by klamm for one broker; edits are overwritten.",
        "Change spec.kafka of the Kafka resource instead.",
    )
    config.section("Identity of this broker")
    config.update([("broker.id", node.id), ("node.id", node.id)])
    if cluster.rack_label is not None:
        config.section("Rack, learned from the node when the pod starts")
        config.set("broker.rack", "${STRIMZI_RACK_ID}")
    config.section("Folders of the message logs")
    config.set("log.dirs", ",".join(log_folders(cluster, node)))
    _internal_listeners(config)
    for listener in cluster.listeners:
        _user_listener(config, cluster, listener)
    _all_listeners(config, cluster, node, known)
    if cluster.spec.authorization is not None:
        _authorization(config, cluster, cluster.spec.authorization)
    settings = user_settings(cluster)
    metrics = cluster.spec.metrics_config
    reporter = reporter_settings(metrics, settings) if metrics is not None and is_reporter(metrics) else {}
    config.section("Settings from spec.kafka.config, with the versions that follow from spec.kafka.version")
    config.update((key, value) for key, value in settings.items() if key not in reporter)
    if reporter:
        config.section("Metrics, shown by Strimzi's reporter")
        config.update(reporter.items())
    _zookeeper(config, cluster)
    return config.text()


def log_folders(cluster: KafkaCluster, node: Node) -> list[str]:
    """One folder a volume; the id in its name guards against another broker's data being taken for its own."""
    return [f"{DATA_FOLDER}/{data.name}/kafka-log{node.id}" for data in cluster.volumes]


def advertised(cluster: KafkaCluster, node: Node, known: Addresses) -> dict[str, Endpoint]:
    """What this broker tells clients: listener identifier -> host and port (None: not known yet)."""
    host, _ = pod_names(node.pod, cluster.headless_service, cluster.namespace, cluster.surroundings.dns_domain)
    domain = cluster.surroundings.dns_domain
    return {
        listener.identifier: listener.advertised(node.id, host, cluster.namespace, domain, known)
        for listener in cluster.listeners
    }


def unknown_addresses(cluster: KafkaCluster, known: Addresses) -> list[str]:
    """What has to be learned from Services before pods can be made, as sentences."""
    missing = []
    for node in cluster.nodes:
        endpoints = advertised(cluster, node, known)
        for listener in cluster.listeners:
            endpoint = endpoints[listener.identifier]
            what = [word for word, value in (("address", endpoint.host), ("port", endpoint.port)) if value is None]
            if what:
                service = listener.broker_service(node.id)
                missing.append(f"Service {service} has no {' and '.join(what)} yet (listener {listener.name})")
    return missing


def super_users(cluster: KafkaCluster) -> list[str]:
    """The cluster's own components, then the user's."""
    own = ["kafka", "entity-topic-operator", "entity-user-operator", "kafka-exporter", "cruise-control"]
    names = [f"User:CN={cluster.name}-{component},O=io.strimzi" for component in own]
    names.append("User:CN=cluster-operator,O=io.strimzi")
    authorization = cluster.spec.authorization
    return names + [f"User:{name}" for name in (authorization.super_users if authorization else [])]


def _internal_listeners(config: Properties) -> None:
    """Brokers among themselves: mutual TLS with certificates of the cluster authority."""
    for title, name in (("the control plane", CONTROL_PLANE), ("replication between brokers", REPLICATION)):
        config.section(f"Listener for {title}")
        prefix = f"listener.name.{name.lower()}."
        config.update(_store(prefix, "keystore", CLUSTER_KEYSTORE))
        config.update(_store(prefix, "truststore", CLUSTER_TRUSTSTORE))
        config.set(f"{prefix}ssl.client.auth", "required")


def _user_listener(config: Properties, cluster: KafkaCluster, listener: ClusterListener) -> None:
    config.section(f"Listener {listener.name} on port {listener.port} ({listener.type})")
    prefix = f"listener.name.{listener.identifier}."
    configuration = listener.configuration
    if listener.tls:
        own = configuration.broker_cert_chain_and_key is not None
        keystore = f"/tmp/kafka/custom-{listener.identifier}.keystore.pem" if own else CLUSTER_KEYSTORE
        config.update(_store(prefix, "keystore", keystore))
    _authentication(config, cluster, prefix, listener)
    if configuration.max_connections is not None:
        config.set(f"{prefix}max.connections", configuration.max_connections)
    if configuration.max_connection_creation_rate is not None:
        config.set(f"{prefix}max.connection.creation.rate", configuration.max_connection_creation_rate)


def _authentication(config: Properties, cluster: KafkaCluster, prefix: str, listener: ClusterListener) -> None:
    authentication = listener.listener.authentication
    if authentication is None:
        return
    if authentication.type == "tls":
        config.update(_store(prefix, "truststore", CLIENTS_TRUSTSTORE))
        config.set(f"{prefix}ssl.client.auth", "required")
    elif authentication.type == "scram-sha-512":
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        config.set(f"{prefix}scram-sha-512.sasl.jaas.config", login)
        config.set(f"{prefix}sasl.enabled.mechanisms", "SCRAM-SHA-512")
    elif authentication.type == "custom":
        given, _ = reserved_listener_settings(cluster.resource).split(authentication.listener_config)
        config.update((f"{prefix}{key}", value) for key, value in given.items())


def _all_listeners(config: Properties, cluster: KafkaCluster, node: Node, known: Addresses) -> None:
    host, _ = pod_names(node.pod, cluster.headless_service, cluster.namespace, cluster.surroundings.dns_domain)
    own = [(CONTROL_PLANE, CONTROL_PLANE_PORT), (REPLICATION, REPLICATION_PORT)]
    protocols = [f"{name}:SSL" for name, _ in own]
    bound = [f"{name}://0.0.0.0:{port}" for name, port in own]
    told = [f"{name}://{host}:{port}" for name, port in own]
    endpoints = advertised(cluster, node, known)
    for listener in cluster.listeners:
        endpoint = endpoints[listener.identifier]
        protocols.append(f"{listener.kafka_name}:{listener.protocol}")
        bound.append(f"{listener.kafka_name}://0.0.0.0:{listener.port}")
        told.append(f"{listener.kafka_name}://{endpoint.host or _UNKNOWN}:{endpoint.port or _UNKNOWN}")
    config.section("All listeners together: protocols, where they are bound, what clients are told")
    config.set("listener.security.protocol.map", ",".join(protocols))
    config.set("listeners", ",".join(bound))
    config.set("advertised.listeners", ",".join(told))
    config.set("inter.broker.listener.name", REPLICATION)
    config.set("control.plane.listener.name", CONTROL_PLANE)
    config.set("sasl.enabled.mechanisms", "")
    config.set("ssl.endpoint.identification.algorithm", "HTTPS")


def _authorization(config: Properties, cluster: KafkaCluster, authorization: KafkaAuthorization) -> None:
    classes = {
        "simple": "kafka.security.authorizer.AclAuthorizer",
        "custom": authorization.authorizer_class,
    }
    authorizer = classes.get(authorization.type or "")
    if authorizer is None:
        return
    config.section("Who may do what")
    config.set("authorizer.class.name", authorizer)
    config.set("super.users", ";".join(super_users(cluster)))


def _zookeeper(config: Properties, cluster: KafkaCluster) -> None:
    config.section("ZooKeeper, over mutual TLS")
    config.set("zookeeper.connect", f"{cluster.zookeeper_client_service}:2181")
    config.set("zookeeper.clientCnxnSocket", "org.apache.zookeeper.ClientCnxnSocketNetty")
    config.set("zookeeper.ssl.client.enable", True)
    for store, location in (("keystore", CLUSTER_KEYSTORE), ("truststore", CLUSTER_TRUSTSTORE)):
        config.set(f"zookeeper.ssl.{store}.location", location)
        config.set(f"zookeeper.ssl.{store}.type", "PEM")


def _store(prefix: str, store: str, location: str) -> Iterable[tuple[str, str]]:
    return [(f"{prefix}ssl.{store}.location", location), (f"{prefix}ssl.{store}.type", "PEM")]
