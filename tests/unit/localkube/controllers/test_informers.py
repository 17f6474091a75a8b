"""The watches that controllers share, their queue, and the loop around them."""

import asyncio
from typing import Any

from tests.builders.small_cluster import small_cluster
from tests.builders.virtual_time import LoopClock, in_virtual_time

from klamm.localkube.controllers.controller import Loop
from klamm.localkube.controllers.informers import Cache, Change, Informers
from klamm.localkube.controllers.workqueue import LONGEST_DELAY, WorkQueue
from klamm.localkube.objects import CONFIG_MAPS, Object


def _object(name: str, version: int, uid: str = "u", owner: str | None = None) -> Object:
    metadata: dict[str, Any] = {"name": name, "namespace": "ns", "uid": uid, "resourceVersion": str(version)}
    if owner:
        metadata["ownerReferences"] = [{"uid": owner}]
    return {"metadata": metadata}


def test_older_states_tell_nothing_new() -> None:
    cache = Cache(CONFIG_MAPS)
    assert cache.put(_object("a", 5)) is not None
    assert cache.put(_object("a", 5)) is None
    assert cache.put(_object("a", 4)) is None
    assert cache.put(_object("a", 6)) is not None


def test_what_we_deleted_does_not_come_back_by_an_event_that_was_under_way() -> None:
    cache = Cache(CONFIG_MAPS)
    cache.put(_object("a", 5))
    cache.remove(_object("a", 5), told=False)
    assert cache.put(_object("a", 6)) is None
    assert cache.remove(_object("a", 7), told=True) is None
    assert cache.put(_object("a", 8, uid="new")) is not None


def test_objects_are_found_by_owner_as_long_as_it_owns_them() -> None:
    cache = Cache(CONFIG_MAPS)
    cache.put(_object("a", 1, owner="o"))
    assert len(cache.owned_by("o")) == 1
    cache.put(_object("a", 2))
    assert cache.owned_by("o") == []


@in_virtual_time
async def test_a_write_is_in_the_cache_at_once_and_told_once() -> None:
    async with small_cluster() as cluster:
        informers = Informers(cluster.objects)
        told: list[Change] = []
        running = asyncio.create_task(informers.run())
        informers.subscribe(CONFIG_MAPS, told.append)
        await informers.filled()
        told.clear()
        made = informers.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})
        assert informers.cache(CONFIG_MAPS).get("default", "a") is not None
        informers.delete(CONFIG_MAPS, made)
        assert informers.cache(CONFIG_MAPS).get("default", "a") is None
        await cluster.settled()
        assert [(c.old is None, c.new is None) for c in told] == [(True, False), (False, True)]
        running.cancel()


@in_virtual_time
async def test_a_name_that_is_taken_anew_is_told_as_gone_and_come() -> None:
    async with small_cluster() as cluster:
        informers = Informers(cluster.objects)
        told: list[Change] = []
        running = asyncio.create_task(informers.run())
        informers.subscribe(CONFIG_MAPS, told.append)
        cluster.objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})
        await cluster.settled()
        told.clear()
        cluster.objects.delete(CONFIG_MAPS, "default", "a")
        informers.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})
        await cluster.settled()
        assert [(c.old is None, c.new is None) for c in told] == [(False, True), (True, False)]
        running.cancel()


@in_virtual_time
async def test_a_key_is_in_the_queue_once_and_an_earlier_time_wins() -> None:
    queue: WorkQueue[str] = WorkQueue(LoopClock())
    queue.add("a")
    queue.add("a")
    assert len(queue) == 1
    await queue.get()
    queue.add_after("a", 60)
    queue.add_after("a", 5)
    queue.add_after("a", 30)
    before = asyncio.get_running_loop().time()
    assert await queue.get() == "a"
    assert 5 <= asyncio.get_running_loop().time() - before < 6
    await asyncio.sleep(100)
    assert len(queue) == 0


@in_virtual_time
async def test_failures_in_a_row_wait_longer_up_to_a_bound() -> None:
    queue: WorkQueue[str] = WorkQueue(LoopClock())
    delays = []
    for _ in range(15):
        delays.append(queue.retry("a"))
        await queue.get()
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY
    queue.succeeded("a")
    assert queue.retry("a") == delays[0]


class _FailsTwice:
    name = "fails twice"

    def __init__(self) -> None:
        self.tried: list[str] = []

    def watch(self, queue: WorkQueue[str]) -> None:
        queue.add("bad")
        queue.add("good")

    async def reconcile(self, key: str) -> None:
        self.tried.append(key)
        if key == "bad" and self.tried.count("bad") < 3:
            raise ValueError("not yet")


@in_virtual_time
async def test_a_key_that_fails_is_tried_again_and_holds_no_other_up() -> None:
    controller = _FailsTwice()
    running = asyncio.create_task(Loop(controller, LoopClock()).run())
    await asyncio.sleep(10)
    assert controller.tried == ["bad", "good", "bad", "bad"]
    running.cancel()
