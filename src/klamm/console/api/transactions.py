"""Transactions: the list, producers of a topic, those that hang, and their end."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from klamm.base.clock import milliseconds
from klamm.base.pieces import in_pieces
from klamm.base.together import side_by_side
from klamm.console.access.rights import Right
from klamm.console.health import hanging
from klamm.console.health.findings import survey
from klamm.console.problems import Problem, bad_value, forbidden, not_found
from klamm.console.routes import Call, NoQuery, Route
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import ActiveProducer, ListedTransaction, Topic, Transaction
from klamm.kafka.transactions import (
    abort_transaction,
    active_producers,
    describe_transactions,
    list_transactions,
    perhaps_open,
)

_VIEW = Right("clusterconfig", "view")
_EDIT = Right("clusterconfig", "edit")
_VIEW_TOPIC = Right("topic", "view", of="topic")

_MINUTE_MS = 60_000


class TransactionLine(msgspec.Struct, frozen=True, rename="camel"):
    """`seconds`: how long it is open, None when it is not; `timeout`: how long it may be. `partitions`: by topic, of
    those that one may view."""

    id: str
    state: str
    coordinator: int
    producer_id: int
    producer_epoch: int | None
    seconds: float | None
    timeout: float | None
    partitions: dict[str, tuple[int, ...]]


class TransactionList(msgspec.Struct, frozen=True):
    """`unread`: what could not be read, and why."""

    transactions: tuple[TransactionLine, ...]
    unread: tuple[str, ...]


class ProducerLine(msgspec.Struct, frozen=True, rename="camel"):
    """`seconds`: since it wrote last. `openSince`: first offset of its open transaction, None without one. `why`: it
    hangs."""

    topic: str
    partition: int
    producer_id: int
    producer_epoch: int
    last_sequence: int
    seconds: float | None
    coordinator_epoch: int
    open_since: int | None
    why: str | None = None


class ProducerList(msgspec.Struct, frozen=True):
    producers: tuple[ProducerLine, ...]
    unread: tuple[str, ...]


class HangingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`topic`: of this one only. `minutes`: no transaction may be open for longer (transaction.max.timeout.ms)."""

    topic: str = ""
    minutes: int = 15


class Abortion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """As it was shown: what is open there now must be the same."""

    topic: str
    partition: int
    producer_id: int
    open_since: int


async def transactions(call: Call[NoQuery, None]) -> TransactionList:
    admin = await call.place.admin()
    listed, described, unread = await _of_coordinators(admin, await _brokers(call))
    now = _now(call)
    lines = [_line(one, described.get(one.id), now, partial(call.may, "topic", "view")) for one in listed]
    return TransactionList(tuple(sorted(lines, key=lambda one: (-(one.seconds or 0.0), one.id))), tuple(unread))


async def producers(call: Call[NoQuery, None]) -> ProducerList:
    admin, name = await call.place.admin(), call.path["topic"]
    topics = await admin.describe_topics([name])
    if name not in topics:
        raise not_found("topic", name)
    found, unread = await _producers(admin, topics.values())
    return ProducerList(tuple(_producer(one, _now(call)) for one in found), tuple(unread))


async def find_hanging(call: Call[HangingQuery, None]) -> ProducerList:
    if call.query.minutes < 1:
        raise bad_value("minutes", call.query.minutes, "is no patience; write 1 or more")
    admin, name, now = await call.place.admin(), call.query.topic, _now(call)
    if name:
        _permit(call, name)
    found, unread = await _of_open_ones(admin, await _searched(call, admin, name))
    suspects = hanging.candidates(found, now, call.query.minutes * _MINUTE_MS)
    if not suspects:
        return ProducerList((), tuple(unread))
    listed, described, more = await _of_coordinators(admin, await _brokers(call))
    if more:
        # A coordinator that does not answer may know them all.
        return ProducerList((), (*unread, *more))
    hang = hanging.hanging(suspects, listed, described)
    return ProducerList(tuple(_producer(one.producer, now, one.why) for one in hang), tuple(unread))


