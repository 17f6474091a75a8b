"""What is wrong now: each trouble has a finding, and what is well has none."""

import asyncio
import re
from typing import Any

import pytest
from tests.builders.snapshots import HEALTHY, a_group, a_snapshot, a_topic

from klamm.console.health.findings import RULES, Facts, Finding, Growth, Severity, find, lacking, survey
from klamm.kafka.facts import Cluster, LogDir
from klamm.observing.snapshot import Beyond, Lag, Part, PartKey

_MOVED = a_topic("moved", *[(2, (1, 2), (1, 2))] * 3)
_LED = a_topic("led", *[(1, (1, 2), (1, 2))] * 40)
_BEHIND = a_topic("behind", (1, (1, 2), (1,)), (2, (2, 1), (1, 2)))
_LOST = a_topic("lost", (None, (3,), ()))
_ALONE = a_topic("alone", (1, (1,), (1,)))
_FULL = {1: (LogDir("/d", {"words": 100}, 1000, 50),)}
_FILLS = {1: (LogDir("/d", {"words": 100}, 1000, 400),)}


def facts(snapshot: Any = None, **changed: Any) -> Facts:
    seen = snapshot or a_snapshot()
    return Facts(seen, asyncio.run(survey(seen)), 110.0, **changed)


def test_nothing_is_wrong_where_all_is_well() -> None:
    lags = {"readers": {"words": {0: Lag(5, 1.0)}}}
    assert find(facts(a_snapshot(groups={"readers": a_group("readers")}, lags=lags))) == ()


@pytest.mark.parametrize(
    ("given", "kind", "severity", "says"),
    [
        (
            facts(a_snapshot(parts={PartKey("topology"): Part(failure="no broker answers")})),
            "ClusterNotRead",
            Severity.CRITICAL,
            "no broker answers",
        ),
        (
            facts(a_snapshot(parts={PartKey("latest", 2): Part(read_at=50.0, failure="no answer yet")})),
            "BrokerNotRead",
            Severity.WARNING,
            r"Broker 2 did not tell latest; what is shown of it is 60 s old",
        ),
        (facts(a_snapshot(cluster=Cluster("c", None, ()))), "NoController", Severity.CRITICAL, "quorum"),
        (
            facts(a_snapshot(HEALTHY, brokers=(1,))),
            "BrokerAway",
            Severity.CRITICAL,
            "Broker 2 is away.*2 partitions",
        ),
        (
            facts(a_snapshot(_LOST)),
            "OfflinePartitions",
            Severity.CRITICAL,
            "1 partition cannot be read or written: lost.*Broker 3 is away",
        ),
        (
            facts(a_snapshot(_BEHIND), needed={"behind": 2}),
            "BelowMinInSync",
            Severity.CRITICAL,
            "1 partition cannot be written with acks=all: behind",
        ),
        (
            facts(a_snapshot(a_topic("never", (1, (1, 2), (1,)))), needed={"never": 3}),
            "MinInSyncNotReachable",
            Severity.CRITICAL,
            "never",
        ),
        (
            facts(a_snapshot(_BEHIND)),
            "UnderReplicated",
            Severity.WARNING,
            r"1 partition lacks replicas: behind.*by broker: 2 \(1\).*Broker 2 is there and behind",
        ),
        (
            facts(a_snapshot(log_dirs=_FULL)),
            "DiskFull",
            Severity.CRITICAL,
            "/d of broker 1 is 95% full: 50 B of 1000 B",
        ),
        (
            facts(a_snapshot(log_dirs=_FILLS), free={(1, "/d"): Growth(500.0, 3600.0)}),
            "DiskFull",
            Severity.CRITICAL,
            "At the pace of the last 60 min it is full in 4 h",
        ),
        (
            facts(a_snapshot(groups={"g": a_group("g")}, lags={"g": {"words": {1: Beyond(7)}}})),
            "GroupBeyondEnd",
            Severity.WARNING,
            "Group g committed offsets beyond the end of words-1",
        ),
        (
            facts(
                a_snapshot(groups={"g": a_group("g")}, lags={"g": {"words": {0: Lag(7000, 3.0)}}}),
                lags={"g": Growth(1000.0, 600.0)},
            ),
            "GroupFallsBehind",
            Severity.WARNING,
            "lags by 7,000 records, 6,000 more than 10 min ago.*read 10 records a second fewer",
        ),
        (
            facts(
                a_snapshot(groups={"g": a_group("g", members=0)}, lags={"g": {"words": {0: Lag(7000, 3.0)}}}),
                lags={"g": Growth(1000.0, 600.0)},
            ),
            "GroupFallsBehind",
            Severity.WARNING,
            "Nobody is in the group",
        ),
        (
            facts(a_snapshot(_MOVED, _LED)),
            "LeadersMoved",
            Severity.NOTICE,
            "3 partitions have another leader than the preferred one",
        ),
        (facts(a_snapshot(_ALONE)), "LoneReplicas", Severity.NOTICE, "1 topic has one replica only: alone"),
    ],
)
def test_each_trouble_is_told(given: Facts, kind: str, severity: Severity, says: str) -> None:
    found = {one.kind: one for one in find(given)}
    assert kind in found
    assert found[kind].severity is severity
    assert re.search(says, f"{found[kind].what} {found[kind].why}")
    assert found[kind].mend


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (facts(a_snapshot(_BEHIND), needed={"behind": 1}), "BelowMinInSync"),
        (facts(a_snapshot(log_dirs=_FILLS)), "DiskFull"),
        (facts(a_snapshot(log_dirs=_FILLS), free={(1, "/d"): Growth(300.0, 3600.0)}), "DiskFull"),
        (facts(a_snapshot(log_dirs={1: (LogDir("/d", {}, None, None),)})), "DiskFull"),
        (
            facts(
                a_snapshot(groups={"g": a_group("g")}, lags={"g": {"words": {0: Lag(1200, 3.0)}}}),
                lags={"g": Growth(1000.0, 600.0)},
            ),
            "GroupFallsBehind",
        ),
        (facts(a_snapshot(_LOST)), "UnderReplicated"),
        (facts(a_snapshot(a_topic("one", (1, (1,), (1,))), brokers=(1,))), "LoneReplicas"),
        (facts(a_snapshot(a_topic("__own", (1, (1,), (1,)), internal=True))), "LoneReplicas"),
    ],
)
def test_what_is_no_trouble_is_not_told(given: Facts, kind: str) -> None:
    assert kind not in {one.kind for one in find(given)}


