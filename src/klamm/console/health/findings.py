"""What is wrong now: from what was seen of a cluster to sentences that say what, why, and how it is mended. Pure.

Each rule looks for one kind of trouble and is a line of `RULES`. What hits many things alike is one finding with a
number and some names, since a broker that is away must not fill a page with ten thousand lines. A name is told only to
who may see it; the numbers count all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from klamm.base.pieces import in_pieces
from klamm.kafka.facts import LogDir, Partition
from klamm.observing.snapshot import Beyond, Lag, Snapshot


class Severity(IntEnum):
    """CRITICAL: records cannot be read or written, or soon cannot. WARNING: it should be looked at today. NOTICE: it
    is as it need not be."""

    CRITICAL = 0
    WARNING = 1
    NOTICE = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind`: one word for programs. `what`: the trouble, `why`: what is known of its cause, `mend`: what to do.

    `link`: parts of the address of the page that shows more, behind the cluster's; () is the cluster's own page.
    """

    severity: Severity
    kind: str
    what: str
    why: str
    mend: str
    link: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """What is out of order among the partitions, of one walk through all of them.

    `held`: replicas by broker. `led`: partitions with a leader. `moved`: those that another broker than the preferred
    one leads, though that one could. `lone`: topics of people's with one replica.
    """

    held: Mapping[int, int]
    offline: tuple[Partition, ...]
    behind: tuple[Partition, ...]
    led: int
    moved: int
    lone: tuple[str, ...]


async def survey(snapshot: Snapshot) -> Survey:
    """In pieces: of ten thousands of partitions nobody is to wait for it."""
    present = {one.id for one in snapshot.cluster.brokers}
    held: dict[int, int] = {}
    offline, behind, lone = [], [], []
    led = moved = 0
    async for topic in in_pieces(snapshot.topics.values()):
        if topic.replication_factor == 1 and not topic.internal:
            lone.append(topic.name)
        for one in topic.partitions:
            for broker in one.replicas:
                held[broker] = held.get(broker, 0) + 1
            if one.leader is None:
                offline.append(one)
                continue
            led += 1
            if len(one.in_sync) < len(one.replicas):
                behind.append(one)
            if one.replicas and one.leader != one.replicas[0]:
                # Whose first replica cannot lead now is another finding's.
                moved += one.replicas[0] in one.in_sync and one.replicas[0] in present
    return Survey(held, tuple(offline), tuple(behind), led, moved, tuple(sorted(lone)))


@dataclass(frozen=True, slots=True)
class Growth:
    """How a number was `seconds` ago, as the history knows it."""

    before: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Facts:
    """All that rules look at. `survey`: of the snapshot. `needed`: min.insync.replicas of topics that lack replicas, as
    far as it was read.

    `lags`: by group; `free`: of broker and directory; both from the history, empty while that is young.
    `sees`: whether who asks may see this topic ("topic", name) or group ("consumer", name).
    """

    snapshot: Snapshot
    survey: Survey
    now: float
    needed: Mapping[str, int] = field(default_factory=dict)
    lags: Mapping[str, Growth] = field(default_factory=dict)
    free: Mapping[tuple[int, str], Growth] = field(default_factory=dict)
    sees: Callable[[str, str], bool] = lambda resource, name: True

    @property
    def away(self) -> frozenset[int]:
        """Brokers that hold replicas and are not there."""
        present = {one.id for one in self.snapshot.cluster.brokers}
        return frozenset(self.survey.held) - present


def find(facts: Facts) -> tuple[Finding, ...]:
    """The worst first."""
    found = [one for rule in RULES for one in rule(facts)]
    return tuple(sorted(found, key=lambda one: one.severity))


NAMED = 5
"""Names that a finding of many things tells."""

ALMOST_FULL, FILLING = 0.9, 0.8
"""Parts of a volume: brokers stop when it is full, and deleting what was kept too long takes a while."""