async def abort(call: Call[NoQuery, Abortion]) -> None:
    wish = call.body
    _permit(call, wish.topic)
    admin = await call.place.admin()
    topics = await admin.describe_topics([wish.topic])
    partition = (
        next((one for one in topics[wish.topic].partitions if one.id == wish.partition), None) if topics else None
    )
    if partition is None or partition.leader is None:
        raise not_found("a partition with a leader,", f"{wish.topic}-{wish.partition}")
    there = await active_producers(admin, partition.leader, {wish.topic: [wish.partition]})
    for one in there:
        if isinstance(one, ActiveProducer) and (one.producer_id, one.open_since) == (wish.producer_id, wish.open_since):
            return await abort_transaction(admin, partition.leader, one)
    raise Problem(409, "Changed", f"producer {wish.producer_id} has no transaction open there since {wish.open_since}")


def _permit(call: Call[Any, Any], topic: str) -> None:
    if not call.may("topic", "view", topic):
        raise forbidden(f"{call.who.name} may not view topic {topic}; a role must permit it")


async def _brokers(call: Call[NoQuery, None] | Call[HangingQuery, None]) -> list[int]:
    return [one.id for one in (await call.place.snapshot()).cluster.brokers]


async def _of_coordinators(
    admin: Admin, brokers: Sequence[int]
) -> tuple[list[ListedTransaction], dict[str, Transaction], list[str]]:
    async def of(broker: int) -> tuple[list[ListedTransaction], dict[str, Transaction], list[str]]:
        try:
            listed = await list_transactions(admin, broker)
            told = await describe_transactions(admin, broker, [one.id for one in listed])
        except KafkaFailure as failure:
            return [], {}, [str(failure)]
        return listed, {name: one for name, one in told.items() if isinstance(one, Transaction)}, []

    answers = await side_by_side(*map(of, brokers))
    listed = [one for some, _, _ in answers for one in some]
    described = {name: one for _, some, _ in answers for name, one in some.items()}
    return listed, described, [why for _, _, some in answers for why in some]


async def _searched(call: Call[HangingQuery, None], admin: Admin, name: str) -> "_Led":
    """One topic, or all that one may view."""
    if name:
        topics = await admin.describe_topics([name])
        if name not in topics:
            raise not_found("topic", name)
        return await _by_leader(topics.values())
    # What hangs was there when the cluster was looked at last: to ask for all topics anew takes longer than the search.
    snapshot = await call.place.snapshot()
    allowed = call.who.allowed(call.place.name, "topic", "view", snapshot.topics)
    if snapshot.led is not None and len(allowed) == len(snapshot.topics):
        surveyed = await call.place.derived("survey", snapshot, lambda: survey(snapshot))
        return _Led(snapshot.led, [f"{one.topic}-{one.id}" for one in surveyed.offline])
    return await _by_leader(snapshot.topics[one] for one in allowed)


async def _of_open_ones(admin: Admin, searched: "_Led") -> tuple[list[ActiveProducer], list[str]]:
    """The producers of the partitions in which a transaction may be open: most often there are few, or none."""

    async def of(broker: int, led: Mapping[str, Sequence[int]]) -> Mapping[str, Sequence[int]] | KafkaFailure:
        try:
            return await perhaps_open(admin, broker, led)
        except KafkaFailure as failure:
            return failure

    answers = await side_by_side(*(of(broker, led) for broker, led in searched.leaders.items()))
    failures = [str(one) for one in answers if isinstance(one, KafkaFailure)]
    suspects = [one for one in answers if not isinstance(one, KafkaFailure)]
    partitions = {(name, one) for some in suspects for name, ids in some.items() for one in ids}
    # Looked up now: where a leader has moved since, the new one is asked.
    named = await admin.describe_topics(sorted({name for name, _ in partitions}))
    found, unread = await _producers(admin, named.values(), lambda name, one: (name, one) in partitions)
    if searched.leaderless:
        count, first = len(searched.leaderless), searched.leaderless[0]
        unread.append(f"{count} partitions without a leader were not looked at, {first} among them")
    return found, sorted({*failures, *unread})


