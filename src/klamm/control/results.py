"""What a pass says at its end. Waiting is a value, not an exception.

    Done                      the world is as it should be; look again when something changes, or at the next resync
    Again(after, because)     not yet; look again after `after` seconds (None: after the loop's growing back-off)
    Blocked(because)          only a change of the resource helps; looked at again when it changes or at a resync

`because` is one clause that fits after "because", for people. `reason` is a word in CamelCase of the same, for metrics:
without numbers and names, so that there are few of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Done:
    def __str__(self) -> str:
        return "done"


@dataclass(frozen=True, slots=True)
class Again:
    after: timedelta | float | None
    """Seconds; None leaves the time to the loop: soon at first, then less and less often."""
    because: str
    reason: str = field(default="", compare=False)

    @property
    def seconds(self) -> float | None:
        return self.after.total_seconds() if isinstance(self.after, timedelta) else self.after

    def __str__(self) -> str:
        when = "soon" if self.seconds is None else f"after {self.seconds:g} s"
        return f"again {when}, because {self.because}"


@dataclass(frozen=True, slots=True)
class Blocked:
    because: str
    reason: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"blocked, because {self.because}"


Result = Done | Again | Blocked

DONE = Done()


def combined(results: Iterable[Result]) -> Result:
    """One result for several: whoever wants to come back soonest decides when, and all reasons are told.

    `Again` goes before `Blocked`: coming back for one part does not hurt the part that waits for the user, while
    staying away would stop the part that only needs time.
    """
    unfinished = [result for result in results if not isinstance(result, Done)]
    if not unfinished:
        return DONE
    because = "; ".join(result.because for result in unfinished)
    again = [result for result in unfinished if isinstance(result, Again)]
    if not again:
        return Blocked(because)
    told = [result.seconds for result in again if result.seconds is not None]
    return Again(min(told) if told else None, because)
