"""What every custom resource tells in its status."""

from typing import Annotated

from klamm.resources.structure import About, Block


class Condition(Block):
    """One condition of a custom resource: Ready, NotReady, Warning, ReconciliationPaused, …"""

    type: Annotated[str, About("What the condition tells of, such as Ready or Warning.")] = ""
    status: Annotated[str, About("True, False or Unknown.")] = ""
    last_transition_time: Annotated[str | None, About("When the condition took this status (ISO 8601, UTC).")] = None
    reason: Annotated[str | None, About("One word for programs that says why.")] = None
    message: Annotated[str | None, About("A sentence for people that says why.")] = None


class Status(Block):
    """The part of the status that all kinds share."""

    conditions: Annotated[list[Condition], About("What is known of the state of this resource.")] = []
    observed_generation: Annotated[
        int | None, About("The generation of the resource that the operator last worked on.")
    ] = None
