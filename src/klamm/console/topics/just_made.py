"""Topics that were made a moment ago.

Brokers hear of a new topic one after the other, and one that has not heard of it says that there is none. So who is to
write to a topic or to read it is not told at once that it is not there: brokers are asked again for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from klamm.base.deadlines import Deadline
from klamm.kafka.errors import UnknownTopic

T = TypeVar("T")

HEARD_WITHIN = 2.0
"""Seconds after which a topic of which no broker has heard is none. Brokers at ease hear of one in a tenth of that."""

ASK_AGAIN = 0.1


async def once_heard_of(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` returns, tried again while brokers say that there is no such topic. Raises `UnknownTopic` when
    they still say so after `HEARD_WITHIN`. An attempt that is refused so must have done nothing."""
    end = Deadline.after(HEARD_WITHIN)
    while True:
        try:
            return await attempt()
        except UnknownTopic:
            if end.passed:
                raise
        await asyncio.sleep(ASK_AGAIN)
