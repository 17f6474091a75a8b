"""What is wrong now: in one cluster, in all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from klamm.base.deadlines import DeadlineExceeded, within
from klamm.base.together import side_by_side
from klamm.console.access.rights import Principal
from klamm.console.api.operator import resources_of
from klamm.console.clusters import Place
from klamm.console.health.findings import Facts, Finding, Growth, Severity, Survey, find, lacking, survey
from klamm.console.health.past import disk_name
from klamm.console.kubernetes import standing
from klamm.console.problems import Problem
from klamm.console.routes import Call, NoQuery, Route
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import ConfigValue
from klamm.observing.snapshot import Snapshot

ASKED = 200
"""Topics of which min.insync.replicas is asked: more that lack replicas tell nothing new."""

PATIENCE = 3.0
"""Seconds that are waited for them: what is wrong is told without, too."""

_LAG_OVER, _LAG_SINCE = 16 * 60.0, 5 * 60.0
_DISK_OVER, _DISK_SINCE = 6 * 3600.0, 30 * 60.0
"""Seconds over which lags and disks are said to grow, and of history below which nothing is said."""


class FindingLine(msgspec.Struct, frozen=True):
    """`severity`: critical, warning or notice. `link`: parts of the page's address behind the cluster's."""

    severity: str
    kind: str
    what: str
    why: str
    mend: str
    link: tuple[str, ...]


class WrongView(msgspec.Struct, frozen=True):
    """`age`: seconds of the look that this was found in; None when there was none yet."""

    cluster: str
    findings: tuple[FindingLine, ...]
    age: float | None = None


class WrongList(msgspec.Struct, frozen=True):
    clusters: tuple[WrongView, ...]


async def wrong(call: Call[NoQuery, None]) -> WrongView:
    return await _view(call, call.place)


async def wrong_everywhere(call: Call[NoQuery, None]) -> WrongList:
    places = [place for name, place in call.scene.places.items() if call.who.sees(name)]
    return WrongList(tuple(await side_by_side(*(_view(call, place) for place in places))))


async def _view(call: Call[Any, None], place: Place) -> WrongView:
    snapshot = place.collector.snapshot
    if snapshot is None:
        return WrongView(place.name, tuple(map(_line, [_unseen(place), *_of_resources(call, place)])))
    facts = await _facts(call, place, snapshot)
    found = sorted([*find(facts), *_of_resources(call, place)], key=lambda one: one.severity)
    return WrongView(place.name, tuple(map(_line, found)), round(facts.now - snapshot.at, 1))


def _of_resources(call: Call[Any, None], place: Place) -> tuple[Finding, ...]:
    resources = resources_of(call.scene.kubernetes, place)
    if resources is None or not call.who.may(place.name, "clusterconfig", "view"):
        return ()
    return standing.find(resources, call.scene.clock.now(), _sees(call.who, place))


async def _facts(call: Call[Any, None], place: Place, snapshot: Snapshot) -> Facts:
    now, moment = call.scene.clock.monotonic(), call.scene.clock.now().timestamp()
    surveyed = await place.derived("survey", snapshot, lambda: survey(snapshot))
    return Facts(
        snapshot,
        surveyed,
        now,
        needed=await _needed(place, surveyed),
        lags=_growth(place.past.groups.earlier("lag", moment, _LAG_OVER, _LAG_SINCE)),
        free=_free(place, snapshot, moment),
        sees=_sees(call.who, place),
    )


async def _needed(place: Place, surveyed: Survey) -> dict[str, int]:
    """min.insync.replicas of topics that lack replicas; without those that cannot be read now."""
    names = lacking(surveyed, ASKED)
    if not names or place.reason_offline is not None:
        return {}
    try:
        values = await within(PATIENCE, "min.insync.replicas", _asked(place, names))
    except (KafkaFailure, Problem, DeadlineExceeded):
        return {}
    found = {name: of.get("min.insync.replicas") for name, of in values.items()}
    return {name: int(one.value) for name, one in found.items() if one is not None and one.value is not None}


async def _asked(place: Place, names: Sequence[str]) -> dict[str, dict[str, ConfigValue]]:
    return await (await place.admin()).topic_configs(names, ["min.insync.replicas"])


def _growth(earlier: Mapping[str, tuple[float, float]]) -> dict[str, Growth]:
    return {name: Growth(value, seconds) for name, (value, seconds) in earlier.items()}


def _free(place: Place, snapshot: Snapshot, moment: float) -> dict[tuple[int, str], Growth]:
    known = _growth(place.past.disks.earlier("free", moment, _DISK_OVER, _DISK_SINCE))
    named = {
        (broker, one.path): disk_name(broker, one.path) for broker, dirs in snapshot.log_dirs.items() for one in dirs
    }
    return {key: known[name] for key, name in named.items() if name in known}


def _sees(who: Principal, place: Place) -> Any:
    return lambda resource, name: who.may(place.name, resource, "view", name)


def _unseen(place: Place) -> Finding:
    return Finding(
        Severity.CRITICAL,
        "ClusterNotRead",
        "The cluster was not seen yet.",
        place.collector.reason_none or "",
        "See whether its brokers run and whether this console's address and credentials are right.",
    )


def _line(one: Finding) -> FindingLine:
    return FindingLine(one.severity.name.lower(), one.kind, one.what, one.why, one.mend, one.link)


ROUTES = (
    Route("GET", "/api/wrong", wrong_everywhere, "What is wrong now, in all clusters", answer=WrongList),
    Route("GET", "/api/clusters/{cluster}/wrong", wrong, "What is wrong now", answer=WrongView),
)
