"""How long a question to a broker may run, and how long a collection waits for its answer. Pure.

These are two things, for a question runs on beside the collections. What brokers that answer tell is to be never older
than 15 s: 10 s from one collection to the next, some 3 s for whoever is late, and the rest for the work. So a
collection waits for all late answers together no longer than that, and for a broker that is known to be late only a
moment; while a broker that needs 8 s for its hundred thousand partitions has half a minute for it.
"""

from klamm.observing.snapshot import Part

FIRST = 10.0
LEAST = 5.0
MOST = 60.0
_TIMES = 4

TOGETHER = 3.0
"""Seconds that a collection waits for late answers, all of them together."""
SHORT = 0.3
_PROMPT = 1.0


def limit(part: Part | None, longest: float) -> float:
    """Seconds after which a question is given up, and with it the connection and all that was asked over it.

    `longest`: what the broker needs for whatever takes it longest, for its questions stand in one line. Four times
    that: a connection that leads nowhere is made anew soon. Twice as much after each failure: who needs longer than
    ever is waited for in the end.
    """
    least = FIRST if part is None or part.read_at is None else LEAST
    row = 0 if part is None else part.row
    return min(max(longest * _TIMES, least) * 2.0 ** min(row, 10), MOST)


def wait(part: Part | None, left: float, late: bool = False) -> float:
    """Seconds that a collection waits, which has `left` seconds for late answers.

    `late`: this broker has let something else of this collection be late. Who answers within half a second as a rule is
    waited for even when others have used up the time.
    """
    if late:
        return 0.0
    if part is None:
        return max(left, SHORT)
    if part.row or part.seconds > TOGETHER:
        return SHORT
    return max(left, SHORT, min(2 * part.seconds, _PROMPT))
