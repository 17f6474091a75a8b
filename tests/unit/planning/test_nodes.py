"""How many nodes run: growth is free, shrinking waits for empty brokers, ZooKeeper stays."""

import pytest

from klamm.planning.claims import ObservedClaim, claim_size
from klamm.planning.nodes import NodesDecision, decide_brokers, decide_zookeepers
from klamm.planning.rolling.next_roll import Partition


def partition(topic: str, *replicas: int) -> Partition:
    return Partition(topic, 0, frozenset(replicas), frozenset(replicas), 2)


@pytest.mark.parametrize(
    ("case", "running", "wanted", "partitions", "use", "told"),
    [
        ("a new cluster", 0, 3, None, 3, ""),
        ("nothing changes", 3, 3, None, 3, ""),
        ("more brokers", 3, 5, None, 5, ""),
        ("empty brokers go", 5, 3, [partition("a", 0, 1, 2)], 3, ""),
        ("no topics at all", 5, 1, [], 1, ""),
        ("one broker holds a replica", 4, 3, [partition("a", 0, 3)], 4, "broker 3 holds replicas of a-0"),
        ("several do", 5, 3, [partition("b", 4), partition("a", 3)], 5, "brokers 3, 4 hold replicas of a-0, b-0"),
        (
            "many partitions are counted",
            4,
            3,
            [partition(name, 3) for name in "edcba"],
            4,
            "a-0, b-0, c-0 and 2 more partitions",
        ),
        ("nobody tells", 4, 3, None, 4, "no broker tells"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_brokers(case: str, running: int, wanted: int, partitions: list[Partition] | None, use: int, told: str) -> None:
    decision = decide_brokers(running, wanted, partitions)
    assert decision.use == use, case
    assert told in (decision.refused.message if decision.refused else ""), case
    assert bool(decision.refused) == bool(told), case


def test_the_check_can_be_skipped() -> None:
    assert decide_brokers(4, 3, [partition("a", 3)], skip_check=True) == NodesDecision(3)


@pytest.mark.parametrize(("running", "wanted", "use"), [(0, 3, 3), (3, 3, 3), (3, 5, 3), (3, 1, 3)])
def test_zookeepers(running: int, wanted: int, use: int) -> None:
    decision = decide_zookeepers(running, wanted)
    assert decision.use == use
    assert (decision.refused is not None) == (use != wanted)


@pytest.mark.parametrize(
    ("case", "size", "wanted", "is_bound", "expandable", "asked", "told"),
    [
        ("the same", "10Gi", "10Gi", True, None, "10Gi", False),
        ("the same in other words", "10Gi", "10240Mi", True, None, "10240Mi", False),
        ("larger, and the class lets it", "10Gi", "20Gi", True, True, "20Gi", False),
        ("larger, and the class does not", "10Gi", "20Gi", True, False, "10Gi", True),
        ("larger, and not bound yet", "10Gi", "20Gi", False, True, "10Gi", False),
        ("smaller", "10Gi", "5Gi", True, True, "10Gi", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_claims(
    case: str, size: str, wanted: str, is_bound: bool, expandable: bool | None, asked: str, told: bool
) -> None:
    decision = claim_size(ObservedClaim("data-0", size, is_bound, "standard", expandable), wanted)
    assert decision.size == asked, case
    assert (decision.remark is not None) == told, case
