"""Brokers: what each carries, its disks, its configuration."""

from collections import Counter

import msgspec

from klamm.base.pieces import in_pieces
from klamm.console.access.rights import Right
from klamm.console.api.seen import Seen, seen
from klamm.console.api.values import ConfigList, ConfigWish, config_list
from klamm.console.problems import Problem, bad_value, not_found
from klamm.console.routes import Call, NoQuery, Route
from klamm.kafka.facts import ConfigChange
from klamm.observing.snapshot import Snapshot

_VIEW = Right("clusterconfig", "view")
_EDIT = Right("clusterconfig", "edit")


class DirLine(msgspec.Struct, frozen=True):
    """`used`: bytes of logs; `total` and `free`: of the volume, None when the broker does not tell."""

    path: str
    used: int
    total: int | None
    free: int | None
    topics: int


class BrokerLine(msgspec.Struct, frozen=True, rename="camel"):
    """Skews are per cent above or below the mean, None while nobody has any."""

    id: int
    host: str
    port: int
    rack: str | None
    controller: bool
    partitions: int
    leaders: int
    out_of_sync: int
    partitions_skew: float | None
    leaders_skew: float | None
    bytes: int
    dirs: tuple[DirLine, ...]


class BrokerList(msgspec.Struct, frozen=True):
    brokers: tuple[BrokerLine, ...]
    seen: Seen


async def brokers(call: Call[NoQuery, None]) -> BrokerList:
    snapshot = await call.place.snapshot()
    lines = await call.place.derived("brokers", snapshot, lambda: _lines(snapshot))
    return BrokerList(lines, seen(call, snapshot))


async def config(call: Call[NoQuery, None]) -> ConfigList:
    broker = await _known(call)
    return config_list((await (await call.place.admin()).broker_configs([broker]))[broker])


async def change_config(call: Call[NoQuery, ConfigWish]) -> None:
    broker = await _known(call)
    if not call.body.set and not call.body.delete:
        raise bad_value("set", {}, "changes nothing; name at least one key in set or delete")
    change = ConfigChange(call.body.set, frozenset(call.body.delete))
    failure = (await (await call.place.admin()).change_broker_configs({broker: change}))[broker]
    if failure is not None:
        raise Problem.of_kafka(failure)


async def _known(call: Call[NoQuery, ConfigWish] | Call[NoQuery, None]) -> int:
    snapshot, name = await call.place.snapshot(), call.path["broker"]
    found = next((one.id for one in snapshot.cluster.brokers if str(one.id) == name), None)
    if found is None:
        raise not_found("broker", name)
    return found


async def _lines(snapshot: Snapshot) -> tuple[BrokerLine, ...]:
    replicas, leaders, behind = Counter[int](), Counter[int](), Counter[int]()
    async for topic in in_pieces(snapshot.topics.values()):
        for one in topic.partitions:
            for broker in one.replicas:  # one by one, for `update` takes ten times as long for so few
                replicas[broker] += 1
                behind[broker] += broker not in one.in_sync
            if one.leader is not None:
                leaders[one.leader] += 1
    known = snapshot.cluster.brokers
    return tuple(
        BrokerLine(
            id=one.id,
            host=one.host,
            port=one.port,
            rack=one.rack,
            controller=one.id == snapshot.cluster.controller,
            partitions=replicas[one.id],
            leaders=leaders[one.id],
            out_of_sync=behind[one.id],
            partitions_skew=_skew(replicas, one.id, len(known)),
            leaders_skew=_skew(leaders, one.id, len(known)),
            bytes=sum(sum(each.sizes.values()) for each in snapshot.log_dirs.get(one.id, ())),
            dirs=tuple(
                DirLine(each.path, sum(each.sizes.values()), each.total, each.usable, len(each.sizes))
                for each in snapshot.log_dirs.get(one.id, ())
            ),
        )
        for one in sorted(known, key=lambda broker: broker.id)
    )


def _skew(counted: Counter[int], broker: int, brokers: int) -> float | None:
    mean = sum(counted.values()) / brokers
    return round((counted[broker] - mean) / mean * 100, 1) if mean else None


ROUTES = (
    Route("GET", "/api/clusters/{cluster}/brokers", brokers, "Brokers, their load and disks", answer=BrokerList),
    Route(
        "GET",
        "/api/clusters/{cluster}/brokers/{broker}/configs",
        config,
        "A broker's configuration",
        _VIEW,
        answer=ConfigList,
    ),
    Route(
        "PATCH",
        "/api/clusters/{cluster}/brokers/{broker}/configs",
        change_config,
        "Change a broker's dynamic configuration",
        _EDIT,
        body=ConfigWish,
    ),
)
