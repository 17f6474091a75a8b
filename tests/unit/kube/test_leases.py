"""At most one leads; who dies is followed soon; who leaves is followed at once; who slept does nothing."""

import asyncio
from random import Random
from typing import Any

import pytest
from tests.builders.one_lease import LEASE, Competitor, OneLease, leave
from tests.builders.sleepers import tasks_of_sleepers
from tests.builders.virtual_time import in_virtual_time

from klamm.kube.leases import LeadershipLost, Times

TIMES = Times()


def _server(**fields: Any) -> OneLease:
    asyncio.get_running_loop().set_task_factory(tasks_of_sleepers)  # type: ignore[arg-type]
    return OneLease(**fields)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _held_by(holder: str, duration: int = 15) -> dict[str, Any]:
    return {
        "metadata": {"name": LEASE.name, "namespace": LEASE.namespace, "resourceVersion": "1"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": duration},
    }


@in_virtual_time
async def test_one_leads_and_the_other_waits() -> None:
    server = _server()
    one, two = Competitor(server, "one"), Competitor(server, "two", 2)
    await asyncio.sleep(300)
    assert server.holder == "one"
    assert server.acted("one", since=299)
    assert two.began == -1
    await leave(one, two)


@in_virtual_time
async def test_who_leaves_is_followed_at_once() -> None:
    server = _server()
    one, two = Competitor(server, "one"), Competitor(server, "two", 2)
    await asyncio.sleep(30)
    await leave(one)
    left = _now()
    await asyncio.sleep(1)
    assert two.began - left < 0.1
    await leave(two)
    assert server.holder == ""
    assert server.out_of_turn() == []


@pytest.mark.parametrize("way", ["cut_off", "refused"])
@in_virtual_time
async def test_a_holder_that_cannot_renew_stops_before_another_begins(way: str) -> None:
    server = _server()
    one, two = Competitor(server, "one"), Competitor(server, "two", 2)
    await asyncio.sleep(30)
    getattr(server, way).add("one")
    await asyncio.sleep(20)
    assert server.acted("two", since=49)
    assert one.ended < two.began < 30 + TIMES.duration + 0.5
    with pytest.raises(LeadershipLost):
        one.task.result()
    await leave(two)


@in_virtual_time
async def test_a_process_that_is_killed_is_followed_when_its_lease_ends() -> None:
    server = _server()
    one, two = Competitor(server, "one"), Competitor(server, "two", 2)
    await asyncio.sleep(30)
    one.kill()
    await asyncio.sleep(20)
    assert 30 + TIMES.duration - TIMES.retry <= two.began <= 30 + TIMES.duration + 0.5
    await leave(two)


@in_virtual_time
async def test_the_lease_of_a_holder_with_longer_times_is_not_taken_early() -> None:
    server = _server(stored=_held_by("before", duration=40))
    two = Competitor(server, "two")
    await asyncio.sleep(60)
    assert 40 <= two.began <= 40.5
    await leave(two)


@in_virtual_time
async def test_a_container_that_is_started_again_goes_on_with_its_pods_lease() -> None:
    server = _server(stored=_held_by("pod-1"))
    again = Competitor(server, "pod-1")
    await asyncio.sleep(1)
    assert 0 <= again.began < 0.1
    await leave(again)


@in_virtual_time
async def test_a_leader_that_slept_longer_than_its_lease_does_nothing_when_it_wakes() -> None:
    server = _server(delay=0.3)
    one, two = Competitor(server, "one"), Competitor(server, "two", 2)
    await asyncio.sleep(30)
    one.sleeper.stop()
    await asyncio.sleep(60)
    assert server.acted("two", since=89)
    one.sleeper.wake()
    await asyncio.sleep(10)
    assert server.acted("one", since=32) == []
    assert server.out_of_turn() == []
    with pytest.raises(LeadershipLost):
        one.task.result()
    await leave(two)


@in_virtual_time
async def test_without_being_held_it_would_do_something() -> None:
    out_of_turn = 0
    for seed in range(10):
        server = _server(delay=0.3)
        one, two = Competitor(server, "one", seed, held=False), Competitor(server, "two", 100 + seed, held=False)
        await asyncio.sleep(30)
        one.sleeper.stop()
        await asyncio.sleep(60)
        one.sleeper.wake()
        await asyncio.sleep(10)
        out_of_turn += len(server.out_of_turn())
        await leave(one, two)
    assert out_of_turn > 0


@in_virtual_time
async def test_a_leader_that_wakes_when_another_came_and_went_does_not_go_on() -> None:
    server = _server()
    one, two = Competitor(server, "one"), Competitor(server, "two", 2)
    await asyncio.sleep(30)
    one.sleeper.stop()
    await asyncio.sleep(60)
    await leave(two)
    one.sleeper.wake()
    await asyncio.sleep(10)
    assert server.acted("one", since=31) == []
    assert isinstance(one.task.exception(), LeadershipLost)


@in_virtual_time
async def test_a_lease_that_is_deleted_is_made_again_by_its_holder() -> None:
    server = _server()
    one, two = Competitor(server, "one"), Competitor(server, "two", 2)
    await asyncio.sleep(30)
    server.delete()
    await asyncio.sleep(30)
    assert server.holder == "one"
    assert two.began == -1
    await leave(one, two)


@pytest.mark.parametrize("seed", range(25))
@in_virtual_time
async def test_whatever_happens_no_two_act_at_once_and_soon_one_does(seed: int) -> None:
    """Three processes; one after the other is stopped, cut off, killed, or told to end, for any time."""
    random = Random(seed)
    server = _server(delay=0.5 * random.random())
    living, started = [Competitor(server, f"{number}", seed * 1000 + number) for number in range(3)], 3
    for _ in range(40):
        await asyncio.sleep(10 * random.random())
        hit = random.choice(living)
        match random.choice(("stop", "stop", "cut", "cut", "kill", "leave")):
            case "stop":
                hit.sleeper.stop()
                asyncio.get_running_loop().call_later(40 * random.random(), hit.sleeper.wake)
            case "cut":
                server.cut_off.add(hit.name)
                asyncio.get_running_loop().call_later(30 * random.random(), server.cut_off.discard, hit.name)
            case "kill":
                hit.kill()
            case "leave":
                hit.task.cancel()
        for ended in [one for one in living if one.task.done() or one.task.cancelling()]:
            living.remove(ended)
            started += 1
            living.append(Competitor(server, f"{started}", seed * 1000 + started))
    assert server.out_of_turn() == []
    assert len({act.process for act in server.acts}) > 1
    await asyncio.sleep(60)
    calm = _now()
    await asyncio.sleep(20)
    assert {act.process for act in server.acts if act.at > calm} == {server.holder}
    assert server.out_of_turn() == []
    await leave(*living)
