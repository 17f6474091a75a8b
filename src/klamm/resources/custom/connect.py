"""KafkaConnect: a cluster of Kafka Connect workers, and what it shares with KafkaMirrorMaker2."""

from typing import Annotated

import msgspec

from klamm.resources.custom.process import (
    JmxOptions,
    JvmOptions,
    Logging,
    MetricsConfig,
    Probe,
    Rack,
    Tracing,
)
from klamm.resources.custom.secrets import ClientAuthentication, ClientTls
from klamm.resources.custom.status import Status
from klamm.resources.custom.template import (
    ContainerTemplate,
    DeploymentTemplate,
    EnvVarSource,
    InternalServiceTemplate,
    PodDisruptionBudgetTemplate,
    PodSetTemplate,
    PodTemplate,
    ResourceTemplate,
)
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.native.volumes import ConfigMapVolumeSource, SecretVolumeSource
from klamm.resources.structure import About, Block, Deprecated, Form, FreeForm, always

_PLUGIN = Form(r"^[a-z0-9][-_a-z0-9]*[a-z0-9]$", "my-plugin")
_URL = Form(r"^(https?|ftp)://[-a-zA-Z0-9+&@#/%?=~_|!:,.;]*[-a-zA-Z0-9+&@#/%=~_|]$", "https://example.com/plugin.jar")


class BuildConfigTemplate(ResourceTemplate):
    """The BuildConfig of an OpenShift build."""

    pull_secret: Annotated[str | None, About("Secret with the registry's credentials.")] = None


