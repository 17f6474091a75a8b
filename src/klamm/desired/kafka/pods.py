"""The brokers' pods.

Where files are mounted is agreed with the launch scripts of the image: they find settings in custom-config,
certificates in the three `…-certs` folders, and what the init container learned of the node in `init`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from klamm.desired.fingerprints import fingerprint_of
from klamm.desired.jvm import KAFKA_HEAP, jvm_environment
from klamm.desired.kafka.cluster import KafkaCluster, Node, protocol_version
from klamm.desired.kafka.configuration import ConfigurationInputs, broker_logging, configuration_fingerprint
from klamm.desired.kafka.listeners import (
    CONTROL_PLANE_PORT,
    JMX_PORT,
    METRICS_PORT,
    REPLICATION_PORT,
    ClusterListener,
)
from klamm.desired.kafka.metrics_reporter import is_reporter
from klamm.desired.kafka.server_config import DATA_FOLDER
from klamm.desired.kafka.user_settings import INTER_BROKER_PROTOCOL, MESSAGE_FORMAT, user_settings
from klamm.desired.labels import BROKER_ROLE, CONTROLLER_ROLE
from klamm.desired.logging import appenders_fingerprint
from klamm.desired.pod_sets import (
    CLIENTS_CA_CERT_GENERATION,
    CUSTOM_CERTIFICATES,
    SERVER_CERTIFICATE,
    pod,
)
from klamm.desired.probes import exec_probe
from klamm.desired.secrets import CLIENTS_CA, CLUSTER_CA, Generations
from klamm.desired.templates import TMP_VOLUME, customised, pod_spec, tmp_volume
from klamm.desired.volumes import (
    config_map_volume,
    memory_volume,
    mount,
    pod_volume,
    secret_volume,
    volume_name,
)
from klamm.resources.native.container import (
    Container,
    ContainerPort,
    EnvVar,
    EnvVarSource,
    ObjectFieldSelector,
    VolumeMount,
)
from klamm.resources.native.metadata import SecretKeySelector
from klamm.resources.native.pod import Pod
from klamm.resources.native.volumes import EmptyDirVolumeSource, KeyToPath, Volume

KAFKA_VERSION = "strimzi.io/kafka-version"
_RACK = "rack-volume"
_SETTINGS = "kafka-metrics-and-logging"


@dataclass(frozen=True)
class PodInputs:
    """What pods depend on besides the resource.

    `certificates`: pod name -> thumbprint of its certificate. `custom_certificates`: listener identifier -> thumbprint
    of the certificate that the user brought for it.
    """

    configuration: ConfigurationInputs = field(default_factory=ConfigurationInputs)
    generations: Generations = field(default_factory=Generations)
    certificates: Mapping[str, str] = field(default_factory=dict)
    custom_certificates: Mapping[str, str] = field(default_factory=dict)


def brokers_secret(cluster: KafkaCluster) -> str:
    return f"{cluster.kafka}-brokers"


def pods(cluster: KafkaCluster, inputs: PodInputs) -> list[Pod]:
    """All brokers' pods in full."""
    return [broker_pod(cluster, node, inputs) for node in cluster.nodes]


def broker_pod(cluster: KafkaCluster, node: Node, inputs: PodInputs) -> Pod:
    """One broker's pod."""
    template = cluster.template.pod
    spec = pod_spec(
        template,
        cluster.surroundings,
        containers=[_broker_container(cluster, inputs)],
        init_containers=[_init_container(cluster)] if cluster.needs_init else (),
        volumes=_volumes(cluster, node),
        service_account=cluster.kafka,
        owns_claims=any(data.is_claim for data in cluster.volumes),
    )
    return pod(
        cluster.node_component,
        node.pod,
        cluster.namespace,
        spec,
        template,
        pod_set=cluster.kafka,
        service=cluster.headless_service,
        labels={BROKER_ROLE: "true", CONTROLLER_ROLE: "false"},
        annotations=_annotations(cluster, node, inputs),
    )


def _annotations(cluster: KafkaCluster, node: Node, inputs: PodInputs) -> dict[str, str]:
    """What the pod was made from; the roller reads its reasons off them."""
    generations, settings = inputs.generations, user_settings(cluster)
    made_from = {
        **generations.annotations(),
        CLIENTS_CA_CERT_GENERATION: str(generations.clients_ca_cert),
        "strimzi.io/logging-appenders-hash": appenders_fingerprint(broker_logging(cluster, inputs.configuration)),
        "strimzi.io/broker-configuration-hash": configuration_fingerprint(cluster, node, inputs.configuration),
        KAFKA_VERSION: cluster.version,
        "strimzi.io/log-message-format-version": settings.get(MESSAGE_FORMAT, protocol_version(cluster.version)),
        "strimzi.io/inter-broker-protocol-version": settings[INTER_BROKER_PROTOCOL],
        SERVER_CERTIFICATE: inputs.certificates.get(node.pod, ""),
    }
    if inputs.custom_certificates:
        made_from[CUSTOM_CERTIFICATES] = fingerprint_of(dict(inputs.custom_certificates))
    return made_from


