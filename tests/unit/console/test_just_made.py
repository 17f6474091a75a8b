"""A topic of which brokers have not heard yet is waited for, and not for long."""

import pytest
from tests.builders.virtual_time import LoopClock, in_virtual_time

from klamm.console.topics.just_made import HEARD_WITHIN, once_heard_of
from klamm.kafka.answers import failure_of
from klamm.kafka.errors import NotNow, UnknownTopic

_NOT_LEADER = 6
"""NOT_LEADER_OR_FOLLOWER, as the protocol calls it today."""


class Brokers:
    """They have heard of the topic after so many questions."""

    def __init__(self, after: int) -> None:
        self.asked, self._after = 0, after

    async def ask(self) -> str:
        self.asked += 1
        if self.asked <= self._after:
            raise UnknownTopic("write", "there is no such topic")
        return "written"


@in_virtual_time
async def test_it_is_asked_for_until_a_broker_has_heard_of_it() -> None:
    brokers = Brokers(after=3)
    assert await once_heard_of(brokers.ask) == "written"
    assert brokers.asked == 4


@in_virtual_time
async def test_a_topic_that_is_not_there_is_told_in_the_end() -> None:
    clock = LoopClock()
    with pytest.raises(UnknownTopic):
        await once_heard_of(Brokers(after=10_000).ask)
    assert HEARD_WITHIN <= clock.monotonic() < HEARD_WITHIN + 0.2


@in_virtual_time
async def test_a_leader_that_has_not_opened_its_partition_is_asked_again() -> None:
    codes = [_NOT_LEADER, _NOT_LEADER, 0]

    async def write() -> str:
        failure = failure_of("write", codes.pop(0), None)
        if failure is not None:
            raise failure
        return "written"

    assert await once_heard_of(write) == "written"
    assert codes == []


@in_virtual_time
async def test_what_else_goes_wrong_is_told_at_once() -> None:
    clock = LoopClock()

    async def has_no_leader() -> None:
        raise NotNow("write", "partition 0 has no leader")

    with pytest.raises(NotNow):
        await once_heard_of(has_no_leader)
    assert clock.monotonic() == 0
