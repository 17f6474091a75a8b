"""ZooKeeper's pods. Where files are mounted is agreed with the launch scripts of the image."""

from klamm.desired.fingerprints import fingerprint
from klamm.desired.jvm import ZOOKEEPER_HEAP, jvm_environment
from klamm.desired.pod_sets import (
    SERVER_CERTIFICATE,
    pod,
)
from klamm.desired.probes import exec_probe
from klamm.desired.secrets import CLUSTER_CA
from klamm.desired.templates import TMP_VOLUME, customised, pod_spec, tmp_volume
from klamm.desired.volumes import config_map_volume, mount, pod_volume, secret_volume
from klamm.desired.zookeeper.configuration import zookeeper_configuration, zookeeper_logging
from klamm.desired.zookeeper.ensemble import (
    CLIENT_PORT,
    CLUSTERING_PORT,
    ELECTION_PORT,
    JMX_PORT,
    METRICS_PORT,
    Ensemble,
    EnsembleInputs,
)
from klamm.resources.native.container import (
    Container,
    ContainerPort,
    EnvVar,
    EnvVarSource,
    VolumeMount,
)
from klamm.resources.native.metadata import SecretKeySelector
from klamm.resources.native.pod import Pod
from klamm.resources.native.volumes import Volume

_HEALTH_CHECK = "/opt/kafka/zookeeper_healthcheck.sh"
_SETTINGS = "zookeeper-metrics-and-logging"


def pods(ensemble: Ensemble, inputs: EnsembleInputs) -> list[Pod]:
    """All nodes' pods in full."""
    return [_pod(ensemble, name, inputs) for name in ensemble.pods]


def _pod(ensemble: Ensemble, name: str, inputs: EnsembleInputs) -> Pod:
    template = ensemble.template.pod
    spec = pod_spec(
        template,
        ensemble.surroundings,
        containers=[_container(ensemble)],
        volumes=_volumes(ensemble, name),
        service_account=ensemble.name,
        owns_claims=any(data.is_claim for data in ensemble.volumes),
    )
    annotations = {
        **inputs.generations.annotations(),
        "strimzi.io/logging-hash": fingerprint(zookeeper_logging(ensemble, inputs)),
        SERVER_CERTIFICATE: inputs.certificates.get(name, ""),
    }
    return pod(
        ensemble.component,
        name,
        ensemble.namespace,
        spec,
        template,
        pod_set=ensemble.name,
        service=ensemble.nodes_service,
        labels={},
        annotations=annotations,
    )


def _container(ensemble: Ensemble) -> Container:
    spec = ensemble.spec
    container = Container(
        name="zookeeper",
        image=ensemble.image,
        image_pull_policy=ensemble.surroundings.image_pull_policy,
        command=["/opt/kafka/zookeeper_run.sh"],
        env=_environment(ensemble),
        ports=_ports(ensemble),
        volume_mounts=_mounts(ensemble),
        resources=spec.resources,
        liveness_probe=exec_probe(_HEALTH_CHECK, spec.liveness_probe),
        readiness_probe=exec_probe(_HEALTH_CHECK, spec.readiness_probe, "serving"),
    )
    return customised(container, ensemble.template.zookeeper_container)


def _environment(ensemble: Ensemble) -> list[EnvVar]:
    metrics = ensemble.spec.metrics_config is not None
    variables = [
        EnvVar(name="ZOOKEEPER_METRICS_ENABLED", value=str(metrics).lower()),
        # Off only while an ensemble is brought up from a snapshotless ZooKeeper 3.4, which ours never is.
        EnvVar(name="ZOOKEEPER_SNAPSHOT_CHECK_ENABLED", value="true"),
        *jvm_environment(ensemble.spec.jvm_options, ensemble.spec.resources, ZOOKEEPER_HEAP),
        EnvVar(name="ZOOKEEPER_CONFIGURATION", value=zookeeper_configuration(ensemble)),
    ]
    options = ensemble.spec.jmx_options
    if options is not None:
        variables.append(EnvVar(name="ZOOKEEPER_JMX_ENABLED", value="true"))
        if options.authentication is not None:
            secret = f"{ensemble.name}-jmx"
            for variable, key in (("USERNAME", "jmx-username"), ("PASSWORD", "jmx-password")):
                source = EnvVarSource(secret_key_ref=SecretKeySelector(name=secret, key=key))
                variables.append(EnvVar(name=f"ZOOKEEPER_JMX_{variable}", value_from=source))
    return variables


def _ports(ensemble: Ensemble) -> list[ContainerPort]:
    ports = [
        ("tcp-clustering", CLUSTERING_PORT),
        ("tcp-election", ELECTION_PORT),
        ("tcp-clients", CLIENT_PORT),
    ]
    if ensemble.spec.metrics_config is not None:
        ports.append(("tcp-prometheus", METRICS_PORT))
    if ensemble.spec.jmx_options is not None:
        ports.append(("jmx", JMX_PORT))
    return [ContainerPort(name=name, container_port=port, protocol="TCP") for name, port in ports]


def _volumes(ensemble: Ensemble, pod: str) -> list[Volume]:
    return [
        tmp_volume(ensemble.template.pod),
        config_map_volume(_SETTINGS, ensemble.config_map),
        secret_volume("zookeeper-nodes", ensemble.nodes_secret),
        secret_volume("cluster-ca-certs", f"{ensemble.cluster}-{CLUSTER_CA}-cert"),
        *(pod_volume(data, pod) for data in ensemble.volumes),
    ]


def _mounts(ensemble: Ensemble) -> list[VolumeMount]:
    return [
        mount(TMP_VOLUME, "/tmp"),
        mount(_SETTINGS, "/opt/kafka/custom-config/"),
        mount("zookeeper-nodes", "/opt/kafka/zookeeper-node-certs/"),
        mount("cluster-ca-certs", "/opt/kafka/cluster-ca-certs/"),
        *(mount(data.name, "/var/lib/zookeeper") for data in ensemble.volumes),
    ]
