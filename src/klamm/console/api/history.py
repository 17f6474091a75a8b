"""Charts' numbers: of the cluster, a broker, a topic, a group."""

import msgspec

from klamm.console.access.rights import Right
from klamm.console.health.past import Line, Ring, drawn
from klamm.console.problems import bad_value
from klamm.console.routes import Call, Route

POINTS = 240
"""As many as a chart can show."""

LONGEST = 24.0


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last so many hours."""

    hours: float = 1.0


class SeriesLine(msgspec.Struct, frozen=True):
    """`values`: one for each of the times; None where it was not known."""

    name: str
    values: tuple[float | None, ...]


class HistoryView(msgspec.Struct, frozen=True):
    """`times`: seconds of the epoch, from old to new. `kept`: hours for which the console keeps it."""

    times: tuple[float, ...]
    series: tuple[SeriesLine, ...]
    kept: float


async def of_cluster(call: Call[HistoryQuery, None]) -> HistoryView:
    return _view(call, call.place.past.cluster, "", 24.0)


async def of_broker(call: Call[HistoryQuery, None]) -> HistoryView:
    return _view(call, call.place.past.brokers, call.path["broker"], 24.0)


async def of_topic(call: Call[HistoryQuery, None]) -> HistoryView:
    return _view(call, call.place.past.topics, call.path["topic"], 6.0)


async def of_group(call: Call[HistoryQuery, None]) -> HistoryView:
    return _view(call, call.place.past.groups, call.path["group"], 6.0)


def _view(call: Call[HistoryQuery, None], ring: Ring, name: str, kept: float) -> HistoryView:
    hours = call.query.hours
    if not 0 < hours <= LONGEST:
        raise bad_value("hours", hours, f"is no stretch of the history; write up to {LONGEST:.0f}")
    now = call.scene.clock.now().timestamp()
    times, lines = drawn(ring, name, now - hours * 3600, now, POINTS)
    return HistoryView(times, tuple(_series(one) for one in lines), kept)


def _series(line: Line) -> SeriesLine:
    return SeriesLine(line.name, line.values)


_CLUSTER = "/api/clusters/{cluster}"


def _route(path: str, handler: object, summary: str, right: Right | None) -> Route:
    return Route("GET", _CLUSTER + path, handler, summary, right, query=HistoryQuery, answer=HistoryView)  # type: ignore[arg-type]


ROUTES = (
    _route("/history", of_cluster, "The cluster in the last hours", None),
    _route("/brokers/{broker}/history", of_broker, "A broker in the last hours", None),
    _route("/topics/{topic}/history", of_topic, "A topic in the last hours", Right("topic", "view", of="topic")),
    _route(
        "/consumer-groups/{group}/history",
        of_group,
        "A group's lag in the last hours",
        Right("consumer", "view", of="group"),
    ),
)
