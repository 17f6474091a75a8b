"""Probes in virtual time, with and without early readiness."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from tests.builders.kubelets import NAMESPACE, World, container, pod
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.kubelet.facts import ProbeTimes
from klamm.localkube.kubelet.probe_schedule import ProbeKind, ProbeState, next_regular
from klamm.localkube.kubelet.settings import EarlyReadiness
from klamm.localkube.objects import PODS

CHECK = {"exec": {"command": ["/bin/check"]}}
SLOW = {**CHECK, "initialDelaySeconds": 15, "periodSeconds": 10, "timeoutSeconds": 5}


def works_from(world: World, moment: float) -> None:
    world.node.answer = lambda container, command: (0, b"") if world.clock.monotonic() >= moment else (1, b"not yet")


@in_virtual_time
async def test_nothing_is_ready_before_the_initial_delay(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod("web-0", container(readinessProbe=SLOW)))
        took = await world.until(world.is_ready)
    assert 15 <= took < 15.2
    assert len(world.node.executed) == 1


@in_virtual_time
async def test_with_early_readiness_the_first_success_counts(tmp_path: Path) -> None:
    world = World(tmp_path, early_readiness=EarlyReadiness())
    works_from(world, 4.0)
    async with world.running():
        world.apply(pod("web-0", container(readinessProbe=SLOW, livenessProbe=SLOW)))
        took = await world.until(world.is_ready)
        assert 4 <= took < 5.1
        early = len(world.node.executed)
        await asyncio.sleep(100 - took)
    assert early <= 10
    assert not world.events("Unhealthy")
    # Liveness and readiness are alike: from 15 s on one run every 10 s answers both.
    assert len(world.node.executed) - early == 9


@in_virtual_time
async def test_a_container_that_stops_answering_is_unready_after_three_failures_and_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(pod("web-0", container(readinessProbe={**CHECK, "periodSeconds": 5})))
        await world.until(world.is_ready, 2)
        world.node.answer = lambda container, command: (1, b"broken")
        took = await world.until(lambda: not world.is_ready())
        assert 13 < took < 16
        works_from(world, 0)
        assert await world.until(world.is_ready) < 6
    event = world.events("Unhealthy")[0]
    assert (event["count"], event["message"]) == (3, "Readiness probe failed: broken")


@in_virtual_time
async def test_a_failed_liveness_probe_restarts_the_container(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.answer = lambda container, command: (1, b"stuck") if container == "web/0" else (0, b"")
    async with world.running():
        world.apply(pod("web-0", container(livenessProbe={**CHECK, "periodSeconds": 2})))
        await world.until(lambda: world.node.running() == ["web/1"], 10)
        await world.until(world.is_ready, 1)
    assert world.container()["restartCount"] == 1
    assert world.events("Killing")[0]["message"] == "Container web failed liveness probe, will be restarted"


@in_virtual_time
async def test_a_probe_that_hangs_is_a_failure_after_its_timeout(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.answer = lambda container, command: (-1, b"")
    async with world.running():
        world.apply(pod("web-0", container(readinessProbe={**CHECK, "timeoutSeconds": 2})))
        took = await world.until(lambda: world.events("Unhealthy"))
    assert 2 <= took < 2.2
    assert "timed out after 2s" in world.events("Unhealthy")[0]["message"]


@in_virtual_time
async def test_other_probes_wait_for_the_startup_probe(tmp_path: Path) -> None:
    world = World(tmp_path)
    startup = {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 20}
    async with world.running():
        world.apply(pod("web-0", container(startupProbe=startup, readinessProbe=CHECK)))
        await asyncio.sleep(5)
        assert world.node.executed == []
        assert world.container()["started"] is False
        world.node.listening[8080] = b""
        await world.until(world.is_ready, 2)


@in_virtual_time
async def test_a_startup_probe_that_never_succeeds_restarts_the_container(tmp_path: Path) -> None:
    world = World(tmp_path)
    startup = {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 3}
    async with world.running():
        world.apply(pod("web-0", container(startupProbe=startup)))
        assert 2 < await world.until(lambda: "start web/1" in world.node.told, 5) < 4


@in_virtual_time
async def test_a_named_port_is_asked_by_http(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.listening[8081] = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
    probe = {"httpGet": {"path": "/ready", "port": "health"}, "periodSeconds": 1}
    async with world.running():
        ports = [{"name": "health", "containerPort": 8081}]
        world.apply(pod("web-0", container(ports=ports, readinessProbe=probe)))
        await world.until(lambda: world.events("Unhealthy"), 2)
        assert world.events("Unhealthy")[0]["message"].endswith("HTTP probe failed with statuscode: 503")
        world.node.listening[8081] = b"HTTP/1.1 204 No Content\r\n\r\n"
        await world.until(world.is_ready, 2)
    request = world.node.requests[0].decode()
    assert request.startswith("GET /ready HTTP/1.1\r\nHost: 10.244.0.2:8081\r\nUser-Agent: kube-probe/1.34\r\n")


@in_virtual_time
async def test_probes_of_a_pod_that_is_deleted_are_quiet(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.node.programs = {}
    async with world.running():
        world.apply(pod("web-0", container(livenessProbe={**CHECK, "periodSeconds": 1})))
        await world.until(world.is_ready)
        world.objects.delete(PODS, NAMESPACE, "web-0")
        world.node.answer = lambda container, command: (1, b"going")
        await world.until(lambda: not world.exists(), 5)
    assert not world.events("Unhealthy")


@pytest.mark.parametrize(
    ("case", "times", "age", "expected"),
    [
        ("before the delay: its end", ProbeTimes(15, 10), 3.0, 15.0),
        ("after it: the next step of the grid", ProbeTimes(15, 10), 16.0, 25.0),
        ("on a step: the one after", ProbeTimes(15, 10), 25.0, 35.0),
        ("without delay", ProbeTimes(0, 10), 0.0, 10.0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_regular_tries_stand_on_a_grid(case: str, times: ProbeTimes, age: float, expected: float) -> None:
    assert next_regular(times, age) == expected


def test_quiet_tries_slow_down_and_never_count() -> None:
    early = EarlyReadiness()
    state = ProbeState.begin(ProbeKind.READINESS, ProbeTimes(15, 10), early, passed=False)
    ages: list[float] = []
    age = 0.0
    while (attempt := state.next_try(age, first=not ages)).at < 15:
        assert not attempt.counts
        age = attempt.at
        ages.append(round(age, 2))
        state = state.after(False, False, age, early)
    assert ages[:4] == [0.2, 0.46, 0.8, 1.24]
    assert max(later - sooner for sooner, later in itertools.pairwise(ages)) <= 0.51
    assert 25 <= len(ages) <= 35
    assert state.failures == 0


def test_liveness_is_never_tried_quietly() -> None:
    state: Any = ProbeState.begin(ProbeKind.LIVENESS, ProbeTimes(15, 10), EarlyReadiness(), passed=True)
    assert state.next_try(0.0, True).at == 15


@in_virtual_time
async def test_a_node_that_is_away_fails_no_probe(tmp_path: Path) -> None:
    world = World(tmp_path)
    probe = {**CHECK, "periodSeconds": 1}
    async with world.running():
        world.apply(pod("web-0", container(livenessProbe=probe, readinessProbe=probe)))
        await world.until(world.is_ready)
        world.node.away = True
        await asyncio.sleep(60)
        assert world.is_ready()
        world.node.away = False
        await asyncio.sleep(10)
    assert world.node.running() == ["web/0"]
    assert not world.events("Unhealthy")
