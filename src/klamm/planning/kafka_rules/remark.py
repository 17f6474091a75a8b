"""What does no harm now but should be told: becomes a Warning condition of the resource."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """`reason` is one word for programs (Strimzi's where it has one), `message` a sentence for people."""

    reason: str
    message: str
