"""A snapshot in Prometheus' text form. Pure.

Written by hand: eighty thousand series with a metrics library cost a second and more, so they cost a tenth of one. What
comes from brokers and topics alone is kept while these do not change.

Names and labels of the first two parts are kafka_exporter's, so that its dashboards and alerts go on working; what
differs is told in docs/guides/exporter.md.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from klamm.base.metrics import escaped
from klamm.kafka.facts import Cluster, Topic
from klamm.observing.snapshot import Beyond, Group, Lag, Snapshot


@dataclass(frozen=True, slots=True)
class Form:
    """`labels`: constant ones for every series. `show_all`: partitions that nobody is assigned, too."""

    labels: Mapping[str, str] = field(default_factory=dict)
    show_all: bool = True
    most_series: int = 1_000_000


OWN_LABELS = frozenset(
    {"topic", "partition", "consumergroup", "id", "address", "state", "type", "protocol", "path"},
)
"""What series are told apart by: no constant label may have such a name."""


@dataclass(frozen=True, slots=True)
class Text:
    body: bytes
    series: int
    left_out: Mapping[str, int]
    """Series that would have been too many, by what they tell of."""


GROUPS, TOPICS = "consumergroup partitions", "topic partitions"


class Writer:
    def __init__(self, form: Form) -> None:
        self._form = form
        self._constant = "".join(f'{name}="{escaped(value)}",' for name, value in form.labels.items())
        self._kept: tuple[Cluster, Mapping[str, Topic], bool, bytes, int] | None = None

    def text(self, snapshot: Snapshot) -> Text:
        without = left_out(_series_of(snapshot), self._form.most_series)
        fixed, count = self._of_topology(snapshot, TOPICS not in without)
        families = [
            *(self._offsets(snapshot) if TOPICS not in without else ()),
            *self._groups(snapshot, GROUPS not in without),
            *self._sizes(snapshot),
        ]
        body = fixed + "".join(family.text() for family in families).encode()
        return Text(body, count + sum(family.series for family in families), without)

    def _of_topology(self, snapshot: Snapshot, partitions: bool) -> tuple[bytes, int]:
        kept = self._kept
        if kept and kept[0] == snapshot.cluster and kept[1] is snapshot.topics and kept[2] is partitions:
            return kept[3], kept[4]
        families = _brokers(self._constant, snapshot.cluster) + _topics(self._constant, snapshot.topics, partitions)
        body = "".join(family.text() for family in families).encode()
        count = sum(family.series for family in families)
        self._kept = (snapshot.cluster, snapshot.topics, partitions, body, count)
        return body, count

    def _offsets(self, snapshot: Snapshot) -> "list[Family]":
        current = Family("kafka_topic_partition_current_offset", "End of the partition: the next record's offset")
        oldest = Family("kafka_topic_partition_oldest_offset", "Offset of the oldest record that the partition has")
        for family, offsets in ((current, snapshot.latest), (oldest, snapshot.earliest)):
            for topic, of_topic in offsets.items():
                family.add_partitions(f'{self._constant}topic="{topic}"', of_topic.items())
        return [current, oldest]

    def _groups(self, snapshot: Snapshot, partitions: bool) -> "list[Family]":
        families = _GroupFamilies()
        for name, group in sorted(snapshot.groups.items()):
            labels = f'{self._constant}consumergroup="{escaped(name)}"'
            families.add_group(labels, group)
            for topic, committed in snapshot.committed.get(name, {}).items():
                shown = self._shown(snapshot.topics[topic], group)
                if any(one in committed for one in shown):
                    told = snapshot.lags.get(name, {}).get(topic, {})
                    lags = {one: lag for one, lag in told.items() if isinstance(lag, Lag)}
                    of_topic = f'{labels},topic="{topic}"'
                    families.add_sums(of_topic, shown, committed, {one: lag.records for one, lag in lags.items()})
                    if len(lags) < len(told):
                        families.add_beyond(of_topic, shown, told)
                    if partitions:
                        families.add_partitions(of_topic, shown, committed, snapshot.latest.get(topic, {}), lags)
        return families.all()

    def _shown(self, topic: Topic, group: Group) -> list[int]:
        if self._form.show_all:
            return [one.id for one in topic.partitions]
        return sorted({one for member in group.members or () for one in member.assigned.get(topic.name, ())})

    def _sizes(self, snapshot: Snapshot) -> "list[Family]":
        of_topics = Family("kafka_topic_log_size_bytes", "What the topic's replicas take on the brokers' disks")
        of_dirs = Family("kafka_broker_log_dir_size_bytes", "What topics take in one of the broker's log directories")
        total = Family("kafka_broker_log_dir_volume_total_bytes", "Size of the log directory's volume")
        usable = Family("kafka_broker_log_dir_volume_usable_bytes", "What is free on the log directory's volume")
        # A sum over some of the brokers would look like a topic that shrank.
        whole = all(broker.id in snapshot.log_dirs for broker in snapshot.cluster.brokers)
        sizes: Counter[str] = Counter()
        for broker, dirs in sorted(snapshot.log_dirs.items()):
            for one in dirs:
                labels = f'{self._constant}id="{broker}",path="{escaped(one.path)}"'
                of_dirs.add(labels, sum(one.sizes.values()))
                total.add_known(labels, one.total)
                usable.add_known(labels, one.usable)
                sizes.update(one.sizes)
        for topic in snapshot.topics:
            if whole and topic in sizes:  # else it was made after sizes were read: not known, which is not zero
                of_topics.add(f'{self._constant}topic="{topic}"', sizes[topic])
        return [of_topics, of_dirs, total, usable]


class Family:
    """A metric's lines. Prometheus wants them together."""

    def __init__(self, name: str, help: str, kind: str = "gauge") -> None:
        self.name = name
        self.series = 0
        self._head = f"# HELP {name} {help}\n# TYPE {name} {kind}\n"
        self._lines: list[str] = []

    def add(self, labels: str, value: float) -> None:
        self._lines.append(f"{self.name}{{{labels}}} {value}\n" if labels else f"{self.name} {value}\n")
        self.series += 1

    def add_known(self, labels: str, value: float | None) -> None:
        if value is not None:
            self.add(labels, value)

    def add_partitions(self, labels: str, values: Iterable[tuple[int, float]]) -> None:
        """A line for each partition: the hot loop."""
        head = f'{self.name}{{{labels},partition="'
        lines = [f'{head}{partition}"}} {value}\n' for partition, value in values]
        self._lines += lines
        self.series += len(lines)

    def lines(self) -> str:
        return "".join(self._lines)

    def text(self) -> str:
        return self._head + self.lines() if self._lines else ""


