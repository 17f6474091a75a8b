"""The entity operator's Deployment: one pod with a container for each operator that is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from klamm.desired.entity_operator.operators import TOPIC, EntityOperator, Part
from klamm.desired.fingerprints import fingerprint_of
from klamm.desired.kafka.listeners import REPLICATION_PORT
from klamm.desired.pod_sets import SERVER_CERTIFICATE
from klamm.desired.probes import http_probe, startup_probe
from klamm.desired.secrets import CLIENTS_CA, CLUSTER_CA, Generations
from klamm.desired.templates import customised, metadata, pod_spec
from klamm.desired.volumes import config_map_volume, memory_volume, mount, secret_volume
from klamm.resources.custom.entity_operator import TopicOperatorSpec
from klamm.resources.custom.kafka import CertificateAuthority
from klamm.resources.native.container import Container, ContainerPort, EnvVar, Probe, VolumeMount
from klamm.resources.native.metadata import LabelSelector, ObjectMeta
from klamm.resources.native.pod import PodTemplateSpec
from klamm.resources.native.volumes import Volume
from klamm.resources.native.workloads import Deployment, DeploymentSpec, DeploymentStrategy

_LOOKS_EVERY = 5
"""Seconds. The last pods of a cluster to be ready: with Kubernetes' 10 the cluster waits for the look, not for them."""


@dataclass(frozen=True)
class EntityOperatorInputs:
    """`certificates` and `external_logging`: by container name ("topic-operator", "user-operator").

    `certificates` are thumbprints; a changed one gives a new pod, since certificates are read once, at the start.
    """

    generations: Generations = field(default_factory=Generations)
    certificates: Mapping[str, str] = field(default_factory=dict)
    external_logging: Mapping[str, str] = field(default_factory=dict)


def deployment(operator: EntityOperator, inputs: EntityOperatorInputs) -> Deployment:
    """Always recreated, never two at a time: two topic operators of one cluster would work against each other."""
    template = operator.template.pod
    spec = pod_spec(
        template,
        operator.surroundings,
        containers=[_container(operator, part) for part in operator.parts],
        volumes=[volume for part in operator.parts for volume in _volumes(operator, part)],
        service_account=operator.name,
    )
    return Deployment(
        metadata=metadata(
            operator.component, operator.name, operator.namespace, operator.owner, operator.template.deployment
        ),
        spec=DeploymentSpec(
            replicas=1,
            selector=LabelSelector(match_labels=operator.component.selector()),
            strategy=DeploymentStrategy(type="Recreate"),
            template=PodTemplateSpec(
                metadata=_pod_metadata(operator, inputs),
                spec=spec,
            ),
        ),
    )


def _pod_metadata(operator: EntityOperator, inputs: EntityOperatorInputs) -> ObjectMeta:
    """Labels to be found by, annotations by which a change of trust or certificate makes a new pod."""
    annotations = inputs.generations.annotations()
    if inputs.certificates:
        annotations[SERVER_CERTIFICATE] = fingerprint_of(dict(inputs.certificates))
    place = metadata(operator.component, "", "", None, operator.template.pod, annotations=annotations)
    return ObjectMeta(labels=place.labels, annotations=place.annotations)


def _environment(operator: EntityOperator, part: Part) -> list[EnvVar]:
    collect = bool(part.spec.jvm_options and part.spec.jvm_options.gc_logging_enabled)
    shared = {
        "STRIMZI_NAMESPACE": part.watched_namespace,
        "STRIMZI_RESOURCE_LABELS": f"strimzi.io/cluster={operator.cluster}",
        "STRIMZI_KAFKA_BOOTSTRAP_SERVERS": f"{operator.cluster}-kafka-bootstrap:{REPLICATION_PORT}",
        "STRIMZI_FULL_RECONCILIATION_INTERVAL_MS": str(part.interval_ms),
        "STRIMZI_GC_LOG_ENABLED": str(collect).lower(),
    }
    own = _topic_operator() if part.kind == TOPIC else _user_operator(operator)
    return [EnvVar(name=name, value=value) for name, value in {**shared, **own}.items()]


def _topic_operator() -> dict[str, str]:
    return {"STRIMZI_SECURITY_PROTOCOL": "SSL", "STRIMZI_TLS_ENABLED": "true"}


