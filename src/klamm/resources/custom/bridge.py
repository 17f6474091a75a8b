"""KafkaBridge: Kafka over HTTP."""

from typing import Annotated

import msgspec

from klamm.resources.custom.process import JvmOptions, Logging, MetricsConfig, Probe, Rack, Tracing
from klamm.resources.custom.secrets import CertificateAndKey, ClientAuthentication, ClientTls
from klamm.resources.custom.status import Status
from klamm.resources.custom.template import (
    ContainerTemplate,
    DeploymentTemplate,
    InternalServiceTemplate,
    PodDisruptionBudgetTemplate,
    PodTemplate,
    ResourceTemplate,
)
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import About, Block, Deprecated, FreeForm, always


class BridgeAdminClient(Block):
    """The bridge's admin client."""

    config: Annotated[FreeForm, About("Settings of the client.")] = {}


class BridgeConsumer(Block):
    """The bridge's consumers."""

    config: Annotated[FreeForm, About("Settings of the client.")] = {}
    enabled: Annotated[bool | None, About("Whether consuming is offered; true by default.", only="v1")] = None
    timeout_seconds: Annotated[
        int | None, About("Seconds after which an idle consumer is closed; never by default.", only="v1")
    ] = None


class BridgeProducer(Block):
    """The bridge's producers."""

    config: Annotated[FreeForm, About("Settings of the client.")] = {}
    enabled: Annotated[bool | None, About("Whether producing is offered; true by default.", only="v1")] = None


class Cors(Block):
    """Which web pages may call the bridge."""

    allowed_methods: Annotated[list[str], About("HTTP methods they may use.", required=True)] = []
    allowed_origins: Annotated[list[str], About("Origins they may come from; regular expressions.", required=True)] = []


class BridgeTls(Block):
    """Encryption of the HTTP port."""

    certificate_and_key: Annotated[CertificateAndKey | None, About("Certificate of the bridge.", required=True)] = None
    config: Annotated[FreeForm, About("Further settings of TLS.")] = {}


class BridgeHttp(Block):
    """The HTTP port."""

    cors: Annotated[Cors | None, About("Which web pages may call.")] = None
    port: Annotated[int | None, About("Port; 8080 by default.", minimum=1023)] = None
    tls: Annotated[BridgeTls | None, About("Encryption.", only="v1")] = None


class KafkaBridgeTemplate(Block):
    """Additions to the bridge's objects."""

    api_service: Annotated[InternalServiceTemplate | None, About("Service of the HTTP port.")] = None
    bridge_container: Annotated[ContainerTemplate | None, About("Container of the bridge.")] = None
    cluster_role_binding: Annotated[ResourceTemplate | None, About("ClusterRoleBinding.")] = None
    deployment: Annotated[DeploymentTemplate | None, About("Deployment.")] = None
    init_container: Annotated[ContainerTemplate | None, About("Init container.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    pod_disruption_budget: Annotated[PodDisruptionBudgetTemplate | None, About("Budget of the pods.")] = None
    service_account: Annotated[ResourceTemplate | None, About("Service account.")] = None


class KafkaBridgeSpec(Block):
    """The bridge."""

    admin_client: Annotated[BridgeAdminClient | None, About("Its admin client.")] = None
    authentication: Annotated[ClientAuthentication | None, About("How the bridge proves who it is.")] = None
    bootstrap_servers: Annotated[str | None, About("Brokers to start from, host:port with commas.", required=True)] = (
        None
    )
    client_rack_init_image: Annotated[
        str | None, About("Image of the init container that reads the node's labels.")
    ] = None
    config: Annotated[FreeForm, About("Settings of all clients and of the bridge.", only="v1")] = {}
    consumer: Annotated[BridgeConsumer | None, About("Its consumers.")] = None
    enable_metrics: Annotated[
        bool | None,
        About(
            "Shows metrics for Prometheus.",
            only="v1beta2",
            deprecated=Deprecated(mend="write metricsConfig in API version v1", since="v1"),
        ),
    ] = None
    http: Annotated[BridgeHttp | None, About("The HTTP port.")] = None
    image: Annotated[str | None, About("Image of the pods.")] = None
    jvm_options: Annotated[JvmOptions | None, About("How the JVM is started.")] = None
    liveness_probe: Annotated[Probe | None, About("Timing of the liveness check.")] = None
    logging: Annotated[Logging | None, About("Log levels.")] = None
    metrics_config: Annotated[MetricsConfig | None, About("Metrics for Prometheus.", only="v1")] = None
    producer: Annotated[BridgeProducer | None, About("Its producers.")] = None
    rack: Annotated[Rack | None, About("Lets consumers read from the nearest replica.")] = None
    readiness_probe: Annotated[Probe | None, About("Timing of the readiness check.")] = None
    replicas: Annotated[int | None, About("Number of pods; 1 by default.", minimum=0)] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    template: Annotated[KafkaBridgeTemplate | None, About("Additions to the objects.")] = None
    tls: Annotated[ClientTls | None, About("How the bridge knows the brokers.")] = None
    tracing: Annotated[Tracing | None, About("Traces of requests.")] = None


class KafkaBridgeStatus(Status):
    """What is known of the bridge."""

    label_selector: Annotated[str | None, About("Selector of the pods, for scaling.")] = None
    replicas: Annotated[int | None, About("Number of pods there are.")] = None
    url: Annotated[str | None, About("Address inside the cluster.")] = None


class KafkaBridge(Block):
    """Kafka over HTTP."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("KafkaBridge")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaBridgeSpec, About("What is wanted.")] = msgspec.field(default_factory=KafkaBridgeSpec)
    status: Annotated[KafkaBridgeStatus | None, About("What is the case.")] = None
