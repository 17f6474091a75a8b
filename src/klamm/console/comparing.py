"""Where two things differ: only the differences, in a form that a table can show. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from klamm.kafka.facts import ConfigValue, Topic

OWN_BY_NATURE = frozenset(
    {
        "node.id",
        "broker.id",
        "advertised.listeners",
        "listeners",
        "broker.rack",
        "log.dir",
        "log.dirs",
        "metadata.log.dir",
    }
)
"""Settings that each broker has for itself; told apart, since nobody looks for them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """None: it is not there, or the broker does not tell it."""

    name: str
    one: str | None
    other: str | None


def configs_apart(one: Mapping[str, ConfigValue], other: Mapping[str, ConfigValue]) -> tuple[Difference, ...]:
    """Secret values are told by nobody, so they are not compared."""
    names = sorted(
        name
        for name in one.keys() | other.keys()
        if not any(of[name].sensitive for of in (one, other) if name in of) and _value(one, name) != _value(other, name)
    )
    return tuple(Difference(name, _value(one, name), _value(other, name)) for name in names)


def set_here(values: Mapping[str, ConfigValue]) -> dict[str, ConfigValue]:
    return {name: one for name, one in values.items() if one.set_here}


@dataclass(frozen=True, slots=True)
class TopicsApart:
    """`numbers`: by topic that both have, partitions and replicas where they differ."""

    only_one: tuple[str, ...]
    only_other: tuple[str, ...]
    both: tuple[str, ...]
    numbers: Mapping[str, tuple[Difference, ...]]


def topics_apart(one: Mapping[str, Topic], other: Mapping[str, Topic]) -> TopicsApart:
    both = tuple(sorted(one.keys() & other.keys()))
    found = {name: _numbers(one[name], other[name]) for name in both}
    return TopicsApart(
        tuple(sorted(one.keys() - other.keys())),
        tuple(sorted(other.keys() - one.keys())),
        both,
        {name: apart for name, apart in found.items() if apart},
    )


def _numbers(one: Topic, other: Topic) -> tuple[Difference, ...]:
    pairs = (
        ("partitions", len(one.partitions), len(other.partitions)),
        ("replicas", one.replication_factor, other.replication_factor),
    )
    return tuple(Difference(name, str(mine), str(theirs)) for name, mine, theirs in pairs if mine != theirs)


def _value(values: Mapping[str, ConfigValue], name: str) -> str | None:
    return values[name].value if name in values else None
