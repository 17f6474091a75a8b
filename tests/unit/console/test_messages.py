"""Deeds with messages through HTTP, of brokers that only speak the protocol."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers
from tests.builders.running_console import running_console

from klamm.console.api.messages import Copying, purged
from klamm.console.records.plan import Cursor
from klamm.console.records.reading import End, Hit, Progress
from klamm.kafka.admin import Admin
from klamm.kafka.batches import batches_in
from klamm.kafka.errors import NotNow
from klamm.kafka.writing import NewRecord, batch_of

_MESSAGES = "/api/clusters/kafka/topics/{}/messages"


async def test_what_concerns_a_partition_without_a_leader_is_not_done_by_halves() -> None:
    servers = FakeServers([1], {"orders": FakeTopic([5, 5], [1, None]), "whole": FakeTopic([5, 5], [1, 1])})
    with fake_servers(servers):
        async with running_console(servers.bootstrap) as console:
            orders = _MESSAGES.format("orders")
            purged = await console.ask("DELETE", orders, None)
            copied = await console.ask("POST", f"{_MESSAGES.format('whole')}/copy", {"fromTopic": "orders"})
            assert [(one.status, one.json["title"]) for one in (purged, copied)] == [(503, "NotNow")] * 2
            assert "partition 1 has no leader" in purged.json["detail"]


async def test_a_copy_says_what_of_transactions_it_takes() -> None:
    servers = FakeServers([1], {"orders": FakeTopic([5], [1])})
    with fake_servers(servers):
        async with running_console(servers.bootstrap) as console:
            wish = {"fromTopic": "orders", "isolation": "SOME"}
            said = await console.ask("POST", f"{_MESSAGES.format('orders')}/copy", wish)
            assert said.status == 400
            assert "write READ_COMMITTED or READ_UNCOMMITTED" in said.json["detail"]


class Failing(Admin):
    """Brokers that do what they are asked; 2 fails."""

    def __init__(self) -> None:
        super().__init__(None, None)  # type: ignore[arg-type]

    async def ask_within(self, seconds: float, doing: str, request: Any, node: int | None = None) -> Any:
        if node == 2:
            raise NotNow(doing, "not now")
        written = SimpleNamespace(error_code=0, error_message=None, base_offset=0)
        gone = SimpleNamespace(partition_index=0, error_code=0, low_watermark=5)
        return SimpleNamespace(
            responses=[SimpleNamespace(partition_responses=[written])], topics=[SimpleNamespace(partitions=[gone])]
        )


async def _found(*partitions: int) -> AsyncIterator[Hit | Progress | End]:
    for one in partitions:
        (batch,) = batches_in(one, batch_of([NewRecord(b"key", b"value", 0)]))
        yield Hit(batch.records()[0], None)  # type: ignore[arg-type]
    yield Progress(messages=len(partitions), found=len(partitions))
    yield End(Cursor(False, {}), False)


async def test_a_copy_that_ends_early_says_what_was_written() -> None:
    def copying() -> Copying:
        return Copying(Failing(), "orders", {0: 1, 1: 2}, keep=True, dry=False)

    copied = await copying().all(_found(0, 1), 0)
    assert (copied.matched, copied.written) == (2, 1)
    assert copied.why_not is not None
    with pytest.raises(NotNow):
        await copying().all(_found(1), 0)


async def test_a_leader_that_does_not_purge_hides_no_other_that_did() -> None:
    outcomes = await purged(Failing(), "orders", {0: 1, 1: 2}, {0: -1, 1: -1})
    assert (outcomes[0], type(outcomes[1])) == (5, NotNow)