def _brokers(constant: str, cluster: Cluster) -> list[Family]:
    count = Family("kafka_brokers", "Brokers in the cluster")
    count.add(constant.rstrip(","), len(cluster.brokers))
    info = Family("kafka_broker_info", "1 for each broker")
    for broker in cluster.brokers:
        info.add(f'{constant}id="{broker.id}",address="{escaped(broker.host)}:{broker.port}"', 1)
    return [count, info]


def _topics(constant: str, topics: Mapping[str, Topic], partitions: bool) -> list[Family]:
    count = Family("kafka_topic_partitions", "Partitions of the topic")
    in_sync = Family("kafka_topic_partition_in_sync_replica", "Replicas that are in sync")
    leader = Family("kafka_topic_partition_leader", "Id of the broker that leads")
    preferred = Family("kafka_topic_partition_leader_is_preferred", "1 if the first replica leads")
    replicas = Family("kafka_topic_partition_replicas", "Replicas of the partition")
    under = Family("kafka_topic_partition_under_replicated_partition", "1 if a replica is not in sync")
    for name, topic in topics.items():
        labels = f'{constant}topic="{name}"'
        count.add(labels, len(topic.partitions))
        if not partitions:
            continue
        all_of = topic.partitions
        in_sync.add_partitions(labels, ((one.id, len(one.in_sync)) for one in all_of))
        leader.add_partitions(labels, ((one.id, one.leader) for one in all_of if one.leader is not None))
        preferred.add_partitions(labels, ((one.id, int(one.leader in one.replicas[:1])) for one in all_of))
        replicas.add_partitions(labels, ((one.id, len(one.replicas)) for one in all_of))
        under.add_partitions(labels, ((one.id, int(len(one.in_sync) < len(one.replicas))) for one in all_of))
    return [count, in_sync, leader, preferred, replicas, under]


