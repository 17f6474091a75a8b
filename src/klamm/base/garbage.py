"""Python's garbage collector in a process that keeps very many objects and must answer at once."""

import gc

_YOUNG = 10_000
"""Objects made and not gone, after which the young are looked at: some milliseconds."""
_MIDDLE, _OLD = 10, 200


def seldom() -> None:
    """Look for cycles among what lives long every two thousand looks at the young, not every hundred.

    Each such look stops the process for as long as all its objects take: a quarter of a second beside a cluster of
    40 000 partitions, several times in each collection, and it finds next to nothing. Nearly everything goes by itself
    when nobody holds it any more; what does not, a failed request's stack say, waits some minutes longer.
    """
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
