"""Two brokers' configurations, two clusters' topics: what differs."""

import msgspec

from klamm.base.together import side_by_side
from klamm.console.access.rights import Right
from klamm.console.clusters import Place
from klamm.console.comparing import OWN_BY_NATURE, Difference, configs_apart, set_here, topics_apart
from klamm.console.problems import bad_value, not_found
from klamm.console.routes import Call, Route
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import ConfigValue, Topic

MOST = 1000
"""Topics whose configurations are compared: brokers are asked for each."""

_AT_ONCE = 200


class BrokersQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    one: int
    other: int


class TopicsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`other`: the other cluster. `search`: only topics whose names contain it."""

    other: str
    search: str = ""


class Apart(msgspec.Struct, frozen=True, rename="camel"):
    """`own`: each broker has its own by nature."""

    name: str
    one: str | None
    other: str | None
    own: bool = False


class BrokersApart(msgspec.Struct, frozen=True):
    differences: tuple[Apart, ...]


class TopicApart(msgspec.Struct, frozen=True):
    topic: str
    differences: tuple[Apart, ...]


class TopicsApartView(msgspec.Struct, frozen=True, rename="camel"):
    """`onlyOne`, `onlyOther`: topics that one of the clusters has alone. `both`: how many both have; of so many
    (`configsCompared`) configurations were compared, too; `whyNotMore`: why they could not be read."""

    only_one: tuple[str, ...]
    only_other: tuple[str, ...]
    both: int
    configs_compared: int
    topics: tuple[TopicApart, ...]
    why_not_more: str | None = None


async def brokers(call: Call[BrokersQuery, None]) -> BrokersApart:
    snapshot, asked = await call.place.snapshot(), call.query
    known = {one.id for one in snapshot.cluster.brokers}
    for broker in (asked.one, asked.other):
        if broker not in known:
            raise not_found("broker", str(broker))
    values = await (await call.place.admin()).broker_configs(sorted({asked.one, asked.other}))
    apart = configs_apart(values[asked.one], values[asked.other])
    return BrokersApart(tuple(_line(one, one.name in OWN_BY_NATURE) for one in apart))


async def topics(call: Call[TopicsQuery, None]) -> TopicsApartView:
    other = call.scene.places.get(call.query.other)
    if other is None or not call.who.sees(other.name):
        raise not_found("cluster", call.query.other)
    if other is call.place:
        raise bad_value("other", other.name, "is the same cluster; name another one")
    apart = topics_apart(await _shown(call, call.place), await _shown(call, other))
    compared, why = apart.both[:MOST], None
    try:
        mine, theirs = await side_by_side(_configs(call.place, compared), _configs(other, compared))
    except KafkaFailure as failure:
        # Names and partitions still tell something.
        compared, mine, theirs, why = (), {}, {}, str(failure)
    lines = []
    for name in apart.both:
        differences = [*apart.numbers.get(name, ())]
        if name in mine and name in theirs:
            differences += configs_apart(mine[name], theirs[name])
        if differences:
            lines.append(TopicApart(name, tuple(_line(one) for one in differences)))
    return TopicsApartView(apart.only_one, apart.only_other, len(apart.both), len(compared), tuple(lines), why)


async def _shown(call: Call[TopicsQuery, None], place: Place) -> dict[str, Topic]:
    snapshot, needle = await place.snapshot(), call.query.search.strip().lower()
    names = call.who.allowed(place.name, "topic", "view", snapshot.topics)
    found = {name: snapshot.topics[name] for name in names if needle in name.lower()}
    return {name: one for name, one in found.items() if not one.internal}


async def _configs(place: Place, names: tuple[str, ...]) -> dict[str, dict[str, ConfigValue]]:
    """What is set on the topics themselves."""
    admin, found = await place.admin(), dict[str, dict[str, ConfigValue]]()
    for begin in range(0, len(names), _AT_ONCE):
        values = await admin.topic_configs(names[begin : begin + _AT_ONCE])
        found.update({name: set_here(of) for name, of in values.items()})
    return found


def _line(one: Difference, own: bool = False) -> Apart:
    return Apart(one.name, one.one, one.other, own)


ROUTES = (
    Route(
        "GET",
        "/api/clusters/{cluster}/compare/brokers",
        brokers,
        "Where two brokers' configurations differ",
        Right("clusterconfig", "view"),
        query=BrokersQuery,
        answer=BrokersApart,
    ),
    Route(
        "GET",
        "/api/clusters/{cluster}/compare/topics",
        topics,
        "Where two clusters' topics differ",
        query=TopicsQuery,
        answer=TopicsApartView,
    ),
)