def test_the_worst_comes_first() -> None:
    found = find(facts(a_snapshot(_LOST, _BEHIND, _MOVED, _ALONE)))
    assert [one.severity for one in found] == sorted(one.severity for one in found)
    assert len({one.severity for one in found}) == 3


def test_many_alike_are_one_finding_with_some_names() -> None:
    many = [a_topic(f"t{number:03}", (None, (1, 2), ())) for number in range(100)]
    (found,) = [one for one in find(facts(a_snapshot(*many))) if one.kind == "OfflinePartitions"]
    assert "100 partitions" in found.what
    assert "t000, t001, t002, t003, t004 and 95 more" in found.what


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__.strip("_"))
def test_names_are_told_to_nobody_who_may_not_see_them(rule: Any) -> None:
    hidden = a_topic("secret", (None, (1, 2), ()), (1, (1, 2), (1,)), (2, (1, 2), (1, 2)))
    lone = a_topic("secret-too", (1, (1,), (1,)))
    given = facts(
        a_snapshot(
            hidden,
            lone,
            groups={"secret-group": a_group("secret-group")},
            lags={"secret-group": {"secret": {0: Lag(90_000, 1.0), 1: Beyond(1)}}},
        ),
        needed={"secret": 3},
        lags={"secret-group": Growth(0.0, 600.0)},
        sees=lambda resource, name: False,
    )
    found: list[Finding] = list(rule(given))
    assert "secret" not in repr(found)


def test_topics_that_lack_replicas_are_looked_at_more_closely_and_not_too_many() -> None:
    snapshot = a_snapshot(a_topic("slow", (1, (1, 2), (1,))), _BEHIND, HEALTHY, _LOST)
    assert lacking(asyncio.run(survey(snapshot)), 10) == ("behind", "slow")
    assert lacking(asyncio.run(survey(snapshot)), 1) == ("behind",)
