"""Which steps run, when, and what the pass says in the end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.builders.virtual_time import in_virtual_time

from klamm.base import faults
from klamm.control.passes import Pass, Superseded
from klamm.control.results import DONE, Again, Blocked, Result
from klamm.control.steps import BadSteps, Outcome, Step, take
from klamm.kube.kinds import Name


class _Work:
    """Steps that take some seconds and end as told; notes who began when."""

    def __init__(self) -> None:
        self.began: dict[str, float] = {}
        self.pass_ = Pass(Name("kafka", "my-cluster"))

    def step(
        self,
        name: str,
        *after: str,
        seconds: float = 1,
        ends: Result | Exception | None = None,
        deadline: float = 300,
        regardless: bool = False,
    ) -> Step:
        return Step(name, self._run(name, seconds, ends), after, deadline, regardless)

    def _run(
        self, name: str, seconds: float, ends: Result | Exception | None
    ) -> Callable[[], Awaitable[Result | None]]:
        async def run() -> Result | None:
            self.began[name] = asyncio.get_running_loop().time()
            await asyncio.sleep(seconds)
            if isinstance(ends, Exception):
                raise ends
            return ends

        return run

    async def take(self, *steps: Step) -> Outcome:
        return await take(steps, self.pass_)


class _Storage(faults.Transient):
    pass


@in_virtual_time
async def test_steps_that_do_not_need_each_other_run_at_the_same_time() -> None:
    work = _Work()
    outcome = await work.take(work.step("zookeeper"), work.step("kafka"), work.step("status", "zookeeper", "kafka"))
    assert work.began == {"zookeeper": 0, "kafka": 0, "status": 1}
    assert outcome.result == DONE
    assert outcome.durations == {"zookeeper": 1, "kafka": 1, "status": 1}


@in_virtual_time
async def test_certificates_never_wait_for_storage() -> None:
    work = _Work()
    outcome = await work.take(
        work.step("storage", seconds=100, ends=_Storage("volume data-0 cannot grow")),
        work.step("authorities"),
        work.step("certificates", "authorities"),
        work.step("pods", "certificates", "storage"),
    )
    assert work.began == {"storage": 0, "authorities": 0, "certificates": 1}
    assert outcome.result == Again(None, "storage: volume data-0 cannot grow")
    assert [step.name for step in outcome.failed] == ["storage"]
    assert outcome.of("pods").left_out == "storage must be done before"


@in_virtual_time
async def test_a_step_that_is_not_done_yet_holds_those_after_it() -> None:
    work = _Work()
    outcome = await work.take(work.step("pods", ends=Again(2, "pod 1 starts")), work.step("users", "pods"))
    assert "users" not in work.began
    assert outcome.result == Again(2, "pods: pod 1 starts")


@in_virtual_time
async def test_a_regardless_step_waits_for_the_end_but_not_for_the_success() -> None:
    work = _Work()
    await work.take(work.step("pods", seconds=3, ends=_Storage("no")), work.step("status", "pods", regardless=True))
    assert work.began["status"] == 3


@in_virtual_time
async def test_what_comes_after_a_step_that_was_left_out_is_left_out_too() -> None:
    work = _Work()
    outcome = await work.take(work.step("a", ends=Blocked("x")), work.step("b", "a"), work.step("c", "b"))
    assert list(work.began) == ["a"]
    assert outcome.result == Blocked("a: x")


@in_virtual_time
async def test_a_step_that_hangs_is_ended_by_its_deadline_and_the_others_go_on() -> None:
    work = _Work()
    outcome = await work.take(work.step("hangs", seconds=1e6, deadline=30), work.step("runs", seconds=40))
    assert asyncio.get_running_loop().time() == 40
    assert outcome.result == Again(None, "hangs: waited 30 s for step 'hangs' in vain")


@in_virtual_time
async def test_invalid_input_blocks_and_a_bug_comes_back_with_its_stack_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = _Work()
    outcome = await work.take(
        work.step("spec", ends=faults.Invalid("spec.kafka.replicas is 0; give at least 1")),
        work.step("broken", ends=KeyError("pods")),
    )
    because = "spec: spec.kafka.replicas is 0; give at least 1; broken: of a bug in klamm: KeyError: 'pods'"
    assert outcome.result == Again(None, because)
    assert [record.exc_info is not None for record in caplog.records] == [True]


@in_virtual_time
async def test_a_superseded_pass_lets_running_steps_end_and_begins_no_other() -> None:
    work = _Work()
    asyncio.get_running_loop().call_later(2, work.pass_.supersede, "generation 2 came")
    with pytest.raises(Superseded, match="generation 2 came"):
        await work.take(work.step("acts", seconds=5), work.step("next", "acts"))
    assert asyncio.get_running_loop().time() == 5
    assert list(work.began) == ["acts"]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([("a", ()), ("a", ())], "two steps have the same name"),
        ([("a", ("b",))], "step 'a' comes after b, which is no step"),
        ([("a", ("b",)), ("b", ("a",))], "steps wait for each other"),
    ],
)
@in_virtual_time
async def test_a_list_of_steps_that_makes_no_sense_is_refused(
    steps: list[tuple[str, tuple[str, ...]]], message: str
) -> None:
    work = _Work()
    with pytest.raises(BadSteps, match=message):
        await work.take(*[work.step(name, *after) for name, after in steps])


@in_virtual_time
async def test_a_step_may_be_listed_before_those_that_it_needs() -> None:
    work = _Work()
    outcome = await work.take(work.step("pods", "certificates"), work.step("certificates"))
    assert work.began == {"certificates": 0, "pods": 1}
    assert [step.name for step in outcome.steps] == ["pods", "certificates"]
