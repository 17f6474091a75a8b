"""The entity operator: the topic and the user operator of one cluster."""

from typing import Annotated

from klamm.resources.custom.process import JvmOptions, Logging, Probe, TlsSidecar
from klamm.resources.custom.template import (
    NO_SIDECAR,
    ContainerTemplate,
    DeploymentTemplate,
    PodDisruptionBudgetTemplate,
    PodTemplate,
    ResourceTemplate,
)
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.structure import About, Block, Deprecated

_SECONDS = Deprecated(mend="write reconciliationIntervalMs in API version v1", since="v1")
_NO_ZOOKEEPER = Deprecated(mend="remove it; it only concerned operators that used ZooKeeper")
_NO_ZOOKEEPER_IN_V1 = Deprecated(mend=_NO_ZOOKEEPER.mend, since="v1")


class EntityOperatorTemplate(Block):
    """Additions to the entity operator's objects."""

    deployment: Annotated[DeploymentTemplate | None, About("Deployment.")] = None
    entity_operator_role: Annotated[ResourceTemplate | None, About("Role.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    pod_disruption_budget: Annotated[PodDisruptionBudgetTemplate | None, About("Budget of the pods.", only="v1")] = None
    service_account: Annotated[ResourceTemplate | None, About("Service account.")] = None
    tls_sidecar_container: Annotated[
        ContainerTemplate | None,
        About("Has no effect any more.", only="v1beta2", deprecated=NO_SIDECAR),
    ] = None
    topic_operator_container: Annotated[ContainerTemplate | None, About("Container of the topic operator.")] = None
    topic_operator_role_binding: Annotated[ResourceTemplate | None, About("RoleBinding of the topic operator.")] = None
    user_operator_container: Annotated[ContainerTemplate | None, About("Container of the user operator.")] = None
    user_operator_role_binding: Annotated[ResourceTemplate | None, About("RoleBinding of the user operator.")] = None


class TopicOperatorSpec(Block):
    """The topic operator."""

    image: Annotated[str | None, About("Image of the container.")] = None
    jvm_options: Annotated[JvmOptions | None, About("Accepted for Strimzi's sake; there is no JVM.")] = None
    liveness_probe: Annotated[Probe | None, About("Timing of the liveness check.")] = None
    logging: Annotated[Logging | None, About("Log levels.")] = None
    readiness_probe: Annotated[Probe | None, About("Timing of the readiness check.")] = None
    reconciliation_interval_ms: Annotated[
        int | None, About("Milliseconds between full passes.", only="v1", minimum=0)
    ] = None
    reconciliation_interval_seconds: Annotated[
        int | None,
        About("Seconds between full passes.", only="v1beta2", minimum=0, deprecated=_SECONDS),
    ] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    startup_probe: Annotated[Probe | None, About("Timing of the startup check.")] = None
    topic_metadata_max_attempts: Annotated[
        int | None,
        About("Has no effect any more.", only="v1beta2", minimum=0, deprecated=_NO_ZOOKEEPER_IN_V1),
    ] = None
    watched_namespace: Annotated[
        str | None, About("Namespace whose KafkaTopics count; the cluster's own by default.")
    ] = None
    zookeeper_session_timeout_seconds: Annotated[
        int | None,
        About("Has no effect any more.", only="v1beta2", minimum=0, deprecated=_NO_ZOOKEEPER_IN_V1),
    ] = None


class UserOperatorSpec(Block):
    """The user operator."""

    image: Annotated[str | None, About("Image of the container.")] = None
    jvm_options: Annotated[JvmOptions | None, About("Accepted for Strimzi's sake; there is no JVM.")] = None
    liveness_probe: Annotated[Probe | None, About("Timing of the liveness check.")] = None
    logging: Annotated[Logging | None, About("Log levels.")] = None
    readiness_probe: Annotated[Probe | None, About("Timing of the readiness check.")] = None
    reconciliation_interval_ms: Annotated[
        int | None, About("Milliseconds between full passes.", only="v1", minimum=0)
    ] = None
    reconciliation_interval_seconds: Annotated[
        int | None,
        About("Seconds between full passes.", only="v1beta2", minimum=0, deprecated=_SECONDS),
    ] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    secret_prefix: Annotated[str | None, About("Put before a user's name to name its Secret.")] = None
    watched_namespace: Annotated[
        str | None, About("Namespace whose KafkaUsers count; the cluster's own by default.")
    ] = None
    zookeeper_session_timeout_seconds: Annotated[
        int | None,
        About("Has no effect any more.", only="v1beta2", minimum=0, deprecated=_NO_ZOOKEEPER),
    ] = None


class EntityOperatorSpec(Block):
    """Which of the two operators run, and how."""

    template: Annotated[EntityOperatorTemplate | None, About("Additions to the objects.")] = None
    tls_sidecar: Annotated[
        TlsSidecar | None, About("Has no effect any more.", only="v1beta2", deprecated=NO_SIDECAR)
    ] = None
    topic_operator: Annotated[TopicOperatorSpec | None, About("Runs the topic operator.")] = None
    user_operator: Annotated[UserOperatorSpec | None, About("Runs the user operator.")] = None
