"""The Kafka exporter: lags of consumer groups for Prometheus."""

from typing import Annotated

from klamm.resources.custom.process import Probe
from klamm.resources.custom.template import (
    ContainerTemplate,
    DeploymentTemplate,
    PodDisruptionBudgetTemplate,
    PodTemplate,
    ResourceTemplate,
)
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.structure import About, Block, Deprecated


class KafkaExporterTemplate(Block):
    """Additions to the exporter's objects."""

    container: Annotated[ContainerTemplate | None, About("Container of the exporter.")] = None
    deployment: Annotated[DeploymentTemplate | None, About("Deployment.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    pod_disruption_budget: Annotated[PodDisruptionBudgetTemplate | None, About("Budget of the pods.", only="v1")] = None
    service: Annotated[
        ResourceTemplate | None,
        About(
            "Has no effect any more.",
            only="v1beta2",
            deprecated=Deprecated(mend="remove it; the exporter has no Service"),
        ),
    ] = None
    service_account: Annotated[ResourceTemplate | None, About("Service account.")] = None


class KafkaExporterSpec(Block):
    """Runs the exporter."""

    enable_sarama_logging: Annotated[bool | None, About("Log what its Kafka client does.")] = None
    group_exclude_regex: Annotated[str | None, About("Groups that are left out.")] = None
    group_regex: Annotated[str | None, About("Groups that are shown; all by default.")] = None
    image: Annotated[str | None, About("Image of the container.")] = None
    liveness_probe: Annotated[Probe | None, About("Timing of the liveness check.")] = None
    logging: Annotated[str | None, About("info, debug or trace; info by default.")] = None
    readiness_probe: Annotated[Probe | None, About("Timing of the readiness check.")] = None
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    show_all_offsets: Annotated[bool | None, About("Show groups without members, too.", only="v1")] = None
    template: Annotated[KafkaExporterTemplate | None, About("Additions to the objects.")] = None
    topic_exclude_regex: Annotated[str | None, About("Topics that are left out.")] = None
    topic_regex: Annotated[str | None, About("Topics that are shown; all by default.")] = None
