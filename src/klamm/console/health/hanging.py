"""Which open transactions hang: a partition waits for an end that no coordinator will bring. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from klamm.kafka.facts import ActiveProducer, ListedTransaction, Transaction

_OPEN = frozenset({"Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence"})


@dataclass(frozen=True, slots=True)
class Hanging:
    producer: ActiveProducer
    why: str


def candidates(producers: Iterable[ActiveProducer], now_ms: int, longest_ms: int) -> list[ActiveProducer]:
    """Open longer than any transaction may be: of these the coordinators are asked."""
    return [one for one in producers if one.open_since is not None and now_ms - one.last_ms > longest_ms]


def hanging(
    suspects: Iterable[ActiveProducer],
    listed: Iterable[ListedTransaction],
    described: Mapping[str, Transaction],
) -> list[Hanging]:
    """Those of the suspects of which no coordinator knows. One that is not described is given the benefit of doubt."""
    by_producer = {one.producer_id: one.id for one in listed}
    found = []
    for one in suspects:
        why = _reason(one, by_producer, described)
        if why is not None:
            found.append(Hanging(one, why))
    return found


def _reason(
    producer: ActiveProducer, by_producer: Mapping[int, str], described: Mapping[str, Transaction]
) -> str | None:
    name = by_producer.get(producer.producer_id)
    if name is None:
        return f"no coordinator knows producer {producer.producer_id}"
    known = described.get(name)
    if known is None:
        return None
    if known.producer_id != producer.producer_id:
        return f"transactional id {name} has another producer by now ({known.producer_id})"
    if known.state not in _OPEN:
        return f"for its coordinator transaction {name} is not open: {known.state}"
    if producer.partition not in known.partitions.get(producer.topic, ()):
        return f"for its coordinator this partition is not in transaction {name}"
    return None
