"""What is made of a look at a cluster, once for all who ask."""

import asyncio
from random import Random

import pytest
from tests.builders.running_console import cluster_settings
from tests.builders.snapshots import a_snapshot

from klamm.base.clock import SystemClock
from klamm.base.together import ended, side_by_side
from klamm.console.clusters import Place


class Made:
    """Waits until it is let on."""

    def __init__(self) -> None:
        self.times = 0
        self.go_on = asyncio.Event()

    async def make(self) -> int:
        self.times += 1
        await self.go_on.wait()
        return self.times


@pytest.fixture
def place() -> Place:
    return Place(cluster_settings(["127.0.0.1:1"]), SystemClock(), Random(1))


async def test_it_is_made_once_for_a_look_and_anew_for_the_next(place: Place) -> None:
    made, one, other = Made(), a_snapshot(), a_snapshot()
    made.go_on.set()
    assert await side_by_side(*(place.derived("it", one, made.make) for _ in range(3))) == (1, 1, 1)
    assert await place.derived("it", other, made.make) == 2


async def test_who_goes_does_not_stop_it_for_the_others(place: Place) -> None:
    made, snapshot = Made(), a_snapshot()
    first, second = (asyncio.ensure_future(place.derived("it", snapshot, made.make)) for _ in range(2))
    await asyncio.sleep(0)
    await ended(first)
    made.go_on.set()
    assert await second == 1