class _GroupFamilies:
    def __init__(self) -> None:
        self._members = Family("kafka_consumergroup_members", "Members of the group")
        self._info = Family("kafka_consumergroup_info", "1 for each group, with its state, type and assignor")
        self._offset = Family("kafka_consumergroup_current_offset", "Committed offset, -1 if there is none")
        self._offsets = Family("kafka_consumergroup_current_offset_sum", "Sum of the committed offsets of a topic")
        self._lag = Family("kafka_consumergroup_lag", "Records behind the end, -1 if nothing was committed")
        self._lags = Family("kafka_consumergroup_lag_sum", "Records behind the ends of a topic's partitions")
        self._seconds = Family("kafka_consumergroup_lag_seconds", "How long ago the first record behind was written")
        self._beyond = Family("kafka_consumergroup_beyond_end", "Records by which what was committed is beyond the end")

    def add_group(self, labels: str, group: Group) -> None:
        self._members.add_known(labels, None if group.members is None else len(group.members))
        said = f'state="{escaped(group.state)}",type="{group.type}",protocol="{escaped(group.protocol)}"'
        self._info.add(f"{labels},{said}", 1)

    def add_sums(self, labels: str, shown: list[int], committed: Mapping[int, int], lags: Mapping[int, int]) -> None:
        """A sum stands only for partitions that it knows: one that misses some would be too small, and look true."""
        known = [one for one in shown if one in committed]
        self._offsets.add(labels, sum(committed[one] for one in known))
        if all(one in lags for one in known):
            self._lags.add(labels, sum(lags[one] for one in known))

    def add_beyond(self, labels: str, shown: list[int], told: Mapping[int, Lag | Beyond]) -> None:
        """Told however many series there are: these have no lag, and are few."""
        beyond = ((one, told[one]) for one in shown if one in told)
        self._beyond.add_partitions(labels, ((one, far.records) for one, far in beyond if isinstance(far, Beyond)))

    def add_partitions(
        self,
        labels: str,
        shown: list[int],
        committed: Mapping[int, int],
        ends: Mapping[int, int],
        lags: Mapping[int, Lag],
    ) -> None:
        self._offset.add_partitions(labels, ((one, committed.get(one, -1)) for one in shown))
        records = [(one, lags[one].records) for one in shown if one in lags]
        nothing = [(one, -1) for one in shown if one not in committed and one in ends]
        self._lag.add_partitions(labels, records + nothing)
        known = ((one, lags[one].seconds) for one in shown if one in lags)
        self._seconds.add_partitions(labels, ((one, round(ago, 3)) for one, ago in known if ago is not None))

    def all(self) -> list[Family]:
        of_lags = [self._lag, self._lags, self._seconds, self._beyond]
        return [self._members, self._info, self._offset, self._offsets, *of_lags]


def _series_of(snapshot: Snapshot) -> dict[str, int]:
    """How many series there would be, roughly: of a topic that a group reads, all partitions are counted."""
    partitions = {name: len(topic.partitions) for name, topic in snapshot.topics.items()}
    read = [topic for of_group in snapshot.committed.values() for topic in of_group]
    return {
        "the rest": 2 * len(snapshot.topics) + 2 * len(snapshot.groups) + 2 * len(read),
        GROUPS: 3 * sum(partitions[topic] for topic in read),
        TOPICS: 7 * sum(partitions.values()),
    }


def left_out(series: Mapping[str, int], most: int) -> dict[str, int]:
    """What is not told when there would be more series than `most`: groups by partition first, then topics."""
    without: dict[str, int] = {}
    for what in (GROUPS, TOPICS):
        if sum(series.values()) - sum(without.values()) > most:
            without[what] = series[what]
    return without