DAY = 86400.0
FULL_SOON, FULL_LATER = DAY, 7 * DAY
FALLS_BEHIND = 1000
"""Records by which a lag must have grown to be told: every group lags by some hundreds now and then."""

MANY_MOVED = 0.1
"""Part of the leaders beyond which brokers' loads differ so much that it is worth a warning."""


def _not_read(facts: Facts) -> Iterable[Finding]:
    parts = facts.snapshot.parts
    failed = {key: part for key, part in parts.items() if part.failure is not None}
    for key, part in failed.items():
        if key.kind in ("connection", "topology"):
            yield Finding(
                Severity.CRITICAL,
                "ClusterNotRead",
                "The cluster does not answer; all that is shown is old.",
                part.failure or "",
                "See whether its brokers run and whether this console's address and credentials are right.",
            )
            return
    brokers = sorted({key.broker for key in failed if key.broker is not None})
    for broker in brokers:
        of_broker = {key: part for key, part in failed.items() if key.broker == broker}
        kinds = ", ".join(sorted(key.kind for key in of_broker))
        yield Finding(
            Severity.WARNING,
            "BrokerNotRead",
            f"Broker {broker} did not tell {kinds}; what is shown of it is {_oldest(of_broker.values(), facts.now)}.",
            next(part.failure or "" for part in of_broker.values()),
            "A broker that hangs or a right that is missing (Describe on cluster, topics and groups) looks so.",
            ("brokers", str(broker)),
        )


def _no_controller(facts: Facts) -> Iterable[Finding]:
    if facts.snapshot.cluster.controller is None:
        yield Finding(
            Severity.CRITICAL,
            "NoController",
            "No controller is known.",
            "The brokers name none: its quorum has no majority, or it is being elected.",
            "See whether most of the controllers run and reach each other.",
            ("brokers",),
        )


def _brokers_away(facts: Facts) -> Iterable[Finding]:
    held = facts.survey.held
    for broker in sorted(facts.away):
        yield Finding(
            Severity.CRITICAL,
            "BrokerAway",
            f"Broker {broker} is away.",
            f"It holds replicas of {_many(held[broker], 'partition')} and is not among the brokers that answer.",
            "See why its pod or process does not run. It catches up by itself once it is back; if it never comes "
            "back, reassign its partitions.",
            ("brokers",),
        )


def _offline(facts: Facts) -> Iterable[Finding]:
    offline = facts.survey.offline
    if offline:
        yield Finding(
            Severity.CRITICAL,
            "OfflinePartitions",
            f"{_many(len(offline), 'partition')} cannot be read or written: {_topics(facts, offline)}.",
            _because_of(facts, offline, "None of their replicas that were in sync is there."),
            "Bring back a broker that was in sync last. An unclean election loses records.",
            _page_of(facts, offline),
        )


def _below_minimum(facts: Facts) -> Iterable[Finding]:
    below = [one for one in facts.survey.behind if len(one.in_sync) < facts.needed.get(one.topic, 0)]
    if below:
        yield Finding(
            Severity.CRITICAL,
            "BelowMinInSync",
            f"{_many(len(below), 'partition')} cannot be written with acks=all: {_topics(facts, below)}.",
            _because_of(facts, below, "Fewer replicas are in sync than min.insync.replicas asks for."),
            "Bring the missing brokers back. Lowering min.insync.replicas risks records.",
            _page_of(facts, below),
        )
    never = sorted({one.topic for one in below if len(one.replicas) < facts.needed[one.topic]})
    if never:
        yield Finding(
            Severity.CRITICAL,
            "MinInSyncNotReachable",
            f"{_many(len(never), 'topic')} can never be written with acks=all: {_names(facts, 'topic', never)}.",
            "Its min.insync.replicas is more than it has replicas.",
            "Lower the topic's min.insync.replicas, or give it more replicas.",
            ("topics", never[0]) if facts.sees("topic", never[0]) else ("topics",),
        )


