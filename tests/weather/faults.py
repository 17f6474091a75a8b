"""What can happen to one call, and which of it makes sense for which call."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.weather.calls import Call


class Harm(StrEnum):
    """ "Before": the server never gets the call. "After": it has answered, and the operator does not learn it."""

    KILLED_BEFORE = "operator killed before"
    KILLED_AFTER = "operator killed after"
    KILLED_FOR_LONG = "operator killed after, back later"
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


KILLS_AFTER = frozenset({Harm.KILLED_AFTER, Harm.KILLED_FOR_LONG})
KILLS = frozenset({Harm.KILLED_BEFORE, *KILLS_AFTER})

_ENDS = (Harm.KILLED_BEFORE, Harm.KILLED_AFTER, Harm.KILLED_FOR_LONG, Harm.CUT_BEFORE, Harm.CUT_AFTER)
_ALWAYS = {
    "get": (Harm.KILLED_AFTER, Harm.CUT_BEFORE),
    "list": (Harm.KILLED_AFTER, Harm.CUT_BEFORE, Harm.STALE),
    "watch": (Harm.KILLED_AFTER, Harm.CUT_BEFORE),
    "event": (),
}
"""By verb; a write meets all `_ENDS`. To the world a read is the same before and after, and nothing new since the write
before it: how the world goes on without an operator is seen by killing one after each write."""

ALIKE = 3
"""Calls that are alike and come after so many others are left out, unless every harm is wanted."""

_IN_TURN = {
    "get": (Harm.FAULT_BEFORE, Harm.BUSY, Harm.LATE_ANSWER),
    "list": (Harm.GONE, Harm.FAULT_BEFORE, Harm.BUSY, Harm.LATE_ANSWER),
    "watch": (Harm.GONE, Harm.FAULT_BEFORE, Harm.BUSY),
    "event": (
        Harm.DROPPED,
        Harm.KILLED_AFTER,
        Harm.REPLAYED,
        Harm.LATE_ANSWER,
        Harm.CUT_AFTER,
        Harm.GONE,
        Harm.CUT_BEFORE,
        Harm.KILLED_BEFORE,
    ),
}
_IN_TURN_OF_WRITES = (
    Harm.CONFLICT,
    Harm.FAULT_BEFORE,
    Harm.FAULT_AFTER,
    Harm.BUSY,
    Harm.LATE_CALL,
    Harm.LATE_ANSWER,
)


@dataclass(frozen=True, slots=True)
class Fault:
    call: Call
    harm: Harm

    def __str__(self) -> str:
        return f"{self.call}: {self.harm}"


def faults_of(calls: list[Call], *, every: bool = False) -> Iterator[Fault]:
    """Of every call: the operator killed and the call cut, on both sides of it, and one other harm in turn (or all);
    of every list an older one, too.

    Events of watches have only the harm whose turn it is: there are as many of them as of everything else.
    """
    for number, call in enumerate(calls):
        others = _IN_TURN.get(call.verb, _IN_TURN_OF_WRITES)
        turn = number % len(others)
        if every or call.number <= ALIKE:
            for harm in (*_ALWAYS.get(call.verb, _ENDS), *(others if every else others[turn : turn + 1])):
                yield Fault(call, harm)
