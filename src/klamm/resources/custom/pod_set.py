"""StrimziPodSet: pods that are kept as they are written (group core.strimzi.io)."""

from typing import Annotated

import msgspec

from klamm.resources.custom.status import Status
from klamm.resources.native.metadata import LabelSelector, ObjectMeta
from klamm.resources.structure import About, Block, FreeForm, always


class StrimziPodSetSpec(Block):
    """The pods."""

    pods: Annotated[list[FreeForm], About("The pods, each a whole Pod with its name.", required=True)] = []
    selector: Annotated[LabelSelector, About("Labels of the pods.", required=True)] = msgspec.field(
        default_factory=LabelSelector
    )


class StrimziPodSetStatus(Status):
    """What is known of the pods."""

    current_pods: Annotated[int | None, About("Pods that are as written here.")] = None
    pods: Annotated[int | None, About("Pods that belong here.")] = None
    ready_pods: Annotated[int | None, About("Pods that are ready.")] = None


class StrimziPodSet(Block):
    """Pods that are made again when they go, and never changed in place."""

    api_version: str = always("core.strimzi.io/v1beta2")
    kind: str = always("StrimziPodSet")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[StrimziPodSetSpec, About("What is wanted.")] = msgspec.field(default_factory=StrimziPodSetSpec)
    status: Annotated[StrimziPodSetStatus | None, About("What is the case.")] = None