def _broker_container(cluster: KafkaCluster, inputs: PodInputs) -> Container:
    spec, template = cluster.spec, cluster.template.kafka_container
    agent = spec.metrics_config is not None and not is_reporter(spec.metrics_config)
    container = Container(
        name="kafka",
        image=cluster.image,
        image_pull_policy=cluster.surroundings.image_pull_policy,
        command=["/opt/kafka/kafka_run.sh"],
        env=[
            EnvVar(name="KAFKA_METRICS_ENABLED", value=str(agent).lower()),
            *jvm_environment(spec.jvm_options, spec.resources, KAFKA_HEAP),
            *_jmx_environment(cluster),
        ],
        ports=_ports(cluster),
        volume_mounts=_mounts(cluster),
        resources=spec.resources,
        liveness_probe=exec_probe("/opt/kafka/kafka_liveness.sh", spec.liveness_probe),
        readiness_probe=exec_probe("/opt/kafka/kafka_readiness.sh", spec.readiness_probe),
    )
    return customised(container, template)


def _init_container(cluster: KafkaCluster) -> Container:
    """Reads the Node that the pod runs on and writes its rack and addresses where the broker finds them."""
    node_name = EnvVarSource(field_ref=ObjectFieldSelector(field_path="spec.nodeName"))
    environment = [EnvVar(name="NODE_NAME", value_from=node_name)]
    if cluster.rack_label is not None:
        environment.append(EnvVar(name="RACK_TOPOLOGY_KEY", value=cluster.rack_label))
    if cluster.has_node_ports:
        environment.append(EnvVar(name="EXTERNAL_ADDRESS", value="TRUE"))
    around = cluster.surroundings
    container = Container(
        name="kafka-init",
        image=cluster.spec.broker_rack_init_image or around.kafka_init_image or around.operator_image,
        image_pull_policy=around.image_pull_policy,
        command=["/opt/strimzi/bin/kafka_init_run.sh"],
        env=environment,
        volume_mounts=[mount(_RACK, "/opt/kafka/init")],
        resources=cluster.spec.resources,
    )
    return customised(container, cluster.template.init_container)


def _ports(cluster: KafkaCluster) -> list[ContainerPort]:
    ports = [("tcp-ctrlplane", CONTROL_PLANE_PORT), ("tcp-replication", REPLICATION_PORT)]
    ports += [(listener.port_name, listener.port) for listener in cluster.listeners]
    if cluster.spec.metrics_config is not None:
        ports.append(("tcp-prometheus", METRICS_PORT))
    if cluster.spec.jmx_options is not None:
        ports.append(("jmx", JMX_PORT))
    return [ContainerPort(name=name, container_port=port, protocol="TCP") for name, port in ports]


def _volumes(cluster: KafkaCluster, node: Node) -> list[Volume]:
    volumes = [pod_volume(data, node.pod) for data in cluster.volumes]
    if cluster.needs_init:
        volumes.append(memory_volume(_RACK, "1Mi"))
    volumes += [
        tmp_volume(cluster.template.pod),
        secret_volume("cluster-ca", f"{cluster.name}-{CLUSTER_CA}-cert"),
        secret_volume("broker-certs", brokers_secret(cluster)),
        secret_volume("client-ca-cert", f"{cluster.name}-{CLIENTS_CA}-cert"),
        config_map_volume(_SETTINGS, node.pod),
        Volume(name="ready-files", empty_dir=EmptyDirVolumeSource(medium="Memory", size_limit="1Ki")),
    ]
    return volumes + [_custom_certificate(listener) for listener in _with_own_certificate(cluster)]


def _mounts(cluster: KafkaCluster) -> list[VolumeMount]:
    mounts = [mount(data.name, f"{DATA_FOLDER}/{data.name}") for data in cluster.volumes]
    if cluster.needs_init:
        mounts.append(mount(_RACK, "/opt/kafka/init"))
    mounts += [
        mount(TMP_VOLUME, "/tmp"),
        mount("cluster-ca", "/opt/kafka/cluster-ca-certs"),
        mount("broker-certs", "/opt/kafka/broker-certs"),
        mount("client-ca-cert", "/opt/kafka/client-ca-certs"),
        mount(_SETTINGS, "/opt/kafka/custom-config/"),
        mount("ready-files", "/var/opt/kafka"),
    ]
    return mounts + [
        mount(
            volume_name(f"custom-{listener.identifier}-certs"),
            f"/opt/kafka/certificates/custom-{listener.identifier}-certs",
        )
        for listener in _with_own_certificate(cluster)
    ]


def _with_own_certificate(cluster: KafkaCluster) -> list[ClusterListener]:
    return [
        listener
        for listener in cluster.listeners
        if listener.tls and listener.configuration.broker_cert_chain_and_key is not None
    ]


def _custom_certificate(listener: ClusterListener) -> Volume:
    """The user's certificate and key under fixed file names, whatever they are called in his Secret."""
    given = listener.configuration.broker_cert_chain_and_key
    assert given is not None, "only listeners with a certificate of their own are mounted"
    volume = secret_volume(f"custom-{listener.identifier}-certs", given.secret_name or "")
    assert volume.secret is not None
    volume.secret.items = [
        KeyToPath(key=given.key, path="tls.key"),
        KeyToPath(key=given.certificate, path="tls.crt"),
    ]
    return volume


def _jmx_environment(cluster: KafkaCluster) -> list[EnvVar]:
    """With a password, name and password come from a Secret that only the pod reads."""
    options = cluster.spec.jmx_options
    if options is None:
        return []
    variables = [EnvVar(name="KAFKA_JMX_ENABLED", value="true")]
    if options.authentication is not None:
        for variable, key in (("KAFKA_JMX_USERNAME", "jmx-username"), ("KAFKA_JMX_PASSWORD", "jmx-password")):
            source = EnvVarSource(secret_key_ref=SecretKeySelector(name=f"{cluster.kafka}-jmx", key=key))
            variables.append(EnvVar(name=variable, value_from=source))
    return variables
