"""Long work in a loop that others wait for."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")

PIECE = 100


async def in_pieces(items: Iterable[T], size: int = PIECE) -> AsyncIterator[T]:
    """The items, one by one; after so many of them the loop's other work has its turn.

    What they come from must not be changed meanwhile.
    """
    for number, item in enumerate(items, start=1):
        yield item
        if not number % size:
            await asyncio.sleep(0)