def _under_replicated(facts: Facts) -> Iterable[Finding]:
    behind = facts.survey.behind
    if behind:
        missing = Counter(broker for one in behind for broker in set(one.replicas) - set(one.in_sync))
        slow = sorted(missing.keys() - facts.away)
        brokers = ", ".join(f"{broker} ({count})" for broker, count in sorted(missing.items()))
        why = f"Out of sync, by broker: {brokers}."
        if slow:
            why += f" {_brokers(slow)} there and behind: just started, overloaded, or a disk or network is slow."
        yield Finding(
            Severity.WARNING,
            "UnderReplicated",
            f"{_many(len(behind), 'partition', 'lacks', 'lack')} replicas: {_topics(facts, behind)}.",
            why,
            "Wait for brokers that have just started. Do not restart another broker until the number is zero.",
            _page_of(facts, behind),
        )


def _disks(facts: Facts) -> Iterable[Finding]:
    for broker, dirs in sorted(facts.snapshot.log_dirs.items()):
        for one in dirs:
            if one.total and one.usable is not None:
                yield from _disk(broker, one, one.total, one.usable, facts.free.get((broker, one.path)))


def _disk(broker: int, one: LogDir, total: int, usable: int, growth: Growth | None) -> Iterable[Finding]:
    used = 1 - usable / total
    pace = (growth.before - usable) / growth.seconds if growth and growth.seconds else 0.0
    full_in = usable / pace if pace > 0 else None
    full_soon = full_in is not None and full_in < FULL_LATER
    if used < FILLING and not full_soon:
        return
    critical = used >= ALMOST_FULL or (full_in is not None and full_in < FULL_SOON)
    what = f"The volume of {one.path} of broker {broker} is {used:.0%} full"
    when = (
        f"At the pace of the last {_time(growth.seconds)} it is full in {_time(full_in)}. "
        if growth and full_in
        else ""
    )
    share = sum(one.sizes.values())
    yield Finding(
        Severity.CRITICAL if critical else Severity.WARNING,
        "DiskFull",
        f"{what}: {_bytes(usable)} of {_bytes(total)} are free.",
        f"{when}Logs take {_bytes(share)}.",
        "Shorten retention.ms or retention.bytes of large topics, enlarge the volume, or move partitions away. "
        "A broker whose disk is full stops.",
        ("brokers", str(broker)),
    )


def _groups_beyond(facts: Facts) -> Iterable[Finding]:
    for group, topics in sorted(facts.snapshot.lags.items()):
        beyond = [(topic, id_) for topic, of in topics.items() for id_, lag in of.items() if isinstance(lag, Beyond)]
        if beyond and facts.sees("consumer", group):
            topic, partition = min(beyond)
            more = f" and {len(beyond) - 1} more" if len(beyond) > 1 else ""
            where = f"{topic}-{partition}" if facts.sees("topic", topic) else "a partition"
            yield Finding(
                Severity.WARNING,
                "GroupBeyondEnd",
                f"Group {group} committed offsets beyond the end of {where}{more}.",
                "The log was cut back or the topic was made anew, or the offsets are another cluster's.",
                "Reset the group's offsets; else auto.offset.reset of its consumers decides what is read or lost.",
                ("groups", group),
            )


def _groups_behind(facts: Facts) -> Iterable[Finding]:
    for name, before in sorted(facts.lags.items()):
        group = facts.snapshot.groups.get(name)
        if group is None or not facts.sees("consumer", name):
            continue
        records = lag_of(facts.snapshot, name)
        if records is None or records - before.before < FALLS_BEHIND or before.seconds <= 0:
            continue
        grown = records - before.before
        nobody = group.members is not None and not group.members
        yield Finding(
            Severity.WARNING,
            "GroupFallsBehind",
            f"Group {name} lags by {_number(records)} records, {_number(grown)} more than {_time(before.seconds)} ago.",
            "Nobody is in the group: its consumers are stopped or cannot join."
            if nobody
            else f"Its consumers read {_number(grown / before.seconds)} records a second fewer than are written.",
            "Start its consumers." if nobody else "Add consumers (up to one for each partition) or make them faster.",
            ("groups", name),
        )


