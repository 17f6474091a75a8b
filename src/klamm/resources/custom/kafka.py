"""Kafka: a Kafka cluster, with ZooKeeper (v1beta2) or in KRaft mode, and what runs beside it."""

from typing import Annotated

import msgspec

from klamm.resources.custom.authorization import KafkaAuthorization
from klamm.resources.custom.cruise_control import CruiseControlSpec
from klamm.resources.custom.entity_operator import EntityOperatorSpec
from klamm.resources.custom.jmx_trans import JmxTransSpec
from klamm.resources.custom.kafka_exporter import KafkaExporterSpec
from klamm.resources.custom.listeners import Listener, ListenerStatus
from klamm.resources.custom.process import JmxOptions, JvmOptions, Logging, MetricsConfig, Probe, Rack
from klamm.resources.custom.status import Status
from klamm.resources.custom.storage import Storage
from klamm.resources.custom.template import (
    NO_STATEFUL_SET,
    ContainerTemplate,
    InternalServiceTemplate,
    PodDisruptionBudgetTemplate,
    PodSetTemplate,
    PodTemplate,
    ResourceTemplate,
    StatefulSetTemplate,
)
from klamm.resources.custom.zookeeper import ZookeeperClusterSpec
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import About, Block, Deprecated, FreeForm, Texts, always