def _user_operator(operator: EntityOperator) -> dict[str, str]:
    """Where the clients authority is, how long users' certificates last, and whether Kafka keeps ACLs at all."""
    spec, cluster = operator.resource.spec, operator.cluster
    authority = spec.clients_ca or CertificateAuthority()
    user_operator = operator.spec.user_operator
    variables = {
        "STRIMZI_CA_KEY_NAME": f"{cluster}-{CLIENTS_CA}",
        "STRIMZI_CA_CERT_NAME": f"{cluster}-{CLIENTS_CA}-cert",
        "STRIMZI_CA_NAMESPACE": operator.namespace,
        "STRIMZI_CA_VALIDITY": str(authority.validity_days or 365),
        "STRIMZI_CA_RENEWAL": str(authority.renewal_days or 30),
        "STRIMZI_CLUSTER_CA_CERT_SECRET_NAME": f"{cluster}-{CLUSTER_CA}-cert",
        "STRIMZI_EO_KEY_SECRET_NAME": f"{cluster}-entity-user-operator-certs",
        "STRIMZI_SECRET_PREFIX": (user_operator and user_operator.secret_prefix) or "",
        "STRIMZI_ACLS_ADMIN_API_SUPPORTED": str(_keeps_acls(operator)).lower(),
    }
    if spec.maintenance_time_windows:
        variables["STRIMZI_MAINTENANCE_TIME_WINDOWS"] = ";".join(spec.maintenance_time_windows)
    return variables


def _keeps_acls(operator: EntityOperator) -> bool:
    """Whether the authorizer lets ACLs be managed through Kafka's admin API."""
    authorization = operator.resource.spec.kafka.authorization
    if authorization is None:
        return False
    return authorization.type == "simple" or bool(authorization.type == "custom" and authorization.supports_admin_api)


def _container(operator: EntityOperator, part: Part) -> Container:
    spec, image = part.spec, part.spec.image or operator.surroundings.operator_image
    own = operator.template
    container = Container(
        name=part.container,
        image=image,
        image_pull_policy=operator.surroundings.image_pull_policy,
        command=[f"/opt/strimzi/bin/{part.kind}_operator_run.sh"],
        env=_environment(operator, part),
        ports=[ContainerPort(name=part.port_name, container_port=part.port, protocol="TCP")],
        volume_mounts=_mounts(part),
        resources=spec.resources,
        startup_probe=_startup(part),
        liveness_probe=http_probe("/healthy", part.port_name, spec.liveness_probe),
        readiness_probe=http_probe("/ready", part.port_name, spec.readiness_probe, period=_LOOKS_EVERY),
    )
    template = own.topic_operator_container if part.kind == TOPIC else own.user_operator_container
    return customised(container, template)


def _startup(part: Part) -> Probe | None:
    """Only the topic operator's can be set, and only it has one (Strimzi behaviour)."""
    if not isinstance(part.spec, TopicOperatorSpec):
        return None
    return startup_probe("/healthy", part.port_name, part.spec.startup_probe)


def _tmp(part: Part) -> str:
    return f"strimzi-{part.kind[0]}o-tmp"


def _volumes(operator: EntityOperator, part: Part) -> list[Volume]:
    size = (operator.template.pod and operator.template.pod.tmp_dir_size_limit) or "5Mi"
    volumes = [
        memory_volume(_tmp(part), size),
        config_map_volume(f"entity-{part.kind}-operator-metrics-and-logging", part.config_map),
        secret_volume(f"e{part.kind[0]}o-certs", part.secret),
    ]
    if part is operator.parts[0]:
        volumes.append(secret_volume("cluster-ca-certs", f"{operator.cluster}-{CLUSTER_CA}-cert"))
    return volumes


def _mounts(part: Part) -> list[VolumeMount]:
    return [
        mount(_tmp(part), "/tmp"),
        mount(f"entity-{part.kind}-operator-metrics-and-logging", "/opt/strimzi/custom-config/"),
        mount(f"e{part.kind[0]}o-certs", f"/etc/e{part.kind[0]}o-certs/"),
        mount("cluster-ca-certs", "/etc/cluster-ca-certs/"),
    ]