def _moved_leaders(facts: Facts) -> Iterable[Finding]:
    moved, led = facts.survey.moved, facts.survey.led
    if moved:
        yield Finding(
            Severity.WARNING if moved > MANY_MOVED * led and led >= 10 else Severity.NOTICE,
            "LeadersMoved",
            f"{_many(moved, 'partition', 'has', 'have')} another leader than the preferred one.",
            "Leaders move when a broker goes, and come back only by an election.",
            "Elect the preferred leaders, or wait for auto.leader.rebalance.enable (5 minutes as a rule).",
            ("brokers",),
        )


def _lone_replicas(facts: Facts) -> Iterable[Finding]:
    if len(facts.snapshot.cluster.brokers) < 2:
        return
    lone = facts.survey.lone
    if lone:
        yield Finding(
            Severity.NOTICE,
            "LoneReplicas",
            f"{_many(len(lone), 'topic', 'has', 'have')} one replica only: {_names(facts, 'topic', lone)}.",
            "Each restart of a broker stops the partitions that it leads, and a lost disk loses them.",
            "Give them more replicas, unless their records may be lost.",
            ("topics",),
        )


RULES: tuple[Callable[[Facts], Iterable[Finding]], ...] = (
    _not_read,
    _no_controller,
    _brokers_away,
    _offline,
    _below_minimum,
    _under_replicated,
    _disks,
    _groups_beyond,
    _groups_behind,
    _moved_leaders,
    _lone_replicas,
)


def lag_of(snapshot: Snapshot, group: str) -> int | None:
    """Records in all; None where nothing is known."""
    known = [lag.records for of in snapshot.lags.get(group, {}).values() for lag in of.values() if isinstance(lag, Lag)]
    return sum(known) if known else None


def lacking(survey: Survey, most: int) -> tuple[str, ...]:
    """The first topics with partitions of which a replica is missing: whose min.insync.replicas is worth a look."""
    return tuple(sorted({one.topic for one in survey.behind})[:most])


def _because_of(facts: Facts, partitions: Sequence[Partition], else_: str) -> str:
    away = sorted(facts.away & {broker for one in partitions for broker in one.replicas})
    return f"{_brokers(away)} away." if away else else_


def _topics(facts: Facts, partitions: Iterable[Partition]) -> str:
    return _names(facts, "topic", sorted({one.topic for one in partitions}))


def _page_of(facts: Facts, partitions: Iterable[Partition]) -> tuple[str, ...]:
    topics = {one.topic for one in partitions}
    only = next(iter(topics)) if len(topics) == 1 else None
    return ("topics", only) if only is not None and facts.sees("topic", only) else ("topics",)


def _names(facts: Facts, resource: str, names: Sequence[str]) -> str:
    told = [one for one in names if facts.sees(resource, one)][:NAMED]
    rest = len(names) - len(told)
    if not told:
        return f"{rest} that you may not see" if rest > 1 else "one that you may not see"
    return ", ".join(told) + (f" and {_number(rest)} more" if rest else "")


def _brokers(ids: Sequence[int]) -> str:
    if len(ids) == 1:
        return f"Broker {ids[0]} is"
    return f"Brokers {', '.join(str(one) for one in ids)} are"


def _many(count: int, what: str, verb: str = "", verbs: str = "") -> str:
    return f"{_number(count)} {what} {verb}".rstrip() if count == 1 else f"{_number(count)} {what}s {verbs}".rstrip()


def _oldest(parts: Iterable[object], now: float) -> str:
    read = [getattr(one, "read_at", None) for one in parts]
    known = [one for one in read if one is not None]
    return "unknown" if not known or len(known) < len(read) else f"{_time(now - min(known))} old"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _bytes(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def _time(seconds: float) -> str:
    for size, unit in ((DAY, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
