"""JmxTrans, which is not run any more; its settings are accepted and ignored (Strimzi behaviour since 0.35)."""

from typing import Annotated

import msgspec

from klamm.resources.custom.template import (
    ContainerTemplate,
    DeploymentTemplate,
    PodTemplate,
    ResourceTemplate,
)
from klamm.resources.native.container import ResourceRequirements
from klamm.resources.structure import About, Block


class JmxTransQuery(Block):
    """What was read."""

    attributes: Annotated[list[str], About("Attributes that were read.")] = []
    outputs: Annotated[list[str], About("Names of outputs.")] = []
    target_mbean: Annotated[str | None, About("MBean that was read.")] = msgspec.field(name="targetMBean", default=None)


class JmxTransOutput(Block):
    """Where values were sent."""

    flush_delay_in_seconds: Annotated[int | None, About("Seconds between two sendings.")] = None
    host: Annotated[str | None, About("Host they were sent to.")] = None
    name: Annotated[str | None, About("Name of the output.")] = None
    output_type: Annotated[str | None, About("Class of the output.")] = None
    port: Annotated[int | None, About("Port they were sent to.")] = None
    type_names: Annotated[list[str], About("Parts of names that were sent.")] = []


class JmxTransTemplate(Block):
    """Additions to JmxTrans' objects."""

    container: Annotated[ContainerTemplate | None, About("Container of JmxTrans.")] = None
    deployment: Annotated[DeploymentTemplate | None, About("Deployment.")] = None
    pod: Annotated[PodTemplate | None, About("Pods.")] = None
    service_account: Annotated[ResourceTemplate | None, About("Service account.")] = None


class JmxTransSpec(Block):
    """Ignored."""

    image: Annotated[str | None, About("Image of the container.")] = None
    kafka_queries: Annotated[list[JmxTransQuery], About("What was read.", required=True)] = []
    log_level: Annotated[str | None, About("Log level.")] = None
    output_definitions: Annotated[list[JmxTransOutput], About("Where it was sent.", required=True)] = []
    resources: Annotated[ResourceRequirements | None, About("CPU and memory.")] = None
    template: Annotated[JmxTransTemplate | None, About("Additions to the objects.")] = None
