"""What can be set for every process that an operator starts: JVM, probes, logging, metrics, rack."""

from typing import Annotated, ClassVar

import msgspec

from klamm.resources.custom.secrets import ConfigMapValue
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.structure import About, Block, Form, Rule, Texts

_HEAP = Form(r"^[0-9]+[mMgG]?$", "512m")


class SystemProperty(Block):
    """`-Dname=value`."""

    name: Annotated[str | None, About("Name of the property.")] = None
    value: Annotated[str | None, About("Its value.")] = None


class JvmOptions(Block):
    """How a JVM is started."""

    xx: Annotated[Texts, About("Options written -XX:name=value, or +name and -name for booleans.")] = msgspec.field(
        name="-XX", default_factory=dict
    )
    xms: Annotated[str | None, About("Heap at the start, as for the option -Xms.", form=_HEAP)] = msgspec.field(
        name="-Xms", default=None
    )
    xmx: Annotated[str | None, About("Largest heap, as for the option -Xmx.", form=_HEAP)] = msgspec.field(
        name="-Xmx", default=None
    )
    gc_logging_enabled: Annotated[bool | None, About("Log garbage collections; off by default.")] = None
    java_system_properties: Annotated[list[SystemProperty], About("System properties given with -D.")] = []


class JmxAuthentication(Block):
    """Who may connect to the JMX port."""

    type: Annotated[str | None, About("Kind of authentication.", required=True, choices=("password",))] = None


class JmxOptions(Block):
    """Opens the JMX port; `{}` opens it to everybody."""

    authentication: Annotated[JmxAuthentication | None, About("Demands a password.")] = None


class Probe(Block):
    """Timing of a liveness, readiness or startup check."""

    failure_threshold: Annotated[int | None, About("Failures in a row that count as failed.", minimum=1)] = None
    initial_delay_seconds: Annotated[int | None, About("Seconds until the first check.", minimum=0)] = None
    period_seconds: Annotated[int | None, About("Seconds between checks.", minimum=1)] = None
    success_threshold: Annotated[int | None, About("Successes in a row that count as healthy.", minimum=1)] = None
    timeout_seconds: Annotated[int | None, About("Seconds a check may take.", minimum=1)] = None


class Logging(Block):
    """Log levels here (inline), or a whole configuration from a ConfigMap (external)."""

    type: Annotated[
        str | None, About("Where the configuration stands.", required=True, choices=("inline", "external"))
    ] = None
    loggers: Annotated[Texts, About("For inline: logger and its level.")] = {}
    value_from: Annotated[ConfigMapValue | None, About("For external: the ConfigMap's entry.")] = None


class MetricsReporterValues(Block):
    """What Strimzi's metrics reporter lets through."""

    allow_list: Annotated[list[str], About("Regular expressions of the metrics that are shown.")] = []


class MetricsConfig(Block):
    """Shows metrics for Prometheus on port 9404."""

    checks: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.type != 'jmxPrometheusExporter' || has(self.valueFrom)",
            "jmxPrometheusExporter needs valueFrom",
        ),
    )

    type: Annotated[
        str | None,
        About(
            "Which exporter shows them.",
            required=True,
            choices=("jmxPrometheusExporter", "strimziMetricsReporter"),
        ),
    ] = None
    value_from: Annotated[
        ConfigMapValue | None, About("For jmxPrometheusExporter: its configuration in a ConfigMap.")
    ] = None
    values: Annotated[MetricsReporterValues | None, About("For strimziMetricsReporter: its settings.", only="v1")] = (
        None
    )


class Tracing(Block):
    """Traces of requests."""

    type: Annotated[
        str | None,
        About("Tracing library; jaeger no longer works.", required=True, choices=("jaeger", "opentelemetry")),
    ] = None


class Rack(Block):
    """From where a node learns its rack."""

    checks: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.topologyKey) || (has(self.type) && self.type != 'topology-label')",
            "topologyKey must be given for the type topology-label",
            only="v1",
        ),
        Rule(
            "!has(self.type) || self.type != 'environment-variable' || has(self.envVarName)",
            "envVarName must be given for the type environment-variable",
            only="v1",
        ),
    )

    topology_key: Annotated[
        str | None,
        About("Label of Kubernetes nodes whose value is the rack, e.g. topology.kubernetes.io/zone."),
    ] = None
    type: Annotated[
        str | None,
        About("Source of the rack.", only="v1", choices=("topology-label", "environment-variable")),
    ] = None
    env_var_name: Annotated[
        str | None, About("For environment-variable: the variable that holds the rack.", only="v1")
    ] = None


class TlsSidecar(Block):
    """A sidecar that is not started any more; its settings are accepted and have no effect."""

    image: Annotated[str | None, About("Image of the sidecar.")] = None
    liveness_probe: Annotated[Probe | None, About("Liveness check of the sidecar.")] = None
    log_level: Annotated[
        str | None,
        About(
            "Log level of the sidecar.",
            choices=("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"),
        ),
    ] = None
    readiness_probe: Annotated[Probe | None, About("Readiness check of the sidecar.")] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory of the sidecar.")] = None
