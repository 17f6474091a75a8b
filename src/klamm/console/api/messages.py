"""Messages of a topic: shown as they come, written, sent again, copied, downloaded, purged."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from random import Random
from typing import Any

import msgspec

from klamm.base.clock import milliseconds
from klamm.console.access.rights import Right
from klamm.console.clusters import Place
from klamm.console.problems import Problem, bad_value, forbidden
from klamm.console.records.cel import BadFilter, Filter
from klamm.console.records.plan import MODES, Cursor, Plan, Span, cursor_of, planned, resumed
from klamm.console.records.reading import SECONDS, End, Hit, OpenTopic, Progress, opened, read, tail
from klamm.console.records.selection import Selection
from klamm.console.records.shown import Header, Message, Showing, Side, iso_time, shortened
from klamm.console.routes import Call, Download, Event, Events, NoQuery, Route
from klamm.console.serdes import CannotWrite, Part, Serde, Serdes, UnknownSerde
from klamm.console.topics.just_made import once_heard_of
from klamm.kafka.admin import Admin
from klamm.kafka.batches import Record
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.reading import by_leader, leaders_of
from klamm.kafka.writing import NewRecord, delete_records, partition_for, produce

_READ = Right("topic", "messages_read", of="topic")
_PRODUCE = Right("topic", "messages_produce", of="topic")
_PURGE = Right("topic", "messages_delete", of="topic")

MOST = 500
MOST_DOWNLOADED = 100_000
MOST_COPIED = 1_000_000
_LOT = 500
_RANDOM = Random()


class MessagesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """kafka-ui's words. `partitions`: "0,2"; all when empty. `filter`: CEL over `record`. `offset` goes with
    FROM_OFFSET and TO_OFFSET, `timestamp` (milliseconds since 1970) with FROM_TIMESTAMP and TO_TIMESTAMP. `cursor`: of
    the page before, instead of a mode. `isolation`: READ_COMMITTED leaves out aborted and open transactions.
    `whole`: also what is longer than 64 thousand characters.
    """

    mode: str = "LATEST"
    partitions: str = ""
    limit: int = 100
    string_filter: str = ""
    filter: str = ""
    offset: int | None = None
    timestamp: int | None = None
    key_serde: str | None = None
    value_serde: str | None = None
    cursor: str = ""
    isolation: str = "READ_UNCOMMITTED"
    whole: bool = False


class DownloadQuery(MessagesQuery, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """`format`: jsonl or csv."""

    format: str = "jsonl"


class Phase(msgspec.Struct, frozen=True):
    name: str


class Consuming(msgspec.Struct, frozen=True, rename="camel"):
    """What was looked through so far. `filterApplyErrors`: records that the filter could not look at, `filterError`:
    why the last one could not. `unreadable`: batches that are broken."""

    messages_consumed: int
    bytes_consumed: int
    elapsed_ms: int
    found: int
    filter_apply_errors: int
    filter_error: str | None
    unreadable: int


class Done(msgspec.Struct, frozen=True):
    """`cursor`: of the next page; it is there even when there is no more now, for more may be written."""

    cursor: str
    more: bool


class SerdeNames(msgspec.Struct, frozen=True):
    """The first is taken when nobody chooses."""

    key: tuple[str, ...]
    value: tuple[str, ...]


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A record to write. `partition` None: where Kafka's producers put the key. A null key or value: none (a value of
    null is a tombstone). `count`: so many alike."""

    key: str | None = None
    value: str | None = None
    headers: tuple[Header, ...] = ()
    partition: int | None = None
    key_serde: str | None = None
    value_serde: str | None = None
    count: int = 1


class Written(msgspec.Struct, frozen=True):
    """Where the record is, the last one of many."""

    partition: int
    offset: int


