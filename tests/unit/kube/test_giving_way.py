"""Who acts without a Lease begins at once, and stops as soon as somebody holds it."""

import asyncio
from typing import Any

import pytest
from tests.builders.one_lease import LEASE, Competitor, OneLease, Polite, leave
from tests.builders.sleepers import tasks_of_sleepers
from tests.builders.virtual_time import in_virtual_time

from klamm.kube.leases import LeadershipLost, Times

TIMES = Times()
AT_ONCE = 0.1
"""Seconds, with a network that takes some hundredths of one."""


class Stubborn(Polite):
    """Its work goes on writing for five seconds after it was told to end."""

    async def _act(self) -> None:
        try:
            await super()._act()
        finally:
            for _ in range(50):
                await self._write()
                await asyncio.sleep(0.1)


def _server(holder: str | None = None, delay: float = 0.0) -> OneLease:
    asyncio.get_running_loop().set_task_factory(tasks_of_sleepers)  # type: ignore[arg-type]
    if holder is None:
        return OneLease(delay=delay)
    stored: dict[str, Any] = {
        "metadata": {"name": LEASE.name, "namespace": LEASE.namespace, "resourceVersion": "1"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 12},
    }
    return OneLease(stored=stored, delay=delay)


@pytest.mark.parametrize("holder", [None, ""])
@in_virtual_time
async def test_it_begins_without_any_wait_and_never_writes_the_lease(holder: str | None) -> None:
    server = _server(holder)
    one = Polite(server, "one")
    await asyncio.sleep(300)
    assert one.began == 0
    assert server.acted("one", since=299)
    assert server.version == 1
    await leave(one)


@in_virtual_time
async def test_it_stops_as_soon_as_another_one_holds_the_lease() -> None:
    server = _server(delay=0.02)
    one = Polite(server, "one")
    await asyncio.sleep(30)
    began = asyncio.get_running_loop().time()
    two = Competitor(server, "two", 2)
    await asyncio.sleep(30)
    assert two.began - began < AT_ONCE, "it does not wait for us"
    assert one.ended - began < AT_ONCE
    assert server.acted("one", since=began + AT_ONCE) == []
    assert not one.task.done(), "it stands by, and can be told to end"
    await leave(one, two)


@in_virtual_time
async def test_what_the_work_still_writes_when_it_is_told_to_end_is_held() -> None:
    server = _server(delay=0.02)
    one = Stubborn(server, "one")
    await asyncio.sleep(30)
    began = asyncio.get_running_loop().time()
    two = Competitor(server, "two", 2)
    await asyncio.sleep(30)
    assert server.acted("one", since=began + AT_ONCE) == []
    assert len(one.held) > 40, "it would have written"
    await leave(one, two)


@in_virtual_time
async def test_who_stood_by_begins_anew_when_the_other_one_is_gone() -> None:
    server = _server()
    one = Polite(server, "one")
    await asyncio.sleep(30)
    two = Competitor(server, "two", 2)
    await asyncio.sleep(30)
    two.kill()
    await asyncio.sleep(TIMES.duration + AT_ONCE)
    assert server.acted("one", since=31) == []
    with pytest.raises(LeadershipLost, match="two's for a while"):
        one.task.result()


@in_virtual_time
async def test_started_beside_a_leader_it_waits_until_that_one_leaves() -> None:
    server = _server()
    two = Competitor(server, "two", 2)
    await asyncio.sleep(1)
    one = Polite(server, "one")
    await asyncio.sleep(300)
    assert one.began == -1
    await leave(two)
    await asyncio.sleep(1)
    assert 301 <= one.began < 301 + AT_ONCE
    assert server.acted("one")[0] >= 301
    await leave(one)


@in_virtual_time
async def test_a_leader_that_is_dead_is_not_waited_for_longer_than_its_lease() -> None:
    server = _server("somebody")
    one = Polite(server, "one")
    await asyncio.sleep(30)
    assert TIMES.duration <= one.began < TIMES.duration + AT_ONCE
    await leave(one)


@in_virtual_time
async def test_a_lease_that_cannot_be_read_is_no_sign_that_its_holder_lives() -> None:
    server = _server("somebody")
    one = Polite(server, "one")
    for _ in range(10):
        await asyncio.sleep(3)
        assert server.stored is not None
        server.store({**server.stored, "spec": "nonsense"})
    assert TIMES.duration <= one.began < TIMES.duration + AT_ONCE
    await leave(one)
