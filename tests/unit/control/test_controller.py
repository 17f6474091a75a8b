"""The loop, on a virtual clock: who gets a pass, when, and what ends it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from tests.builders.metric_pages import read_page
from tests.builders.scripted_api import Pause, ScriptedApi, event, listed, pod
from tests.builders.virtual_time import LoopClock, in_virtual_time

from klamm.base import faults
from klamm.base.backoff import BackOff
from klamm.base.metrics import Metrics
from klamm.base.together import ended
from klamm.control.controller import Controller, Settings
from klamm.control.measures import PassMeasures
from klamm.control.passes import Pass
from klamm.control.results import DONE, Again, Blocked, Result
from klamm.kube.client import over
from klamm.kube.kinds import Name
from klamm.kube.native import PODS
from klamm.kube.watching import Watched
from klamm.resources.native.pod import Pod

A, B = Name("kafka", "a"), Name("kafka", "b")
SETTINGS = Settings(at_once=2, resync=1e6, back_off=BackOff(first=1, factor=2, longest=60, jitter=0))


def _now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


class _Reconciler:
    """Answers from a list (the last one again and again); notes when each pass began."""

    def __init__(self, *answers: Result | Exception | Callable[[Pass], Awaitable[Result]]) -> None:
        self.answers = list(answers) or [DONE]
        self.began: list[tuple[str, float]] = []
        self.at_once = self.most_at_once = 0

    async def reconcile(self, name: Name, pass_: Pass) -> Result:
        self.began.append((name.name, _now()))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, Exception):
                raise answer
            return await answer(pass_) if callable(answer) else answer
        finally:
            self.at_once -= 1

    @property
    def times(self) -> list[float]:
        return [time for _, time in self.began]


def _controller(reconciler: _Reconciler, settings: Settings = SETTINGS) -> Controller:
    return Controller("Pod", reconciler.reconcile, LoopClock(), Random(1), settings)


@asynccontextmanager
async def _running(*runs: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(run()) for run in runs]
    try:
        yield
    finally:
        await ended(*tasks)


def _pods(*items: dict[str, Any], then: list[Any] | None = None) -> Watched[Pod]:
    api = ScriptedApi()
    api.answers(listed(items, 10))
    api.watches([*(then or []), Pause(1e9)])
    return Watched(over(api, "test", Random(1)), PODS, Random(1))


def _of_generation(generation: int, version: int, **more: Any) -> dict[str, Any]:
    made = pod("a", version)
    made["metadata"] |= {"generation": generation, **more}
    return made


async def _waits(pass_: Pass) -> Result:
    await pass_.wait_for("the end of days", lambda: "it has not come", 300)
    return DONE


async def _works(pass_: Pass) -> Result:
    await asyncio.sleep(5)
    return DONE


@in_virtual_time
async def test_again_comes_back_after_its_time_and_done_does_not() -> None:
    reconciler = _Reconciler(Again(30, "pods start"), DONE)
    controller = _controller(reconciler)
    controller.trigger(A)
    async with _running(controller.run):
        await asyncio.sleep(1000)
    assert reconciler.times == [0, 30]


class _Unreachable(faults.Transient):
    pass


FAILURES = [
    ("a transient fault", _Unreachable("no broker answers")),
    ("a bug of ours", KeyError("pods")),
    ("no time given", Again(None, "pods start")),
]


@pytest.mark.parametrize(("case", "failure"), FAILURES, ids=[row[0] for row in FAILURES])
@in_virtual_time
async def test_what_fails_comes_back_less_and_less_often(case: str, failure: Exception | Again) -> None:
    reconciler = _Reconciler(failure)
    controller = _controller(reconciler)
    controller.trigger(A)
    async with _running(controller.run):
        await asyncio.sleep(35)
    assert reconciler.times == [0, 1, 3, 7, 15, 31]


@in_virtual_time
async def test_a_success_forgets_the_failures() -> None:
    failure = _Unreachable("no broker answers")
    reconciler = _Reconciler(failure, failure, DONE, failure, DONE)
    controller = _controller(reconciler)
    controller.trigger(A)
    async with _running(controller.run):
        await asyncio.sleep(10)
        controller.trigger(A)
        await asyncio.sleep(10)
    assert reconciler.times == [0, 1, 3, 10, 11]


@in_virtual_time
async def test_the_wish_of_the_other_side_is_respected() -> None:
    busy = _Unreachable("busy")
    busy.retry_after = 17.0
    reconciler = _Reconciler(busy, DONE)
    controller = _controller(reconciler)
    controller.trigger(A)
    async with _running(controller.run):
        await asyncio.sleep(100)
    assert reconciler.times == [0, 17]


@pytest.mark.parametrize("blocked", [Blocked("x"), faults.Invalid("spec.replicas is 0")], ids=["value", "error"])
@in_virtual_time
async def test_blocked_waits_for_a_new_generation(blocked: Blocked | Exception) -> None:
    pods = _pods(_of_generation(1, 5), then=[Pause(500), event("MODIFIED", _of_generation(2, 11))])
    reconciler = _Reconciler(blocked, DONE)
    controller = _controller(reconciler)
    controller.follow(pods)
    async with _running(pods.run, controller.run):
        await asyncio.sleep(1000)
    assert reconciler.times == [0, 500]


@in_virtual_time
async def test_a_newer_generation_ends_the_wait_of_an_older_pass_and_runs_at_once() -> None:
    pods = _pods(_of_generation(1, 5), then=[Pause(40), event("MODIFIED", _of_generation(2, 11))])
    reconciler = _Reconciler(_waits, DONE)
    controller = _controller(reconciler)
    controller.follow(pods)
    async with _running(pods.run, controller.run):
        await asyncio.sleep(100)
    assert reconciler.times == [0, 40]


@in_virtual_time
async def test_an_action_is_not_cut_by_a_newer_generation() -> None:
    pods = _pods(_of_generation(1, 5), then=[Pause(2), event("MODIFIED", _of_generation(2, 11))])
    reconciler = _Reconciler(_works, DONE)
    controller = _controller(reconciler)
    controller.follow(pods)
    async with _running(pods.run, controller.run):
        await asyncio.sleep(100)
    assert reconciler.times == [0, 5]


NEWS = [
    ("its status alone", {"generation": 1}, 1),
    ("its generation", {"generation": 2}, 2),
    ("an annotation", {"generation": 1, "annotations": {"strimzi.io/pause-reconciliation": "true"}}, 2),
    ("a label", {"generation": 1, "labels": {"strimzi.io/cluster": "x"}}, 2),
    ("its deletion", {"generation": 1, "deletionTimestamp": "2026-03-01T12:00:00Z"}, 2),
]


@pytest.mark.parametrize(("what", "metadata", "passes"), NEWS, ids=[row[0] for row in NEWS])
@in_virtual_time
async def test_which_changes_of_the_resource_start_a_pass(what: str, metadata: dict[str, Any], passes: int) -> None:
    changed = _of_generation(1, 11)
    changed["metadata"] |= metadata
    pods = _pods(_of_generation(1, 5), then=[Pause(5), event("MODIFIED", changed)])
    reconciler = _Reconciler(DONE)
    controller = _controller(reconciler)
    controller.follow(pods)
    async with _running(pods.run, controller.run):
        await asyncio.sleep(10)
    assert len(reconciler.began) == passes


@in_virtual_time
async def test_a_deleted_resource_gets_a_last_pass() -> None:
    pods = _pods(_of_generation(1, 5), then=[Pause(5), event("DELETED", _of_generation(1, 11))])
    reconciler = _Reconciler(DONE)
    controller = _controller(reconciler)
    controller.follow(pods)
    async with _running(pods.run, controller.run):
        await asyncio.sleep(10)
    assert reconciler.times == [0, 5]


@in_virtual_time
async def test_changes_of_others_are_collected_and_start_one_pass_of_the_owner() -> None:
    changes = [event("MODIFIED", pod("a-0", version, cluster="a")) for version in range(11, 20)]
    children = _pods(then=[Pause(5), *changes])
    reconciler = _Reconciler(DONE)
    controller = _controller(reconciler)
    controller.follow_others(children, lambda child: Name("kafka", child.metadata.labels["cluster"]), settle=0.1)
    async with _running(children.run, controller.run):
        await asyncio.sleep(10)
    assert reconciler.began == [("a", 5.1)]


@in_virtual_time
async def test_changes_of_others_that_do_not_matter_start_none() -> None:
    changes = [event("MODIFIED", pod("a-0", version, cluster="a")) for version in (12, 13)]
    children = _pods(then=[Pause(1), event("ADDED", pod("a-0", 11, cluster="a")), Pause(5), *changes])
    reconciler = _Reconciler(DONE)
    controller = _controller(reconciler)
    controller.follow_others(children, lambda child: A, settle=0.1, says=lambda child: child.metadata.labels)
    async with _running(children.run, controller.run):
        await asyncio.sleep(10)
    assert reconciler.times == [1.1]


@in_virtual_time
async def test_a_change_of_others_makes_a_waiting_pass_look_again_at_once() -> None:
    children = _pods(then=[Pause(5), event("ADDED", pod("a-0", 11, cluster="a"))])

    async def waits_for_child(pass_: Pass) -> Result:
        await pass_.wait_for("pod a-0", lambda: None if children.all() else "there is none", 300, poll=100)
        waited_until.append(_now())
        return DONE

    waited_until: list[float] = []
    controller = _controller(_Reconciler(waits_for_child, DONE))
    controller.follow_others(children, lambda child: A)
    controller.trigger(A)
    async with _running(children.run, controller.run):
        await asyncio.sleep(10)
    assert waited_until == [5]


@in_virtual_time
async def test_no_pass_begins_before_the_caches_are_filled() -> None:
    pods = _pods(pod("a", 5))
    reconciler = _Reconciler(DONE)
    controller = _controller(reconciler)
    controller.follow_others(pods, lambda child: A)
    controller.trigger(B)

    async def run_late() -> None:
        await asyncio.sleep(100)
        await pods.run()

    async with _running(run_late, controller.run):
        await asyncio.sleep(200)
    assert sorted(reconciler.began) == [("a", 100.05), ("b", 100)]


@in_virtual_time
async def test_objects_run_in_parallel_up_to_the_bound_and_one_object_never_twice() -> None:
    reconciler = _Reconciler(_works)
    controller = _controller(reconciler)
    for name in ("a", "b", "c"):
        controller.trigger(Name("kafka", name))
    async with _running(controller.run):
        await asyncio.sleep(1)
        controller.trigger(A)
        await asyncio.sleep(30)
    assert reconciler.began == [("a", 0), ("b", 0), ("c", 5), ("a", 5)]
    assert reconciler.most_at_once == 2


@in_virtual_time
async def test_everything_is_looked_at_again_by_and_by() -> None:
    pods = _pods(pod("a", 5), pod("b", 6))
    reconciler = _Reconciler(DONE)
    controller = _controller(reconciler, Settings(resync=120))
    controller.follow(pods)
    async with _running(pods.run, controller.run):
        await asyncio.sleep(500)
    per_object = sorted(time for name, time in reconciler.began if name == "a")
    assert len(per_object) == 5
    assert all(120 * turn <= time <= 144 * turn for turn, time in enumerate(per_object) if turn)


@in_virtual_time
async def test_stopping_ends_waits_at_once_and_lets_actions_end() -> None:
    reconciler = _Reconciler(_waits, _works)
    controller = _controller(reconciler)
    controller.trigger(A)
    controller.trigger(B)
    async with _running(controller.run):
        await asyncio.sleep(1)
        stopped = _now()
    assert _now() - stopped == 4
    assert reconciler.at_once == 0


@in_virtual_time
async def test_stopping_cancels_what_hangs() -> None:
    async def hangs(pass_: Pass) -> Result:
        await asyncio.sleep(1e6)
        return DONE

    controller = _controller(_Reconciler(hangs), Settings(stopping=10))
    controller.trigger(A)
    async with _running(controller.run):
        await asyncio.sleep(1)
    assert _now() == 11


@in_virtual_time
async def test_each_pass_is_told_in_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="klamm")
    controller = _controller(_Reconciler(Again(3, "pods start"), DONE))
    controller.trigger(A)
    async with _running(controller.run):
        await asyncio.sleep(10)
    assert [record.getMessage() for record in caplog.records] == [
        "Pod kafka/a: again after 3 s, because pods start",
        "Pod kafka/a: done",
    ]


@in_virtual_time
async def test_passes_are_counted_by_how_they_began_and_ended() -> None:
    failure, metrics = _Unreachable("no broker answers"), Metrics(LoopClock().monotonic)
    reconciler = _Reconciler(_works, failure, Blocked("the user must mend it"), DONE)
    measures = PassMeasures(metrics, "Pod", ["kafka"], "a=b")
    controller = Controller("Pod", reconciler.reconcile, LoopClock(), Random(1), SETTINGS, measures)
    controller.trigger(A)
    controller.trigger(A)  # in line already
    async with _running(controller.run):
        await asyncio.sleep(1)
        controller.trigger(A)  # while its pass is running: one more follows, which fails and is tried again
        await asyncio.sleep(100)
        controller.trigger(A)
        await asyncio.sleep(100)
    labels = frozenset({("kind", "Pod"), ("namespace", "kafka"), ("selector", "a=b")})
    page = read_page(metrics.text())
    counted = {
        name.removeprefix("strimzi_reconciliations_"): value for (name, of), value in page.items() if of == labels
    }
    assert counted == {
        "total": 4,
        "already_enqueued_total": 1,
        "locked_total": 1,
        "periodical_total": 0,
        "successful_total": 2,
        "failed_total": 2,
        "duration_seconds_count": 4,
        "duration_seconds_sum": 5,
        "duration_seconds_max": 0,
    }
    outcomes = {dict(of)["outcome"]: value for (name, of), value in page.items() if name == "klamm_passes_total"}
    assert outcomes == {"done": 2, "again": 0, "blocked": 1, "superseded": 0, "failed": 1}


def test_a_namespace_that_comes_later_begins_with_every_counter_at_0() -> None:
    """Or its first failure would be in no rate."""
    metrics = Metrics(lambda: 0.0)
    measures = PassMeasures(metrics, "Pod")
    measures.begun("team-a")
    shown = {name: value for (name, of), value in read_page(metrics.text()).items() if ("namespace", "team-a") in of}
    assert shown["strimzi_reconciliations_total"] == 1
    for name in ("failed", "successful", "locked", "already_enqueued", "periodical"):
        assert shown[f"strimzi_reconciliations_{name}_total"] == 0
    assert shown["klamm_passes_total"] == 0
    measures.passed(Name("team-a", "one"), "failed", 1.0)
    measures.begun("team-a")
    failed = "strimzi_reconciliations_failed_total"
    of = frozenset({("kind", "Pod"), ("namespace", "team-a"), ("selector", "")})
    assert read_page(metrics.text())[failed, of] == 1


@in_virtual_time
async def test_rounds_and_resources_are_counted() -> None:
    metrics = Metrics(LoopClock().monotonic)
    measures = PassMeasures(metrics, "Pod")
    settings = Settings(at_once=2, resync=60.0, back_off=SETTINGS.back_off)
    controller = Controller("Pod", _Reconciler().reconcile, LoopClock(), Random(1), settings, measures)
    paused = pod("b", 5)
    paused["metadata"]["annotations"] = {"strimzi.io/pause-reconciliation": "true"}
    pods = _pods(pod("a", 4), paused)
    controller.follow(pods)
    measures.watch_resources(pods.all)
    async with _running(pods.run, controller.run):
        await asyncio.sleep(130)
        page = read_page(metrics.text())
    labels = frozenset({("kind", "Pod"), ("namespace", "kafka"), ("selector", "")})
    assert page["strimzi_reconciliations_periodical_total", labels] == 2
    assert page["strimzi_resources", labels] == 2
    assert page["strimzi_resources_paused", labels] == 1
