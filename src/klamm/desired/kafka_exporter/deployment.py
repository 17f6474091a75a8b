"""The exporter's Deployment: one pod with one container, which reads the cluster as a client of its internal listener.

Names of variables, of the port and of the container are an interface (Strimzi behaviour): scrapers, dashboards and
people's templates rely on them.
"""

from dataclasses import dataclass, field

from klamm.desired.kafka.listeners import METRICS_PORT, REPLICATION_PORT
from klamm.desired.kafka_exporter.exporter import KafkaExporter
from klamm.desired.pod_sets import SERVER_CERTIFICATE
from klamm.desired.probes import http_probe
from klamm.desired.secrets import CLUSTER_CA, Generations
from klamm.desired.templates import TMP_VOLUME, customised, metadata, pod_spec, tmp_volume
from klamm.desired.volumes import mount, secret_volume
from klamm.resources.custom import process
from klamm.resources.native.container import Container, ContainerPort, EnvVar, Probe
from klamm.resources.native.metadata import LabelSelector, ObjectMeta
from klamm.resources.native.pod import PodTemplateSpec
from klamm.resources.native.workloads import Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdate

LOG_LEVELS = {"info": "0", "debug": "1", "trace": "2"}
"""By how the resource says it, in any case; the variable has the number."""

_PORT_NAME = "tcp-prometheus"
_PROBE_DELAY, _PROBE_TIMEOUT = 15, 15


@dataclass(frozen=True)
class ExporterInputs:
    """`certificate`: the thumbprint; a changed one gives a new pod, since certificates are read once, at the start."""

    generations: Generations = field(default_factory=Generations)
    certificate: str | None = None


def deployment(exporter: KafkaExporter, inputs: ExporterInputs) -> Deployment:
    """The new pod runs before the old one goes; a scrape may still meet one that has not read the cluster yet."""
    template = exporter.template
    return Deployment(
        metadata=metadata(exporter.component, exporter.name, exporter.namespace, exporter.owner, template.deployment),
        spec=DeploymentSpec(
            replicas=1,
            selector=LabelSelector(match_labels=exporter.component.selector()),
            strategy=_strategy(exporter),
            template=PodTemplateSpec(
                metadata=_pod_metadata(exporter, inputs),
                spec=pod_spec(
                    template.pod,
                    exporter.surroundings,
                    containers=[_container(exporter)],
                    volumes=[
                        tmp_volume(template.pod),
                        secret_volume("kafka-exporter-certs", exporter.secret),
                        secret_volume("cluster-ca-certs", f"{exporter.cluster}-{CLUSTER_CA}-cert"),
                    ],
                    service_account=exporter.name,
                ),
            ),
        ),
    )


def _strategy(exporter: KafkaExporter) -> DeploymentStrategy:
    template = exporter.template.deployment
    if template is not None and template.deployment_strategy == "Recreate":
        return DeploymentStrategy(type="Recreate")
    return DeploymentStrategy(type="RollingUpdate", rolling_update=RollingUpdate(max_surge=1, max_unavailable=0))


def _pod_metadata(exporter: KafkaExporter, inputs: ExporterInputs) -> ObjectMeta:
    """Labels to be found by, annotations by which a change of trust or certificate makes a new pod."""
    annotations = inputs.generations.annotations()
    if inputs.certificate is not None:
        annotations[SERVER_CERTIFICATE] = inputs.certificate
    place = metadata(exporter.component, "", "", None, exporter.template.pod, annotations=annotations)
    return ObjectMeta(labels=place.labels, annotations=place.annotations)


def _container(exporter: KafkaExporter) -> Container:
    spec = exporter.spec
    container = Container(
        name=exporter.name,
        image=exporter.image,
        image_pull_policy=exporter.surroundings.image_pull_policy,
        command=["/opt/strimzi/bin/kafka_exporter_run.sh"],
        env=[EnvVar(name=f"KAFKA_EXPORTER_{name}", value=value) for name, value in _settings(exporter).items()],
        ports=[ContainerPort(name=_PORT_NAME, container_port=METRICS_PORT, protocol="TCP")],
        volume_mounts=[
            mount(TMP_VOLUME, "/tmp"),
            mount("kafka-exporter-certs", "/etc/kafka-exporter/kafka-exporter-certs/"),
            mount("cluster-ca-certs", "/etc/kafka-exporter/cluster-ca-certs/"),
        ],
        resources=spec.resources,
        liveness_probe=_probe(spec.liveness_probe),
        readiness_probe=_probe(spec.readiness_probe),
    )
    return customised(container, exporter.template.container)


def _probe(timing: process.Probe | None) -> Probe:
    return http_probe("/healthz", _PORT_NAME, timing, delay=_PROBE_DELAY, timeout=_PROBE_TIMEOUT)


def _settings(exporter: KafkaExporter) -> dict[str, str]:
    """By the variables' names without their prefix; what the resource leaves out and has no default is not set."""
    spec, kafka = exporter.spec, exporter.resource.spec.kafka
    shown = True if spec.show_all_offsets is None else spec.show_all_offsets
    given = {
        "GROUP_EXCLUDE_REGEX": spec.group_exclude_regex,
        "TOPIC_EXCLUDE_REGEX": spec.topic_exclude_regex,
    }
    return {
        "LOGGING": LOG_LEVELS.get((spec.logging or "").lower(), LOG_LEVELS["info"]),
        "KAFKA_VERSION": kafka.version or exporter.surroundings.default_version,
        "KAFKA_SERVER": f"{exporter.cluster}-kafka-bootstrap:{REPLICATION_PORT}",
        "GROUP_REGEX": spec.group_regex or ".*",
        "TOPIC_REGEX": spec.topic_regex or ".*",
        **{name: pattern for name, pattern in given.items() if pattern},
        "OFFSET_SHOW_ALL": str(shown).lower(),
        "ENABLE_SARAMA": str(bool(spec.enable_sarama_logging)).lower(),
    }