class KafkaClusterTemplate(Block):
    """Additions to the brokers' objects."""

    bootstrap_service: Annotated[InternalServiceTemplate | None, About("Bootstrap Service.")] = None
    brokers_service: Annotated[InternalServiceTemplate | None, About("Headless Service of the brokers.")] = None
    cluster_ca_cert: Annotated[ResourceTemplate | None, About("Secret of the cluster CA's certificate.")] = None
    cluster_role_binding: Annotated[ResourceTemplate | None, About("ClusterRoleBinding.")] = None
    external_bootstrap_ingress: Annotated[ResourceTemplate | None, About("Bootstrap Ingress.")] = None
    external_bootstrap_route: Annotated[ResourceTemplate | None, About("Bootstrap Route.")] = None
    external_bootstrap_service: Annotated[ResourceTemplate | None, About("External bootstrap Service.")] = None
    init_container: Annotated[ContainerTemplate | None, About("Init container.")] = None
    jmx_secret: Annotated[ResourceTemplate | None, About("Secret of the JMX port.")] = None
    kafka_container: Annotated[ContainerTemplate | None, About("Container of Kafka.")] = None
    per_pod_ingress: Annotated[ResourceTemplate | None, About("Ingresses of single brokers.")] = None
    per_pod_route: Annotated[ResourceTemplate | None, About("Routes of single brokers.")] = None
    per_pod_service: Annotated[ResourceTemplate | None, About("Services of single brokers.")] = None
    persistent_volume_claim: Annotated[ResourceTemplate | None, About("Claims of the brokers.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    pod_disruption_budget: Annotated[PodDisruptionBudgetTemplate | None, About("Budget of the pods.")] = None
    pod_set: Annotated[PodSetTemplate | None, About("StrimziPodSets.")] = None
    service_account: Annotated[ResourceTemplate | None, About("Service account.")] = None
    statefulset: Annotated[
        StatefulSetTemplate | None,
        About("Has no effect any more.", only="v1beta2", deprecated=NO_STATEFUL_SET),
    ] = None


class Quotas(Block):
    """Limits for clients that have none of their own."""

    type: Annotated[str | None, About("Which plugin holds them.", required=True, choices=("kafka", "strimzi"))] = None
    consumer_byte_rate: Annotated[int | None, About("Bytes a second to consumers.", minimum=0)] = None
    controller_mutation_rate: Annotated[
        float | None, About("For kafka: partitions made or deleted a second.", minimum=0)
    ] = None
    excluded_principals: Annotated[list[str], About("For strimzi: users without limits.")] = []
    min_available_bytes_per_volume: Annotated[
        int | None, About("For strimzi: free bytes below which producing stops.", minimum=0)
    ] = None
    min_available_ratio_per_volume: Annotated[
        float | None,
        About("For strimzi: free share below which producing stops.", minimum=0, maximum=1),
    ] = None
    producer_byte_rate: Annotated[int | None, About("Bytes a second from producers.", minimum=0)] = None
    request_percentage: Annotated[
        int | None, About("For kafka: share of request threads a client may use.", minimum=0)
    ] = None


class RemoteStorageManager(Block):
    """The plugin that moves segments."""

    class_name: Annotated[str | None, About("Class of the plugin.")] = None
    class_path: Annotated[str | None, About("Where its classes lie in the image.")] = None
    config: Annotated[Texts, About("Settings of the plugin.")] = {}


class TieredStorage(Block):
    """Keeps old segments elsewhere."""

    type: Annotated[str | None, About("Kind of plugin.", required=True, choices=("custom",))] = None
    remote_storage_manager: Annotated[RemoteStorageManager | None, About("The plugin.")] = None


class KafkaClusterSpec(Block):
    """The brokers."""

    authorization: Annotated[KafkaAuthorization | None, About("Who may do what.")] = None
    broker_rack_init_image: Annotated[
        str | None, About("Image of the init container that reads the node's labels.")
    ] = None
    config: Annotated[FreeForm, About("Settings of server.properties; what the operator sets itself is ignored.")] = {}
    image: Annotated[str | None, About("Image of the pods; follows from the version.")] = None
    jmx_options: Annotated[JmxOptions | None, About("Opens the JMX port.")] = None
    jvm_options: Annotated[JvmOptions | None, About("How the JVMs are started.")] = None
    listeners: Annotated[list[Listener], About("Doors for clients, at least one.", required=True, at_least=1)] = []
    liveness_probe: Annotated[Probe | None, About("Timing of the liveness check.")] = None
    logging: Annotated[Logging | None, About("Log levels.")] = None
    metadata_version: Annotated[
        str | None, About("Metadata version; follows the Kafka version when not given.", only="v1")
    ] = None
    metrics_config: Annotated[MetricsConfig | None, About("Metrics for Prometheus.")] = None
    quotas: Annotated[Quotas | None, About("Default limits for clients.", only="v1")] = None
    rack: Annotated[Rack | None, About("Spreads replicas over racks or zones.")] = None
    readiness_probe: Annotated[Probe | None, About("Timing of the readiness check.")] = None
    replicas: Annotated[
        int | None,
        About("Number of brokers; with node pools each pool has its own.", only="v1beta2", minimum=1),
    ] = None
    resources: Annotated[
        ResourceRequirements | None,
        About("CPU and memory; with node pools each pool has its own.", only="v1beta2"),
    ] = None
    storage: Annotated[
        Storage | None,
        About("Where the data lies; with node pools each pool has its own.", only="v1beta2"),
    ] = None
    template: Annotated[KafkaClusterTemplate | None, About("Additions to the objects.")] = None
    tiered_storage: Annotated[TieredStorage | None, About("Keeps old segments elsewhere.", only="v1")] = None
    version: Annotated[str | None, About("Version of Kafka, e.g. 3.6.0.")] = None


class CertificateAuthority(Block):
    """A certificate authority."""

    certificate_expiration_policy: Annotated[
        str | None,
        About(
            "What happens before it expires: a new certificate for the old key, or a new key.",
            choices=("renew-certificate", "replace-key"),
        ),
    ] = None
    generate_certificate_authority: Annotated[
        bool | None, About("Whether the operator makes it (default) or finds yours in its Secrets.")
    ] = None
    generate_secret_owner_reference: Annotated[
        bool | None, About("Whether its Secrets are deleted with the cluster; true by default.")
    ] = None
    renewal_days: Annotated[
        int | None, About("Days before its end at which it is renewed; 30 by default.", minimum=1)
    ] = None
    validity_days: Annotated[int | None, About("Days it is valid; 365 by default.", minimum=1)] = None


class KafkaSpec(Block):
    """The whole cluster."""

    clients_ca: Annotated[CertificateAuthority | None, About("The authority that signs users.")] = None
    cluster_ca: Annotated[CertificateAuthority | None, About("The authority that signs the cluster.")] = None
    cruise_control: Annotated[CruiseControlSpec | None, About("Runs Cruise Control.")] = None
    entity_operator: Annotated[
        EntityOperatorSpec | None, About("Runs the topic operator, the user operator or both.")
    ] = None
    jmx_trans: Annotated[
        JmxTransSpec | None,
        About(
            "Has no effect any more.",
            only="v1beta2",
            deprecated=Deprecated(mend="remove it; use metricsConfig"),
        ),
    ] = None
    kafka: Annotated[KafkaClusterSpec, About("The brokers.", required=True)] = msgspec.field(
        default_factory=KafkaClusterSpec
    )
    kafka_exporter: Annotated[KafkaExporterSpec | None, About("Runs the Kafka exporter.")] = None
    maintenance_time_windows: Annotated[
        list[str], About("When certificates may be renewed: cron expressions (Quartz), UTC.")
    ] = []
    zookeeper: Annotated[
        ZookeeperClusterSpec | None,
        About("The ZooKeeper ensemble; a cluster in KRaft mode has none.", only="v1beta2"),
    ] = None


class UsedNodePool(Block):
    """A node pool of this cluster, in the status."""

    name: Annotated[str | None, About("Name of the KafkaNodePool.")] = None


class AutoRebalanceMode(Block):
    """Brokers that wait for a rebalance, in the status."""

    brokers: Annotated[list[int], About("Ids of the brokers.")] = []
    mode: Annotated[str | None, About("What starts it.", choices=("add-brokers", "remove-brokers"))] = None


class AutoRebalanceStatus(Block):
    """Rebalances that start by themselves, in the status."""

    last_transition_time: Annotated[str | None, About("When the state last changed.")] = None
    modes: Annotated[list[AutoRebalanceMode], About("Brokers that wait.")] = []
    state: Annotated[
        str | None,
        About("What is going on.", choices=("Idle", "RebalanceOnScaleDown", "RebalanceOnScaleUp")),
    ] = None


class KafkaStatus(Status):
    """What is known of the cluster."""

    auto_rebalance: Annotated[AutoRebalanceStatus | None, About("Rebalances that start by themselves.", only="v1")] = (
        None
    )
    cluster_id: Annotated[str | None, About("Id that Kafka gave the cluster.")] = None
    cluster_security: Annotated[FreeForm, About("State of the cluster's own security.", only="v1")] = {}
    kafka_metadata_state: Annotated[
        str | None, About("Where the metadata lives: ZooKeeper, KRaft or a step between.")
    ] = None
    kafka_metadata_version: Annotated[str | None, About("Metadata version in use.")] = None
    kafka_node_pools: Annotated[list[UsedNodePool], About("Node pools of this cluster.")] = []
    kafka_version: Annotated[str | None, About("Version of Kafka in use.")] = None
    listeners: Annotated[list[ListenerStatus], About("How the listeners are reached.")] = []
    operator_last_successful_version: Annotated[
        str | None, About("Version of the operator whose last pass succeeded.")
    ] = None


class Kafka(Block):
    """A Kafka cluster."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("Kafka")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaSpec, About("What is wanted.")] = msgspec.field(default_factory=KafkaSpec)
    status: Annotated[KafkaStatus | None, About("What is the case.")] = None