async def _producers(
    admin: Admin, topics: Iterable[Topic], wanted: Callable[[str, int], bool] = lambda name, one: True
) -> tuple[list[ActiveProducer], list[str]]:
    async def of(broker: int, led: Mapping[str, Sequence[int]]) -> list[ActiveProducer | KafkaFailure]:
        try:
            return await active_producers(admin, broker, led)
        except KafkaFailure as failure:
            return [failure]

    leaders = (await _by_leader(topics, wanted)).leaders
    answers = await side_by_side(*(of(broker, led) for broker, led in leaders.items()))
    read = [one for some in answers for one in some]
    found = [one for one in read if isinstance(one, ActiveProducer)]
    found.sort(key=lambda one: (one.topic, one.partition, one.producer_id))
    return found, sorted({str(one) for one in read if isinstance(one, KafkaFailure)})


@dataclass(frozen=True, slots=True)
class _Led:
    """By broker the partitions that it leads; and those that nobody leads."""

    leaders: Mapping[int, Mapping[str, Sequence[int]]]
    leaderless: Sequence[str]


async def _by_leader(topics: Iterable[Topic], wanted: Callable[[str, int], bool] = lambda name, one: True) -> _Led:
    leaders: dict[int, dict[str, list[int]]] = {}
    leaderless = []
    async for topic in in_pieces(topics):
        for one in topic.partitions:
            if not wanted(topic.name, one.id):
                continue
            if one.leader is None:
                leaderless.append(f"{topic.name}-{one.id}")
            else:
                leaders.setdefault(one.leader, {}).setdefault(topic.name, []).append(one.id)
    return _Led(leaders, leaderless)


def _now(call: Call[NoQuery, None] | Call[HangingQuery, None]) -> int:
    return milliseconds(call.scene.clock)


def _line(
    listed: ListedTransaction, known: Transaction | None, now: int, sees: Callable[[str], bool]
) -> TransactionLine:
    started = known.started_ms if known else None
    return TransactionLine(
        id=listed.id,
        state=known.state if known else listed.state,
        coordinator=listed.coordinator,
        producer_id=listed.producer_id,
        producer_epoch=known.producer_epoch if known else None,
        seconds=None if started is None else max(0.0, (now - started) / 1000),
        timeout=known.timeout_ms / 1000 if known else None,
        partitions={topic: ids for topic, ids in known.partitions.items() if sees(topic)} if known else {},
    )


def _producer(one: ActiveProducer, now: int, why: str | None = None) -> ProducerLine:
    return ProducerLine(
        topic=one.topic,
        partition=one.partition,
        producer_id=one.producer_id,
        producer_epoch=one.producer_epoch,
        last_sequence=one.last_sequence,
        seconds=None if one.last_ms < 0 else max(0.0, (now - one.last_ms) / 1000),
        coordinator_epoch=one.coordinator_epoch,
        open_since=one.open_since,
        why=why,
    )


_CLUSTER = "/api/clusters/{cluster}"
ROUTES = (
    Route("GET", f"{_CLUSTER}/transactions", transactions, "Transactions", _VIEW, answer=TransactionList),
    Route(
        "GET",
        f"{_CLUSTER}/transactions/hanging",
        find_hanging,
        "Transactions that hang",
        _VIEW,
        query=HangingQuery,
        answer=ProducerList,
    ),
    Route("POST", f"{_CLUSTER}/transactions/aborts", abort, "Abort a transaction that hangs", _EDIT, body=Abortion),
    Route(
        "GET",
        f"{_CLUSTER}/topics/{{topic}}/producers",
        producers,
        "Active producers of a topic",
        _VIEW_TOPIC,
        answer=ProducerList,
    ),
)
