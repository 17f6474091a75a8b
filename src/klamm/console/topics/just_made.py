"""Topics that were made a moment ago.

Brokers hear of a new topic one after the other, and one that has not heard of it says that there is none. One that has
heard of it and has not yet opened its own partitions says that it does not lead them. So who is to write to a topic or
to read it is not told at once that it cannot be done: brokers are asked again for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from klamm.base.deadlines import Deadline
from klamm.kafka.errors import NotNow, UnknownTopic

T = TypeVar("T")

HEARD_WITHIN = 2.0
"""Seconds after which a topic of which no broker has heard is none. Brokers at ease hear of one in a tenth of that."""

ASK_AGAIN = 0.1

_NOT_OPEN = "NOT_LEADER_FOR_PARTITION"
"""Also of a leader that has just moved, who is looked up anew as well."""


async def once_heard_of(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` returns, tried again while brokers say that there is no such topic, or that they do not lead it.
    Raises what they still say after `HEARD_WITHIN`. An attempt that is refused so must have done nothing."""
    end = Deadline.after(HEARD_WITHIN)
    while True:
        try:
            return await attempt()
        except (UnknownTopic, NotNow) as failure:
            if end.passed or not _is_of_a_moment(failure):
                raise
        await asyncio.sleep(ASK_AGAIN)


def _is_of_a_moment(failure: UnknownTopic | NotNow) -> bool:
    return isinstance(failure, UnknownTopic) or failure.code == _NOT_OPEN
