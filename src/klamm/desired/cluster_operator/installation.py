"""Everything that makes the cluster operator run: account, roles, bindings, configuration, Deployment.

The same list is applied when klamm starts on one machine and when it is installed in a Kubernetes cluster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from klamm.desired.cluster_operator.access import bindings, cluster_roles, service_account
from klamm.desired.cluster_operator.naming import NAME, labels, pod_labels
from klamm.resources.native.configuration import ConfigMap
from klamm.resources.native.container import (
    Container,
    ContainerPort,
    EnvVar,
    EnvVarSource,
    HttpGetAction,
    ObjectFieldSelector,
    Probe,
    ResourceRequirements,
    VolumeMount,
)
from klamm.resources.native.metadata import LabelSelector, ObjectMeta
from klamm.resources.native.pod import PodSpec, PodTemplateSpec
from klamm.resources.native.security import Capabilities, SeccompProfile, SecurityContext
from klamm.resources.native.volumes import ConfigMapVolumeSource, EmptyDirVolumeSource, Volume
from klamm.resources.native.workloads import Deployment, DeploymentSpec, DeploymentStrategy
from klamm.resources.structure import Block

LOGGING_KEY = "log4j2.properties"
_HTTP_PORT = 8080


@dataclass(frozen=True, kw_only=True)
class Installation:
    """How the operator is installed.

    `kafka_images`: Kafka version -> image, in the order in which they are listed. `watched`: namespaces, empty for
    all. `image_pull_policy` None leaves it to Kubernetes. `run_as_non_root` None leaves the user to the image.
    `settings`: further environment, name -> value.
    """

    namespace: str
    operator_image: str
    kafka_images: Mapping[str, str]
    watched: Sequence[str] = ()
    dns_domain: str = "cluster.local"
    full_reconciliation_seconds: int = 120
    operation_timeout_seconds: int = 300
    log_level: str = "INFO"
    image_pull_policy: str | None = None
    run_as_non_root: bool | None = True
    replicas: int = 1
    leader_election: bool = True
    resources: ResourceRequirements | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def installation_objects(installation: Installation) -> list[Block]:
    """All objects of the operator, in the order in which they can be applied."""
    return [
        service_account(installation.namespace),
        *cluster_roles(),
        *bindings(installation.namespace, installation.watched),
        _config_map(installation),
        deployment(installation),
    ]


def deployment(installation: Installation) -> Deployment:
    """The operator's pods. Recreate would leave a gap; two at a time are kept apart by leader election."""
    return Deployment(
        metadata=ObjectMeta(name=NAME, namespace=installation.namespace, labels=labels()),
        spec=DeploymentSpec(
            replicas=installation.replicas,
            selector=LabelSelector(match_labels=pod_labels()),
            strategy=DeploymentStrategy(type="RollingUpdate" if installation.leader_election else "Recreate"),
            template=PodTemplateSpec(
                metadata=ObjectMeta(labels=pod_labels()),
                spec=PodSpec(
                    service_account_name=NAME,
                    containers=[_container(installation)],
                    volumes=[
                        Volume(name="strimzi-tmp", empty_dir=EmptyDirVolumeSource(medium="Memory", size_limit="5Mi")),
                        Volume(name="co-config-volume", config_map=ConfigMapVolumeSource(name=NAME)),
                    ],
                ),
            ),
        ),
    )


def _container(installation: Installation) -> Container:
    return Container(
        name=NAME,
        image=installation.operator_image,
        image_pull_policy=installation.image_pull_policy,
        command=["/opt/strimzi/bin/cluster_operator_run.sh"],
        env=_environment(installation),
        ports=[ContainerPort(name="http", container_port=_HTTP_PORT)],
        volume_mounts=[
            VolumeMount(name="strimzi-tmp", mount_path="/tmp"),
            VolumeMount(name="co-config-volume", mount_path="/opt/strimzi/custom-config/"),
        ],
        liveness_probe=_probe("/healthy", every=30),
        # Often: a kubelet asks at multiples of the period after the start, and `helm install --wait` waits for it.
        readiness_probe=_probe("/ready", every=5),
        resources=installation.resources or _default_resources(),
        security_context=SecurityContext(
            run_as_non_root=installation.run_as_non_root,
            read_only_root_filesystem=True,
            allow_privilege_escalation=False,
            capabilities=Capabilities(drop=["ALL"]),
            seccomp_profile=SeccompProfile(type="RuntimeDefault"),
        ),
    )


def _probe(path: str, *, every: int) -> Probe:
    return Probe(http_get=HttpGetAction(path=path, port="http"), initial_delay_seconds=10, period_seconds=every)


def _default_resources() -> ResourceRequirements:
    return ResourceRequirements(limits={"cpu": "1000m", "memory": "384Mi"}, requests={"cpu": "200m", "memory": "384Mi"})


def _environment(installation: Installation) -> list[EnvVar]:
    """`STRIMZI_KAFKA_IMAGES` keeps one `version=image` a line, so that `kubectl describe` lists the versions."""
    images = "".join(f"{version}={image}\n" for version, image in installation.kafka_images.items())
    operator = installation.operator_image
    values = {
        "STRIMZI_NAMESPACE": ",".join(installation.watched) or "*",
        "STRIMZI_FULL_RECONCILIATION_INTERVAL_MS": str(installation.full_reconciliation_seconds * 1000),
        "STRIMZI_OPERATION_TIMEOUT_MS": str(installation.operation_timeout_seconds * 1000),
        "STRIMZI_DEFAULT_TOPIC_OPERATOR_IMAGE": operator,
        "STRIMZI_DEFAULT_USER_OPERATOR_IMAGE": operator,
        "STRIMZI_DEFAULT_KAFKA_INIT_IMAGE": operator,
        "STRIMZI_DEFAULT_KAFKA_EXPORTER_IMAGE": operator,
        "STRIMZI_KAFKA_IMAGES": images,
        "KUBERNETES_SERVICE_DNS_DOMAIN": installation.dns_domain,
        "STRIMZI_LEADER_ELECTION_ENABLED": str(installation.leader_election).lower(),
        "STRIMZI_LEADER_ELECTION_LEASE_NAME": NAME,
        **installation.settings,
    }
    from_pod = {
        "STRIMZI_OPERATOR_NAMESPACE": "metadata.namespace",
        "STRIMZI_LEADER_ELECTION_LEASE_NAMESPACE": "metadata.namespace",
        "STRIMZI_LEADER_ELECTION_IDENTITY": "metadata.name",
    }
    return [EnvVar(name=name, value=value) for name, value in values.items()] + [
        EnvVar(name=name, value_from=EnvVarSource(field_ref=ObjectFieldSelector(field_path=path)))
        for name, path in from_pod.items()
    ]


def _config_map(installation: Installation) -> ConfigMap:
    """The log level, changed by editing; the key keeps the name that people look for."""
    return ConfigMap(
        metadata=ObjectMeta(name=NAME, namespace=installation.namespace, labels=labels()),
        data={
            LOGGING_KEY: f"# Read again when it changes. Levels: DEBUG, INFO, WARN, ERROR\n"
            f"rootLogger.level = {installation.log_level}\n"
        },
    )
