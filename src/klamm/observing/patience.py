"""How long one broker may take for one part. Pure.

A broker that answered in 0.1 s and now is silent need not keep the others waiting for half a minute, and one that needs
8 s for its hundred thousand partitions must not be cut off each time. So: four times what it took last. After a failure
it is asked shortly (less so before it has ever answered), and every fourth time with twice the patience: a hanging
broker costs a second a question, and a slow one is waited for in the end.
"""

from klamm.observing.snapshot import Part

FIRST = 10.0
LEAST = 2.5
MOST = 30.0
SHORT = 1.0
_TIMES = 4
_EVERY = 4


def patience(part: Part | None, silent: bool = False) -> float:
    """Seconds. `silent`: this broker has let something else of this collection run out of time."""
    if silent:
        return SHORT
    if part is None:
        return FIRST
    usual = FIRST if part.read_at is None else min(max(part.seconds * _TIMES, LEAST), MOST)
    if part.row % _EVERY:
        return min(SHORT if part.read_at is not None else LEAST, usual)
    return min(usual * 2.0 ** min(part.row // _EVERY, 10), MOST)