class Again(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The record to send again, byte by byte; `fromTopic` None: of this topic itself. `partition` None: where Kafka's
    producers put the key."""

    from_partition: int
    from_offset: int
    from_topic: str | None = None
    partition: int | None = None


class CopyWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """What to copy into the path's topic, in the words of reading. `dryRun`: only counts. `keepPartitions`: into
    partitions of the same numbers; otherwise where Kafka's producers put the keys."""

    from_topic: str
    mode: str = "EARLIEST"
    partitions: str = ""
    string_filter: str = ""
    filter: str = ""
    offset: int | None = None
    timestamp: int | None = None
    key_serde: str | None = None
    value_serde: str | None = None
    isolation: str = "READ_UNCOMMITTED"
    limit: int = 10_000
    keep_partitions: bool = False
    dry_run: bool = True


class Copied(msgspec.Struct, frozen=True, rename="camel"):
    """`matched`: that were to be copied; `more`: there were more than `limit`. `whyNot`: it ended early, and what was
    written by then stays."""

    scanned: int
    matched: int
    written: int
    more: bool
    filter_apply_errors: int
    filter_error: str | None
    why_not: str | None = None


class PurgeQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`partitions`: "0,2" to their ends, "0:15,2:20" to before these offsets; all to their ends when empty."""

    partitions: str = ""


class Purged(msgspec.Struct, frozen=True):
    partition: int
    begin: int | None
    why_not: str | None = None


class PurgeDone(msgspec.Struct, frozen=True):
    partitions: tuple[Purged, ...]


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A filter and a record to try it on."""

    filter: str
    key: str | None = None
    value: str | None = None
    headers: dict[str, str] = {}
    partition: int = 0
    offset: int = 0
    timestamp_ms: int = 0


class Tried(msgspec.Struct, frozen=True):
    """`error`: why the filter is none, or cannot look at this record."""

    result: bool
    error: str | None = None


async def messages(call: Call[MessagesQuery, None]) -> Events:
    _check(call.query, MOST)
    showing = _showing(call.place.serdes, call.path["topic"], call.query.key_serde, call.query.value_serde)
    return Events(_events(call, showing))


async def _events(call: Call[MessagesQuery, None], showing: Showing) -> AsyncIterator[Event]:
    query = call.query
    yield Event("phase", Phase("Looking for partitions and their ends"))
    async with _reading(call.place, call.path["topic"], query, showing) as (topic, plan, selection):
        yield Event("phase", Phase("Waiting for new messages" if query.mode == "TAILING" else "Reading"))
        if query.mode == "TAILING" and not query.cursor:
            found: AsyncIterator[Hit | Progress | End] = tail(topic, plan, selection, call.scene.clock)
        else:
            found = read(topic, plan, selection, query.limit, call.scene.clock)
        try:
            async for one in found:
                yield _event(one, query.whole)
        except BadFilter as error:
            raise _bad_filter(error) from error
        finally:
            await found.aclose()  # type: ignore[attr-defined]


def _event(one: Hit | Progress | End, whole: bool) -> Event:
    if isinstance(one, Hit):
        return Event("message", one.message if whole else shortened(one.message))
    if isinstance(one, Progress):
        return Event("consuming", _consuming(one))
    return Event("done", Done(str(one.cursor), one.more))


def _consuming(one: Progress) -> Consuming:
    return Consuming(
        one.messages, one.bytes, round(one.seconds * 1000), one.found, one.errors, one.last_error, one.unreadable
    )


@asynccontextmanager
async def _reading(
    place: Place, name: str, query: MessagesQuery, showing: Showing
) -> AsyncIterator[tuple[OpenTopic, Plan, Selection]]:
    """A connection, a plan and a filter, and the end of all three."""
    async with AsyncExitStack() as stack:
        judge = await _filter(stack, place, query.filter)
        admin = await stack.enter_async_context(place.reader())
        topic, plan = await once_heard_of(lambda: _opened(admin, name, query))
        yield topic, plan, Selection(showing, query.string_filter, judge)


async def _opened(admin: Admin, name: str, query: MessagesQuery) -> tuple[OpenTopic, Plan]:
    topic = await opened(admin, name, query.isolation == "READ_COMMITTED")
    return topic, await _plan(topic, query)


async def _filter(stack: AsyncExitStack, place: Place, expression: str) -> Filter | None:
    if not expression.strip():
        return None
    await stack.enter_async_context(place.judge())
    try:
        return await stack.enter_async_context(Filter(expression))
    except BadFilter as error:
        raise _bad_filter(error) from error


async def _plan(topic: OpenTopic, query: MessagesQuery) -> Plan:
    partitions = chosen(query.partitions, topic.partitions)
    kept = await topic.kept(partitions)
    if query.cursor:
        cursor = cursor_of(query.cursor)
        assert cursor is not None  # it was checked
        return resumed(_within(cursor, partitions), kept)
    young: Mapping[int, int | None] | None = None
    if query.timestamp is not None and query.mode in ("FROM_TIMESTAMP", "TO_TIMESTAMP"):
        young = await topic.at(partitions, query.timestamp + (query.mode == "TO_TIMESTAMP"))
    return planned(query.mode, kept, query.offset, young)


def _within(cursor: Cursor, partitions: Sequence[int]) -> Cursor:
    return Cursor(cursor.backward, {one: place for one, place in cursor.places.items() if one in partitions})


def chosen(text: str, there: Sequence[int]) -> list[int]:
    """The partitions of "0,2"; all of them when it is empty."""
    if not text.strip():
        return list(there)
    try:
        wanted = sorted({int(one) for one in text.split(",")})
    except ValueError:
        raise bad_value("partitions", text, "is no list of numbers; write 0,1,2") from None
    if gone := [one for one in wanted if one not in there]:
        raise bad_value("partitions", text, f"names {gone[0]}, which the topic has not; it has 0 to {len(there) - 1}")
    return wanted


def _check(query: MessagesQuery, most: int) -> None:
    if query.mode not in MODES:
        raise bad_value("mode", query.mode, f"is no mode; write one of {', '.join(MODES)}")
    if not 1 <= query.limit <= most:
        raise bad_value("limit", query.limit, f"is no number of messages; write 1 to {most}")
    if query.mode.endswith("_OFFSET") and (query.offset is None or query.offset < 0):
        raise bad_value("offset", query.offset, f"is no offset, which {query.mode} needs; write 0 or more")
    if query.mode.endswith("_TIMESTAMP") and (query.timestamp is None or query.timestamp < 0):
        raise bad_value("timestamp", query.timestamp, f"is no time, which {query.mode} needs; write milliseconds")
    if query.isolation not in ("READ_COMMITTED", "READ_UNCOMMITTED"):
        raise bad_value("isolation", query.isolation, "is none; write READ_COMMITTED or READ_UNCOMMITTED")
    if query.cursor and cursor_of(query.cursor) is None:
        raise bad_value("cursor", query.cursor, "is no cursor; send the one of a done event as it is")


def _showing(serdes: Serdes, topic: str, key: str | None, value: str | None) -> Showing:
    return Showing(topic, serdes, serde_of(serdes, topic, "key", key), serde_of(serdes, topic, "value", value))


def serde_of(serdes: Serdes, topic: str, part: Part, name: str | None) -> Serde:
    try:
        return serdes.get(topic, part, name)
    except UnknownSerde as error:
        raise Problem(400, "BadValue", f"{part}Serde: {error}", f"{part}Serde") from error


def _bad_filter(error: BadFilter) -> Problem:
    return Problem(422, "BadFilter", str(error), "filter")


async def serdes(call: Call[NoQuery, None]) -> SerdeNames:
    names = call.place.serdes.names
    topic = call.path["topic"]
    return SerdeNames(tuple(names(topic, "key")), tuple(names(topic, "value")))


async def download(call: Call[DownloadQuery, None]) -> Download:
    query, topic = call.query, call.path["topic"]
    _check(query, MOST_DOWNLOADED)
    if query.mode == "TAILING":
        raise bad_value("mode", query.mode, "has no end; choose where to read from")
    if query.format not in ("jsonl", "csv"):
        raise bad_value("format", query.format, "is no format; write jsonl or csv")
    showing = _showing(call.place.serdes, topic, query.key_serde, query.value_serde)
    kind = "text/csv" if query.format == "csv" else "application/jsonl"
    return Download(f"{topic}.{query.format}", kind, await _begun(_file(call, showing)))


async def _begun(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What goes wrong before the first byte is an answer of its own, and no file that ends early."""
    first = await anext(stream)

    async def all_of_it() -> AsyncIterator[bytes]:
        yield first
        async for piece in stream:
            yield piece

    return all_of_it()


async def _file(call: Call[DownloadQuery, None], showing: Showing) -> AsyncIterator[bytes]:
    query = call.query
    is_csv = query.format == "csv"
    line = csv_line if is_csv else _json_line
    async with _reading(call.place, call.path["topic"], query, showing) as (topic, plan, selection):
        found = read(topic, plan, selection, query.limit, call.scene.clock)
        try:
            lot = [_csv(("partition", "offset", "timestamp", "key", "value", "headers"))] if is_csv else []
            async for one in found:
                if isinstance(one, Hit):
                    lot.append(line(one.message))
                if len(lot) >= _LOT:
                    yield b"".join(lot)
                    lot = []
            yield b"".join(lot)
        except BadFilter as error:
            raise _bad_filter(error) from error
        finally:
            await found.aclose()  # type: ignore[attr-defined]


def _json_line(message: Message) -> bytes:
    """JSON stays JSON, with its numbers as they were written."""
    line = {
        "partition": message.partition,
        "offset": message.offset,
        "timestamp": message.timestamp,
        "key": _as_json(message.key),
        "value": _as_json(message.value),
        "headers": [[one.name, one.value] for one in message.headers],
    }
    return msgspec.json.encode(line) + b"\n"


def _as_json(side: Side) -> Any:
    if side.kind != "json" or side.text is None:
        return side.text
    # Only these break lines outside of strings; U+2028, say, may stand in one.
    return msgspec.Raw(side.text.replace("\r", " ").replace("\n", " ").encode())


def csv_line(message: Message) -> bytes:
    headers = msgspec.json.encode([[one.name, one.value] for one in message.headers]).decode()
    text = [_for_a_sheet(side.text or "") for side in (message.key, message.value)]
    return _csv((message.partition, message.offset, message.timestamp or "", *text, headers))


def _for_a_sheet(text: str) -> str:
    """Programs for sheets run what begins so as a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "@", "\t", "\r") or (text[:1] == "-" and not _is_number(text)) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _csv(cells: Iterable[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()


async def write(call: Call[NoQuery, Wish]) -> Written:
    wish, name = call.body, call.path["topic"]
    if not 1 <= wish.count <= MOST_DOWNLOADED:
        raise bad_value("count", wish.count, f"is no number of records; write 1 to {MOST_DOWNLOADED}")
    key = await _bytes(call.place.serdes, name, "key", wish.key_serde, wish.key)
    value = await _bytes(call.place.serdes, name, "value", wish.value_serde, wish.value)
    headers = tuple((one.name, None if one.value is None else one.value.encode()) for one in wish.headers)
    record = NewRecord(key, value, _now(call), headers)
    return await _send(await call.place.admin(), name, wish.partition, [record] * wish.count)


async def _bytes(serdes: Serdes, topic: str, part: Part, name: str | None, text: str | None) -> bytes | None:
    if text is None or name == "Null":
        return None
    serde = serde_of(serdes, topic, part, name)
    await serde.prepare(())
    try:
        return serde.write(text)
    except CannotWrite as error:
        raise Problem(400, "BadValue", f"{part}: {error}", part) from error


def _now(call: Call[Any, Any]) -> int:
    return milliseconds(call.scene.clock)


async def _send(admin: Admin, topic: str, partition: int | None, records: Sequence[NewRecord]) -> Written:
    """Only the first is tried again: of what comes behind it, some may be written when a leader moves."""
    written = await once_heard_of(lambda: _sent(admin, topic, partition, records[:1]))
    return await _sent(admin, topic, written.partition, records[1:]) if records[1:] else written


async def _sent(admin: Admin, topic: str, partition: int | None, records: Sequence[NewRecord]) -> Written:
    leaders = await leaders_of(admin, topic)
    if partition is not None:
        chosen(str(partition), sorted(leaders))
    target = partition_for(records[0].key, sorted(leaders), _RANDOM) if partition is None else partition
    (leader,) = by_leader(leaders, [target], topic)
    return Written(target, (await produce(admin, leader, topic, target, records, SECONDS))[-1])


async def again(call: Call[NoQuery, Again]) -> Written:
    wish, name = call.body, call.path["topic"]
    source = wish.from_topic or name
    _may_take(call, source, name)
    showing = _showing(call.place.serdes, source, None, None)
    query = MessagesQuery(mode="FROM_OFFSET", partitions=str(wish.from_partition), offset=wish.from_offset, limit=1)
    async with _reading(call.place, source, query, showing) as (topic, plan, selection):
        async for one in read(topic, plan, selection, 1, call.scene.clock):
            if isinstance(one, Hit) and one.record.offset == wish.from_offset:
                return await _send(topic.admin, name, wish.partition, [_new(one.record, _now(call))])
    raise Problem(
        404, "NotFound", f"topic {source} has no record at offset {wish.from_offset} of partition {wish.from_partition}"
    )


def _may_take(call: Call[Any, Any], source: str, target: str) -> None:
    """Bytes go as they are, so what is masked in the source must be masked in the target."""
    if not call.may("topic", "messages_read", source):
        raise forbidden(f"{call.who.name} may not messages_read topic {source}; a role must permit it (rbac.roles)")
    if (why := call.place.serdes.uncovered(source, target)) is not None:
        raise forbidden(why)


def _new(record: Record, now: int) -> NewRecord:
    return NewRecord(record.key, record.value, now, record.headers)


async def copy(call: Call[NoQuery, CopyWish]) -> Copied:
    """Reads to the ends that there were when it began, so a copy into the same topic ends, too."""
    wish, name = call.body, call.path["topic"]
    _may_take(call, wish.from_topic, name)
    query = MessagesQuery(
        mode=wish.mode,
        partitions=wish.partitions,
        string_filter=wish.string_filter,
        filter=wish.filter,
        offset=wish.offset,
        timestamp=wish.timestamp,
        isolation=wish.isolation,
        limit=wish.limit,
    )
    _check(query, MOST_COPIED)
    if wish.mode == "TAILING":
        raise bad_value("mode", wish.mode, "has no end; choose where to read from")
    showing = _showing(call.place.serdes, wish.from_topic, wish.key_serde, wish.value_serde)
    async with _reading(call.place, wish.from_topic, query, showing) as (topic, plan, selection):
        leaders = await once_heard_of(lambda: leaders_of(topic.admin, name))
        into = Copying(topic.admin, name, leaders, wish.keep_partitions, wish.dry_run)
        clock = call.scene.clock
        try:
            more = False
            if plan.backward and not wish.dry_run:
                plan, more = await forward(plan, read(topic, plan, selection, wish.limit, clock))
            copied = await into.all(read(topic, plan, selection, wish.limit, clock), _now(call))
        except BadFilter as error:
            raise _bad_filter(error) from error
    return msgspec.structs.replace(copied, more=copied.more or more)


async def forward(plan: Plan, found: AsyncIterator[Hit | Progress | End]) -> tuple[Plan, bool]:
    """What `found` finds backward, as a plan to read it in the order in which it was written; whether there is more.

    Looked through once for where that begins, for a million records are not kept in memory only to be turned round.
    """
    async for one in found:
        if isinstance(one, End):
            spans = {id_: Span(one.cursor.places[id_], span.end) for id_, span in plan.spans.items()}
            return Plan(False, spans), one.more
    raise AssertionError("a reader ends with an End")


class Copying:
    """Records written into a topic."""

    def __init__(self, admin: Admin, topic: str, leaders: Mapping[int, int | None], keep: bool, dry: bool) -> None:
        self._admin, self._topic, self._leaders, self._keep, self._dry = admin, topic, leaders, keep, dry
        self._written = 0

    async def all(self, found: AsyncIterator[Hit | Progress | End], now: int) -> Copied:
        """Raises what goes wrong before anything is written; what does later is told with what was written."""
        progress, more, why_not, lot = Progress(), False, None, list[Record]()
        try:
            async for one in found:
                if isinstance(one, Hit):
                    lot.append(one.record)
                    if len(lot) >= _LOT:
                        await self._write(lot, now)
                        lot = []
                elif isinstance(one, Progress):
                    progress = one
                else:
                    more = one.more
            await self._write(lot, now)
        except (KafkaFailure, BadFilter, Problem) as failure:
            if not self._written:
                raise
            why_not = str(failure)
        return Copied(
            progress.messages, progress.found, self._written, more, progress.errors, progress.last_error, why_not
        )

    async def _write(self, lot: Sequence[Record], now: int) -> None:
        targets: dict[int, list[NewRecord]] = {}
        for one in lot:
            targets.setdefault(self._target(one), []).append(_new(one, now))
        for target, records in targets.items():
            (leader,) = by_leader(self._leaders, [target], self._topic)
            if not self._dry:
                await once_heard_of(partial(produce, self._admin, leader, self._topic, target, records, SECONDS))
                self._written += len(records)

    def _target(self, record: Record) -> int:
        if not self._keep:
            return partition_for(record.key, sorted(self._leaders), _RANDOM)
        if record.partition not in self._leaders:
            rule = f"cannot be kept: topic {self._topic} has no partition {record.partition}; leave it out"
            raise bad_value("keepPartitions", True, rule)
        return record.partition


async def purge(call: Call[PurgeQuery, None]) -> PurgeDone:
    name, admin = call.path["topic"], await call.place.admin()
    leaders = await once_heard_of(lambda: leaders_of(admin, name))
    before = purged_before(call.query.partitions, sorted(leaders))
    outcomes = await purged(admin, name, leaders, before)
    failures = [one for one in outcomes.values() if isinstance(one, KafkaFailure)]
    if failures and len(failures) == len(outcomes):
        raise failures[0]
    return PurgeDone(tuple(_purged(one, outcome) for one, outcome in sorted(outcomes.items())))


async def purged(
    admin: Admin, topic: str, leaders: Mapping[int, int | None], before: Mapping[int, int]
) -> dict[int, Any]:
    """Where each partition begins now, or the `KafkaFailure`: of one leader, when others may have purged already."""
    outcomes: dict[int, Any] = {}
    for leader, partitions in by_leader(leaders, before, topic).items():
        try:
            outcomes |= await delete_records(admin, leader, topic, {one: before[one] for one in partitions}, SECONDS)
        except KafkaFailure as failure:
            outcomes |= dict.fromkeys(partitions, failure)
    return outcomes


def _purged(partition: int, outcome: Any) -> Purged:
    if isinstance(outcome, KafkaFailure):
        return Purged(partition, None, outcome.message)
    return Purged(partition, int(outcome))


def purged_before(text: str, there: Sequence[int]) -> dict[int, int]:
    """-1: to the end."""
    pairs = [pair.partition(":") for pair in text.split(",")] if text.strip() else []
    partitions = chosen(",".join(one for one, _, _ in pairs), there)
    offsets = dict.fromkeys(partitions, -1)
    for one, colon, offset in pairs:
        if colon and not offset.strip().isdecimal():
            raise bad_value("partitions", text, "has what is no offset; write 0:15,1:20")
        if colon:
            offsets[int(one)] = int(offset)
    return offsets


async def try_filter(call: Call[NoQuery, Sample]) -> Tried:
    sample = call.body
    text_of = call.place.serdes.get(call.path["topic"], "value", "Auto")
    sides = [None if one is None else text_of.read(one.encode()) for one in (sample.key, sample.value)]
    key, value = (Side("null", None, "", None) if one is None else Side(one.kind, one.text, "", 0) for one in sides)
    headers = tuple(Header(name, value_) for name, value_ in sample.headers.items())
    message = Message(
        sample.partition, sample.offset, iso_time(sample.timestamp_ms), sample.timestamp_ms, "CREATE_TIME", key, value,
        headers, 0,
    )  # fmt: skip
    try:
        async with call.place.judge(), Filter(sample.filter) as judge:
            (verdict,) = await judge.verdicts([message])
    except BadFilter as error:
        return Tried(False, str(error))
    return Tried(verdict) if isinstance(verdict, bool) else Tried(False, verdict)


_MESSAGES = "/api/clusters/{cluster}/topics/{topic}/messages"
ROUTES = (
    Route(
        "GET", _MESSAGES, messages, "Messages as server-sent events", _READ, query=MessagesQuery,
        events=(Phase, Message, Consuming, Done),
    ),
    Route("POST", _MESSAGES, write, "Write a message", _PRODUCE, body=Wish, answer=Written),
    Route("DELETE", _MESSAGES, purge, "Purge messages", _PURGE, query=PurgeQuery, answer=PurgeDone),
    Route("GET", f"{_MESSAGES}/download", download, "Messages as a file", _READ, query=DownloadQuery),
    Route("GET", f"{_MESSAGES}/serdes", serdes, "Serdes to choose from", _READ, answer=SerdeNames),
    Route("POST", f"{_MESSAGES}/again", again, "Send a message again", _PRODUCE, body=Again, answer=Written),
    Route("POST", f"{_MESSAGES}/copy", copy, "Copy messages into this topic", _PRODUCE, body=CopyWish, answer=Copied),
    Route("POST", f"{_MESSAGES}/filter-test", try_filter, "Try a filter", _READ, body=Sample, answer=Tried),
)  # fmt: skip
