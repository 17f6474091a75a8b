"""Several awaitables side by side, and the end of tasks.

`asyncio.gather` is not used in this code: where one of its awaitables fails in the very moment in which the waiting
task is cancelled, the failure is raised and the cancellation is lost (as of Python 3.13). A loop that goes on after
failures then never ends. It also returns at the first failure, while the other calls go on with nobody to await them.

    users, groups = await side_by_side(admin.users(), admin.groups())
    await ended(watching, serving)
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, overload

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


@overload
async def side_by_side(first: Awaitable[A], second: Awaitable[B], /) -> tuple[A, B]: ...


@overload
async def side_by_side(*awaitables: Awaitable[T]) -> tuple[T, ...]: ...


async def side_by_side(*awaitables: Awaitable[Any]) -> tuple[Any, ...]:
    """The results, in order. The first failure in that order is raised once every awaitable has ended."""
    outcomes = await outcomes_of(*awaitables)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes


async def outcomes_of(*awaitables: Awaitable[T]) -> tuple[T | BaseException, ...]:
    """The results, in order, with the failure in the place of a result that there is not.

    Who is cancelled while he waits here cancels them all, and is cancelled whatever becomes of them.
    """
    return tuple(await asyncio.gather(*awaitables, return_exceptions=True))  # noqa: TID251 (here it is made safe)


async def ended(*tasks: "asyncio.Future[Any]") -> None:
    """Cancels them and returns once they have ended; how they ended is nobody's concern any more."""
    for task in tasks:
        task.cancel()
    await outcomes_of(*tasks)
