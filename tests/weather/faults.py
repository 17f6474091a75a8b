"""What can happen to one call, and which of it makes sense for which call."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.weather.calls import Call


class Harm(StrEnum):
    """ "Before": the server never gets the call. "After": it has answered, and the operator does not learn it."""

    KILLED_BEFORE = "operator killed before"
    KILLED_AFTER = "operator killed after"
    CUT_BEFORE = "cut before"
    CUT_AFTER = "cut after"
    FAULT_BEFORE = "500 before"
    FAULT_AFTER = "500 after"
    CONFLICT = "409"
    BUSY = "429"
    GONE = "410"
    LATE_CALL = "call arrives late"
    LATE_ANSWER = "answer arrives late"
    STALE = "older list"
    DROPPED = "event lost"
    REPLAYED = "events told again"


KILLS = frozenset({Harm.KILLED_BEFORE, Harm.KILLED_AFTER})

_BOTH_SIDES = (
    Harm.KILLED_BEFORE,
    Harm.KILLED_AFTER,
    Harm.CUT_BEFORE,
    Harm.CUT_AFTER,
    Harm.FAULT_BEFORE,
    Harm.FAULT_AFTER,
)
_OF_WRITES = (*_BOTH_SIDES, Harm.CONFLICT, Harm.BUSY, Harm.LATE_CALL, Harm.LATE_ANSWER)
_OF_READS = (Harm.KILLED_AFTER, Harm.CUT_BEFORE, Harm.FAULT_BEFORE, Harm.BUSY, Harm.LATE_ANSWER)
_OF_LISTS = (*_OF_READS, Harm.GONE, Harm.STALE)
_OF_WATCHES = (Harm.KILLED_AFTER, Harm.CUT_BEFORE, Harm.FAULT_BEFORE, Harm.BUSY, Harm.GONE)
_OF_EVENTS = (
    Harm.KILLED_BEFORE,
    Harm.KILLED_AFTER,
    Harm.CUT_BEFORE,
    Harm.CUT_AFTER,
    Harm.GONE,
    Harm.LATE_ANSWER,
    Harm.DROPPED,
    Harm.REPLAYED,
)
_BY_VERB = {"get": _OF_READS, "list": _OF_LISTS, "watch": _OF_WATCHES, "event": _OF_EVENTS}


@dataclass(frozen=True, slots=True)
class Fault:
    call: Call
    harm: Harm

    def __str__(self) -> str:
        return f"{self.call}: {self.harm}"


def faults_of(calls: list[Call]) -> Iterator[Fault]:
    """Every harm of every call."""
    for call in calls:
        for harm in _BY_VERB.get(call.verb, _OF_WRITES):
            yield Fault(call, harm)
