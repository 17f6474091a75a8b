"""A wait ends: with the result, or with an error that says what was waited for, how long and why."""

import asyncio

import pytest
from tests.builders.virtual_time import in_virtual_time

from klamm.base.deadlines import Deadline, DeadlineExceeded, until, within
from klamm.base.faults import Transient


async def _answer_after(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "answer"


@in_virtual_time
async def test_a_result_in_time_is_returned() -> None:
    assert await within(10, "the answer", _answer_after(9)) == "answer"


@in_virtual_time
async def test_a_wait_that_fails_reads_as_a_sentence_with_the_reason_last_seen() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        await within(10, "pod kafka/a-0 to be ready", _answer_after(11), lambda: "its image is being pulled")
    expected = "waited 10 s for pod kafka/a-0 to be ready in vain, because its image is being pulled"
    assert str(caught.value) == expected
    assert isinstance(caught.value, Transient)
    assert asyncio.get_running_loop().time() == 10


@in_virtual_time
async def test_a_shared_deadline_counts_over_several_waits() -> None:
    deadline = Deadline.after(10)
    await within(deadline, "the first", _answer_after(6))
    assert deadline.remaining() == 4
    with pytest.raises(DeadlineExceeded):
        await within(deadline, "the second", _answer_after(6))
    assert deadline.passed


@in_virtual_time
async def test_the_awaitables_own_timeout_is_not_taken_for_the_deadline() -> None:
    async def fails() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own") as caught:
        await within(10, "it", fails())
    assert not isinstance(caught.value, DeadlineExceeded)


@in_virtual_time
async def test_until_asks_again_and_tells_the_last_reason() -> None:
    reasons = iter(["no pod", "no address", "no leader"])

    async def why_not() -> str | None:
        return next(reasons, "no quorum")

    with pytest.raises(DeadlineExceeded, match="in vain, because no quorum"):
        await until(10, "the cluster", why_not, every=1)


@in_virtual_time
async def test_until_returns_at_the_first_time_that_nothing_speaks_against_it() -> None:
    reasons = iter(["no pod", None])
    await until(10, "the pod", lambda: next(reasons), every=3)
    assert asyncio.get_running_loop().time() == 3
