"""Waits inside a pass end by the condition, the deadline, or because the pass has lost its point."""

import asyncio

import pytest
from tests.builders.virtual_time import in_virtual_time

from klamm.base.deadlines import DeadlineExceeded
from klamm.control.passes import Pass, Superseded
from klamm.kube.kinds import Name


def _now() -> float:
    return asyncio.get_running_loop().time()


class _World:
    ready = False
    asked = 0

    def reason(self) -> str | None:
        self.asked += 1
        return None if self.ready else "it is starting"


@in_virtual_time
async def test_a_condition_that_holds_costs_no_time() -> None:
    await Pass(Name("kafka", "a")).wait_for("nothing", lambda: None, 10)
    assert _now() == 0


@in_virtual_time
async def test_a_nudge_asks_again_at_once() -> None:
    pass_, world = Pass(Name("kafka", "a")), _World()

    def changes() -> None:
        world.ready = True
        pass_.nudge()

    asyncio.get_running_loop().call_later(0.3, changes)
    await pass_.wait_for("the pod", world.reason, 10, poll=5)
    assert _now() == pytest.approx(0.3)


@in_virtual_time
async def test_a_change_that_nobody_told_is_found_by_polling() -> None:
    pass_, world = Pass(Name("kafka", "a")), _World()
    asyncio.get_running_loop().call_later(0.3, setattr, world, "ready", True)
    await pass_.wait_for("the pod", world.reason, 10, poll=2)
    assert _now() == pytest.approx(2)


@in_virtual_time
async def test_the_deadline_tells_what_was_last_seen() -> None:
    with pytest.raises(DeadlineExceeded, match="waited 7 s for the pod in vain, because it is starting"):
        await Pass(Name("kafka", "a")).wait_for("the pod", _World().reason, 7)
    assert _now() == pytest.approx(7)


@in_virtual_time
async def test_a_superseded_pass_stops_waiting_at_once_and_for_ever() -> None:
    pass_ = Pass(Name("kafka", "a"))
    asyncio.get_running_loop().call_later(1, pass_.supersede, "generation 2 came")
    with pytest.raises(Superseded, match="generation 2 came"):
        await pass_.wait_for("the pod", _World().reason, 300)
    assert _now() == pytest.approx(1)
    with pytest.raises(Superseded):
        await pass_.sleep(10)
    with pytest.raises(Superseded):
        pass_.check()


@in_virtual_time
async def test_a_pause_lasts_as_long_as_it_says() -> None:
    await Pass(Name("kafka", "a")).sleep(10)
    assert _now() == pytest.approx(10)


@in_virtual_time
async def test_a_question_is_answered_or_cut_when_the_pass_has_lost_its_point() -> None:
    pass_, cut = Pass(Name("kafka", "a")), []

    async def question(seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            cut.append(_now())
            raise
        return "answer"

    assert await pass_.unless_superseded(question(3)) == "answer"
    asyncio.get_running_loop().call_later(2, pass_.supersede, "generation 2 came")
    with pytest.raises(Superseded, match="generation 2 came"):
        await pass_.unless_superseded(question(30))
    assert cut == [pytest.approx(5)]


@in_virtual_time
async def test_what_a_question_raises_comes_out_as_it_is() -> None:
    async def question() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await Pass(Name("kafka", "a")).unless_superseded(question())
