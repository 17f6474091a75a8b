"""What a long preparation tells those who wait for it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One report; the newest replaces the one before of the same `step`."""

    step: str
    """What is being done, e.g. "Kafka 3.6.0: downloading"."""
    done: int
    total: int
    """Bytes for downloads, else pieces of work; `done == total` ends the step."""
    detail: str = ""


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """A `Report` for callers that show nothing."""
