"""KafkaMirrorMaker: the first MirrorMaker, only in API version v1beta2."""

from typing import Annotated

import msgspec

from klamm.resources.custom.process import JvmOptions, Logging, MetricsConfig, Probe, Tracing
from klamm.resources.custom.secrets import ClientAuthentication, ClientTls
from klamm.resources.custom.status import Status
from klamm.resources.custom.template import (
    ContainerTemplate,
    DeploymentTemplate,
    PodDisruptionBudgetTemplate,
    PodTemplate,
    ResourceTemplate,
)
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import About, Block, Deprecated, FreeForm, always


class MirrorClient(Block):
    """What the reading and the writing end have in common."""

    authentication: Annotated[ClientAuthentication | None, About("How it proves who it is.")] = None
    bootstrap_servers: Annotated[str | None, About("Brokers to start from, host:port with commas.", required=True)] = (
        None
    )
    config: Annotated[FreeForm, About("Settings of the client.")] = {}
    tls: Annotated[ClientTls | None, About("How it knows the brokers.")] = None


class MirrorConsumer(MirrorClient):
    """The reading end."""

    group_id: Annotated[str | None, About("Its consumer group.", required=True)] = None
    num_streams: Annotated[int | None, About("Consumers in parallel.", minimum=1)] = None
    offset_commit_interval: Annotated[int | None, About("Milliseconds between commits.")] = None


class MirrorProducer(MirrorClient):
    """The writing end."""

    abort_on_send_failure: Annotated[bool | None, About("Stop when a record cannot be sent.")] = None


class KafkaMirrorMakerTemplate(Block):
    """Additions to its objects."""

    deployment: Annotated[DeploymentTemplate | None, About("Deployment.")] = None
    mirror_maker_container: Annotated[ContainerTemplate | None, About("Container of MirrorMaker.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    pod_disruption_budget: Annotated[PodDisruptionBudgetTemplate | None, About("Budget of the pods.")] = None
    service_account: Annotated[ResourceTemplate | None, About("Service account.")] = None


class KafkaMirrorMakerSpec(Block):
    """What is copied, from where to where."""

    consumer: Annotated[MirrorConsumer | None, About("The reading end.", required=True)] = None
    image: Annotated[str | None, About("Image of the pods.")] = None
    include: Annotated[str | None, About("Regular expression of the topics that are copied.")] = None
    jvm_options: Annotated[JvmOptions | None, About("How the JVMs are started.")] = None
    liveness_probe: Annotated[Probe | None, About("Timing of the liveness check.")] = None
    logging: Annotated[Logging | None, About("Log levels.")] = None
    metrics_config: Annotated[MetricsConfig | None, About("Metrics for Prometheus.")] = None
    producer: Annotated[MirrorProducer | None, About("The writing end.", required=True)] = None
    readiness_probe: Annotated[Probe | None, About("Timing of the readiness check.")] = None
    replicas: Annotated[int | None, About("Number of pods.", required=True, minimum=0)] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    template: Annotated[KafkaMirrorMakerTemplate | None, About("Additions to the objects.")] = None
    tracing: Annotated[Tracing | None, About("Traces of requests.")] = None
    version: Annotated[str | None, About("Version of Kafka.")] = None
    whitelist: Annotated[
        str | None,
        About("Older name of include.", deprecated=Deprecated(mend="write include")),
    ] = None


class KafkaMirrorMakerStatus(Status):
    """What is known of it."""

    label_selector: Annotated[str | None, About("Selector of the pods, for scaling.")] = None
    replicas: Annotated[int | None, About("Number of pods there are.")] = None


class KafkaMirrorMaker(Block):
    """Copies topics from one Kafka cluster to another; use KafkaMirrorMaker2 instead."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("KafkaMirrorMaker")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaMirrorMakerSpec, About("What is wanted.")] = msgspec.field(
        default_factory=KafkaMirrorMakerSpec
    )
    status: Annotated[KafkaMirrorMakerStatus | None, About("What is the case.")] = None
