"""What brokers say of partitions, put together: the most careful of their views counts."""

import asyncio
from collections.abc import Mapping
from typing import cast

import pytest

from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure, Unreachable
from klamm.kafka.facts import ConfigValue, Partition, Topic
from klamm.operators.cluster.kafka.brokers import at_worst, partitions_of


def seen(in_sync: tuple[int, ...], replicas: tuple[int, ...] = (0, 1, 2), topic: str = "orders") -> Partition:
    return Partition(topic, 0, 0, replicas, in_sync)


def test_a_replica_is_in_sync_when_every_broker_that_knows_the_partition_says_so() -> None:
    [worst] = at_worst([seen((0, 1, 2)), seen((0, 2)), seen((0, 1, 2))])
    assert worst.in_sync == (0, 2)


def test_a_partition_that_one_broker_knows_counts() -> None:
    assert at_worst([seen((0, 1)), seen((1, 2), topic="new")]) == [seen((0, 1)), seen((1, 2), topic="new")]


def test_replicas_are_those_that_anybody_knows_while_they_are_moved() -> None:
    [worst] = at_worst([seen((0, 1), (0, 1)), seen((0, 1), (1, 3))])
    assert (worst.replicas, worst.in_sync) == ((0, 1, 3), (0, 1))


class Brokers:
    """What each broker answers: its view, or a failure."""

    def __init__(self, views: Mapping[int, "tuple[Partition, ...] | KafkaFailure"]) -> None:
        self._views = views

    async def describe_topics(self, names: object = None, node: int | None = None) -> dict[str, Topic]:
        view = self._views[cast(int, node)]
        if isinstance(view, KafkaFailure):
            raise view
        return {one.topic: Topic(one.topic, None, False, (one,)) for one in view}

    async def topic_configs(self, names: list[str], keys: object) -> dict[str, dict[str, ConfigValue]]:
        return {name: {"min.insync.replicas": ConfigValue("2", True)} for name in names}


def asked(views: "Mapping[int, tuple[Partition, ...] | KafkaFailure]") -> list[tuple[frozenset[int], int]]:
    found = asyncio.run(partitions_of(cast(Admin, Brokers(views)), list(views)))
    return [(one.in_sync, one.min_in_sync) for one in found]


SILENT = Unreachable("describe all topics", "no answer")


def test_a_broker_that_has_just_started_and_knows_nothing_does_not_hide_what_others_know() -> None:
    assert asked({0: (), 1: (seen((1, 2)),), 2: (seen((0, 1, 2)),)}) == [(frozenset({1, 2}), 2)]


def test_a_silent_broker_is_left_out() -> None:
    assert asked({0: SILENT, 1: (seen((1, 2)),)}) == [(frozenset({1, 2}), 2)]


def test_when_all_are_silent_nothing_is_known() -> None:
    with pytest.raises(Unreachable):
        asked({0: SILENT, 1: SILENT})
