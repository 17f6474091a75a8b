"""Which open transactions hang."""

from dataclasses import replace

import pytest

from klamm.console.api.transactions import _line
from klamm.console.health.hanging import candidates, hanging
from klamm.kafka.facts import ActiveProducer, ListedTransaction, Transaction

_OPEN = ActiveProducer("orders", 1, 7, 0, 5, 1_000, -1, 42)
_LISTED = ListedTransaction("pay", 7, "Ongoing", 1)
_KNOWN = Transaction("pay", "Ongoing", 1, 7, 0, 60_000, 900, {"orders": (0, 1)})


def test_a_transaction_tells_only_topics_that_one_may_view() -> None:
    known = replace(_KNOWN, partitions={"orders": (0, 1), "payroll": (2,)})
    assert _line(_LISTED, known, 0, lambda topic: topic == "orders").partitions == {"orders": (0, 1)}


def test_only_what_is_open_for_too_long_is_suspected() -> None:
    closed, young = replace(_OPEN, open_since=None), replace(_OPEN, last_ms=50_000)
    assert candidates([_OPEN, closed, young], 62_000, 60_000) == [_OPEN]
    assert candidates([_OPEN], 61_000, 60_000) == []


@pytest.mark.parametrize(
    ("listed", "known", "why"),
    [
        ([_LISTED], [_KNOWN], None),
        ([_LISTED], [replace(_KNOWN, state="PrepareCommit")], None),
        ([], [], "no coordinator knows producer 7"),
        ([replace(_LISTED, producer_id=8)], [_KNOWN], "no coordinator knows producer 7"),
        ([_LISTED], [], None),  # it could not be described: who knows
        ([_LISTED], [replace(_KNOWN, producer_id=9)], "transactional id pay has another producer by now (9)"),
        ([_LISTED], [replace(_KNOWN, state="CompleteAbort")], "transaction pay is not open: CompleteAbort"),
        ([_LISTED], [replace(_KNOWN, partitions={"orders": (0,)})], "this partition is not in transaction pay"),
    ],
)
def test_what_no_coordinator_knows_hangs(
    listed: list[ListedTransaction], known: list[Transaction], why: str | None
) -> None:
    found = hanging([_OPEN], listed, {one.id: one for one in known})
    if why is None:
        assert found == []
    else:
        (one,) = found
        assert why in one.why