class KafkaConnectTemplate(Block):
    """Additions to the workers' objects."""

    api_service: Annotated[InternalServiceTemplate | None, About("Service of the REST API.")] = None
    build_config: Annotated[BuildConfigTemplate | None, About("BuildConfig of an OpenShift build.")] = None
    build_container: Annotated[ContainerTemplate | None, About("Container of the build.")] = None
    build_pod: Annotated[PodTemplate | None, About("Pod of the build.")] = None
    build_service_account: Annotated[ResourceTemplate | None, About("Service account of the build.")] = None
    cluster_role_binding: Annotated[ResourceTemplate | None, About("ClusterRoleBinding.")] = None
    connect_container: Annotated[ContainerTemplate | None, About("Container of the worker.")] = None
    deployment: Annotated[
        DeploymentTemplate | None,
        About(
            "Has no effect any more.",
            only="v1beta2",
            deprecated=Deprecated(mend="remove it; pods are made by a StrimziPodSet (see podSet)", since="v1"),
        ),
    ] = None
    headless_service: Annotated[InternalServiceTemplate | None, About("Headless Service of the workers.")] = None
    init_container: Annotated[ContainerTemplate | None, About("Init container.")] = None
    jmx_secret: Annotated[ResourceTemplate | None, About("Secret of the JMX port.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    pod_disruption_budget: Annotated[PodDisruptionBudgetTemplate | None, About("Budget of the pods.")] = None
    pod_set: Annotated[PodSetTemplate | None, About("StrimziPodSet.")] = None
    service_account: Annotated[ResourceTemplate | None, About("Service account.")] = None


class ExternalEnvVar(Block):
    """An environment variable from a Secret or a ConfigMap."""

    name: Annotated[str | None, About("Name of the variable.", required=True)] = None
    value_from: Annotated[EnvVarSource | None, About("Where its value stands.", required=True)] = None


class ExternalVolume(Block):
    """Files from a Secret or a ConfigMap."""

    config_map: Annotated[ConfigMapVolumeSource | None, About("The ConfigMap.")] = None
    name: Annotated[str | None, About("Name of the folder.", required=True)] = None
    secret: Annotated[SecretVolumeSource | None, About("The Secret.")] = None


class ExternalConfiguration(Block):
    """Values and files for connectors."""

    env: Annotated[list[ExternalEnvVar], About("Environment variables.")] = []
    volumes: Annotated[list[ExternalVolume], About("Folders in /opt/kafka/external-configuration.")] = []


class Mirror(Block):
    """Another place of the same artifacts."""

    url: Annotated[str | None, About("Its address.", required=True)] = None


class Artifact(Block):
    """A file of a plugin; which fields apply depends on `type`."""

    artifact: Annotated[str | None, About("For maven: artifact id.")] = None
    file_name: Annotated[str | None, About("For other: name of the file.")] = None
    group: Annotated[str | None, About("For maven: group id.")] = None
    include_scope: Annotated[
        str | None,
        About(
            "For maven: scope of the dependencies that come along.",
            only="v1",
            choices=("compile", "provided", "runtime", "test", "system"),
        ),
    ] = None
    insecure: Annotated[bool | None, About("Accept any certificate of the server.")] = None
    mirrors: Annotated[list[Mirror], About("For maven: mirrors.", only="v1")] = []
    repository: Annotated[str | None, About("For maven: the repository.")] = None
    sha512sum: Annotated[str | None, About("Checksum that the file must have.")] = None
    type: Annotated[
        str | None,
        About("Kind of artifact.", required=True, choices=("jar", "tgz", "zip", "maven", "other")),
    ] = None
    url: Annotated[str | None, About("Address of the file.", form=_URL)] = None
    version: Annotated[str | None, About("For maven: version.")] = None


class Plugin(Block):
    """A plugin that is built in."""

    artifacts: Annotated[list[Artifact], About("Its files.", required=True)] = []
    name: Annotated[str | None, About("Its name, and its folder's.", required=True, form=_PLUGIN)] = None


class BuildOutput(Block):
    """Where the built image goes."""

    additional_build_options: Annotated[list[str], About("More options of the builder.", only="v1")] = []
    additional_kaniko_options: Annotated[
        list[str],
        About(
            "More options of Kaniko.",
            only="v1beta2",
            deprecated=Deprecated(mend="write additionalBuildOptions in API version v1", since="v1"),
        ),
    ] = []
    additional_push_options: Annotated[list[str], About("More options of the push.", only="v1")] = []
    image: Annotated[str | None, About("Name of the image.", required=True)] = None
    push_secret: Annotated[str | None, About("Secret with the registry's credentials.")] = None
    type: Annotated[str | None, About("Kind of output.", required=True, choices=("docker", "imagestream"))] = None


class Build(Block):
    """An image with plugins that is built for the workers."""

    output: Annotated[BuildOutput | None, About("Where the image goes.", required=True)] = None
    plugins: Annotated[list[Plugin], About("What is built in.", required=True)] = []
    resources: Annotated[ResourceRequirements | None, About("CPU and memory of the build.")] = None


class MountedArtifact(Block):
    """An image that holds a plugin."""

    pull_policy: Annotated[str | None, About("When the image is pulled.")] = None
    reference: Annotated[str | None, About("Name of the image.", required=True)] = None
    type: Annotated[str | None, About("Kind of artifact.", required=True, choices=("image",))] = None


class MountedPlugin(Block):
    """A plugin that is mounted."""

    artifacts: Annotated[list[MountedArtifact], About("Its images.", required=True)] = []
    name: Annotated[str | None, About("Its name, and its folder's.", required=True, form=_PLUGIN)] = None


class ConnectWorkers(Block):
    """What KafkaConnect and KafkaMirrorMaker2 have in common."""

    client_rack_init_image: Annotated[
        str | None, About("Image of the init container that reads the node's labels.")
    ] = None
    external_configuration: Annotated[
        ExternalConfiguration | None,
        About(
            "Values and files for connectors.",
            only="v1beta2",
            deprecated=Deprecated(mend="use template.pod.volumes and template.connectContainer", since="v1"),
        ),
    ] = None
    image: Annotated[str | None, About("Image of the pods.")] = None
    jmx_options: Annotated[JmxOptions | None, About("Opens the JMX port.")] = None
    jvm_options: Annotated[JvmOptions | None, About("How the JVMs are started.")] = None
    liveness_probe: Annotated[Probe | None, About("Timing of the liveness check.")] = None
    logging: Annotated[Logging | None, About("Log levels.")] = None
    metrics_config: Annotated[MetricsConfig | None, About("Metrics for Prometheus.")] = None
    rack: Annotated[Rack | None, About("Lets workers read from the nearest replica.")] = None
    readiness_probe: Annotated[Probe | None, About("Timing of the readiness check.")] = None
    replicas: Annotated[int | None, About("Number of workers; 3 by default.")] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    template: Annotated[KafkaConnectTemplate | None, About("Additions to the objects.")] = None
    tracing: Annotated[Tracing | None, About("Traces of requests.")] = None
    version: Annotated[str | None, About("Version of Kafka Connect.")] = None


class KafkaConnectSpec(ConnectWorkers):
    """The workers."""

    authentication: Annotated[ClientAuthentication | None, About("How the workers prove who they are.")] = None
    bootstrap_servers: Annotated[str | None, About("Brokers to start from, host:port with commas.", required=True)] = (
        None
    )
    build: Annotated[Build | None, About("Builds an image with plugins.")] = None
    config: Annotated[FreeForm, About("Settings of the workers.")] = {}
    config_storage_topic: Annotated[str | None, About("Topic of configurations.", only="v1")] = None
    group_id: Annotated[str | None, About("Group of the workers.", only="v1")] = None
    offset_storage_topic: Annotated[str | None, About("Topic of source offsets.", only="v1")] = None
    plugins: Annotated[list[MountedPlugin], About("Plugins that are mounted.", only="v1")] = []
    status_storage_topic: Annotated[str | None, About("Topic of states.", only="v1")] = None
    tls: Annotated[ClientTls | None, About("How the workers know the brokers.")] = None


class ConnectorPlugin(Block):
    """A plugin that the workers have."""

    class_: Annotated[str | None, About("Class of the connector.")] = msgspec.field(name="class", default=None)
    type: Annotated[str | None, About("Kind of connector: source or sink.")] = None
    version: Annotated[str | None, About("Version of the plugin.")] = None


class ConnectStatus(Status):
    """What is known of the workers."""

    connector_plugins: Annotated[list[ConnectorPlugin], About("Plugins that the workers have.")] = []
    label_selector: Annotated[str | None, About("Selector of the pods, for scaling.")] = None
    replicas: Annotated[int | None, About("Number of workers there are.")] = None
    url: Annotated[str | None, About("Address of the REST API.")] = None


class KafkaConnect(Block):
    """A cluster of Kafka Connect workers."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("KafkaConnect")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaConnectSpec, About("What is wanted.")] = msgspec.field(default_factory=KafkaConnectSpec)
    status: Annotated[ConnectStatus | None, About("What is the case.")] = None
