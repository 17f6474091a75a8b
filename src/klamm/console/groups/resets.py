"""What a reset of a group's offsets would do: old and new of each partition, and why it may not be.

Pure. The plan is shown before anything is done, and what was seen is what is done: the deed takes the plan's own
numbers, not the wish again. Rules are those of `kafka-consumer-groups.sh`, which an equal command line is given for.
One differs: an offset outside the log is refused where the tool silently takes the log's end; so the command names
only the partitions that change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

Kind = Literal["earliest", "latest", "time", "offset", "shift", "group", "undo"]
KINDS: tuple[Kind, ...] = ("earliest", "latest", "time", "offset", "shift", "group", "undo")
Key = tuple[str, int]
"""Topic and partition."""

QUIET = frozenset({"", "Empty", "Dead"})
"""States of a group that nobody is in; "": a broker too old to tell, and then members are counted."""


_STREAMS = "what the application stored and its internal topics stay; Kafka's own tool deletes those topics"


@dataclass(frozen=True, slots=True)
class Wish:
    """`number`: the offset, or by how many records to shift. `millis`: since 1970. `offsets`: those of the other
    group, or those from before that an undo brings back, where None means that nothing was committed."""

    kind: Kind
    number: int = 0
    millis: int = 0
    offsets: Mapping[Key, int | None] = field(default_factory=dict)
    other: str = ""
    """The other group's name."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The group and the partitions that are wished for, as they are now. `at_time`: -1 where no record is so young."""

    group: str
    type: str
    state: str
    members: int | None
    partitions: Sequence[Key]
    committed: Mapping[Key, int]
    earliest: Mapping[Key, int]
    latest: Mapping[Key, int]
    at_time: Mapping[Key, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """`new`: None when nothing shall be committed any more. `why_not`: it stays as it is. `remark`: what to know."""

    topic: str
    partition: int
    old: int | None
    new: int | None
    earliest: int | None
    latest: int | None
    why_not: str | None = None
    remark: str | None = None

    @property
    def key(self) -> Key:
        return self.topic, self.partition

    @property
    def changes(self) -> bool:
        return self.why_not is None and self.new != self.old


@dataclass(frozen=True, slots=True)
class Plan:
    """`refused`: why none of it may be done now. `file`: what the command reads, where it needs a file."""

    lines: tuple[Line, ...]
    refused: str | None
    command: str
    file: str | None


def plan(wish: Wish, seen: Observed, bootstrap: str = "localhost:9092") -> Plan:
    lines = tuple(_line(wish, seen, key) for key in sorted(seen.partitions))
    refused = reason_not_to_reset(seen)
    if refused is None and not any(line.changes for line in lines):
        refused = "nothing would change"
    command, file = command_line(wish, seen, lines, bootstrap)
    return Plan(lines, refused, command, file)


def reason_not_to_reset(seen: Observed) -> str | None:
    """Why a coordinator would not take it, or taking it would mean nothing."""
    if seen.type == "share":
        return (
            f"{seen.group} is a share group: it has a start offset for all its members and not offsets of consumers; "
            "kafka-share-groups.sh --reset-offsets moves that"
        )
    if seen.members or seen.state not in QUIET:
        who = f"members in it: {seen.members}" if seen.members else f"its state is {seen.state}"
        return f"group {seen.group} is active: {who}. Stop its consumers first; while they run they overwrite offsets"
    return None


def reason_changed(seen: Observed, key: Key, old: int | None, new: int | None) -> str | None:
    """Why what was planned is not what would be done now: somebody was there in between."""
    now = seen.committed.get(key)
    if now != old:
        return f"the group had committed {_said(old)} when it was planned and has now {_said(now)}; plan again"
    if key not in seen.earliest or key not in seen.latest:
        return "its log could not be read"
    if new is not None and new < 0:
        return f"{new} is no offset; the least is 0"
    return None


def _line(wish: Wish, seen: Observed, key: Key) -> Line:
    old, first, end = seen.committed.get(key), seen.earliest.get(key), seen.latest.get(key)
    if first is None or end is None:
        why = "the partition is not there, or nobody leads it: where its log begins and ends is not known"
        return Line(*key, old, old, first, end, why_not=why)
    new, why_not, remark = _target(wish, seen, key, first, end)
    if why_not is not None:
        new = old
    if remark is None and seen.type == "streams":
        remark = _STREAMS
    return Line(*key, old, new, first, end, why_not, remark)


Target = tuple[int | None, str | None, str | None]
"""The new offset, why it may not be, what to know of it."""


def _target(wish: Wish, seen: Observed, key: Key, first: int, end: int) -> Target:
    if wish.kind == "earliest":
        return first, None, None
    if wish.kind == "latest":
        return end, None, None
    if wish.kind == "time":
        return _by_time(seen.at_time.get(key), end)
    if wish.kind == "shift":
        return _shifted(seen.committed.get(key), wish.number, first, end)
    if wish.kind == "undo":
        return _as_before(wish.offsets.get(key), first, end)
    wanted = wish.number if wish.kind == "offset" else wish.offsets.get(key)
    if wanted is None:
        return None, f"group {wish.other} has committed nothing here", None
    return wanted, _reason_outside(wanted, first, end), None


def _by_time(found: int | None, end: int) -> Target:
    if found is None:
        return None, "what the log holds of that time could not be read", None
    if found < 0:
        return end, None, "no record is so young: the end"
    return found, None, None


def _shifted(old: int | None, by: int, first: int, end: int) -> Target:
    if old is None:
        return None, "nothing is committed that could be shifted", None
    wanted = old + by
    if wanted < first:
        return first, None, f"{wanted} is before the log's beginning: the beginning"
    if wanted > end:
        return end, None, f"{wanted} is beyond the log's end: the end"
    return wanted, None, None


def _as_before(wanted: int | None, first: int, end: int) -> Target:
    """Exactly, whatever became of the log."""
    if wanted is None:
        return None, None, "nothing was committed before: the offset is deleted"
    outside = _reason_outside(wanted, first, end)
    return wanted, None, outside and f"{outside}. A consumer goes where its auto.offset.reset says"


def _reason_outside(wanted: int, first: int, end: int) -> str | None:
    if wanted < first:
        return f"{wanted} is before the log's beginning at {first}"
    if wanted > end:
        return f"{wanted} is beyond the log's end at {end}"
    return None


def command_line(wish: Wish, seen: Observed, lines: Sequence[Line], bootstrap: str) -> tuple[str, str | None]:
    """What does the same with Kafka's own tool, and the file that it needs, if any."""
    changing = [line for line in lines if line.changes]
    tool = "kafka-streams-groups.sh" if seen.type == "streams" else "kafka-consumer-groups.sh"
    begin = f"{tool} --bootstrap-server {bootstrap} --group {_quoted(seen.group)} --reset-offsets"
    if wish.kind in ("group", "undo"):
        file = "".join(f"{one.topic},{one.partition},{one.new}\n" for one in changing if one.new is not None)
        return f"{begin} --from-file offsets.csv --execute", file
    by_topic: dict[str, list[int]] = {}
    for line in changing:
        by_topic.setdefault(line.topic, []).append(line.partition)
    scope = [
        f"--{'input-' if seen.type == 'streams' else ''}topic {_quoted(topic)}:{','.join(map(str, ids))}"
        for topic, ids in by_topic.items()
    ]
    return " ".join([begin, *scope, _option(wish), "--execute"]), None


def _option(wish: Wish) -> str:
    if wish.kind == "time":
        return f"--to-datetime {iso(wish.millis)}"
    if wish.kind == "offset":
        return f"--to-offset {wish.number}"
    if wish.kind == "shift":
        return f"--shift-by {wish.number}"
    return f"--to-{wish.kind}"


def iso(millis: int) -> str:
    """In the tool's own form, UTC."""
    then = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
    return f"{then:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}"


def _quoted(word: str) -> str:
    """For a shell."""
    from shlex import quote

    return quote(word)


def _said(offset: int | None) -> str:
    return "nothing" if offset is None else str(offset)
