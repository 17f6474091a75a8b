"""The rolling rule: a table of sentences, and every generated cluster against an oracle that tries all restarts."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klamm.planning.rolling.next_roll import (
    Done,
    Partition,
    PodState,
    Restart,
    RollingPod,
    Wait,
    next_roll,
    restart_reasons,
)
from klamm.planning.rolling.reasons import (
    AskedByPerson,
    AuthorityKeyReplaced,
    AuthorityRenewed,
    CertificateChanged,
    ConfigurationChanged,
    OldRevision,
    PartitionsUnknown,
    PodNotReady,
    WouldLoseInSync,
)

NEW = {"strimzi.io/revision": "new"}
READY, UNREADY, STUCK, MISSING = PodState.READY, PodState.UNREADY, PodState.STUCK, PodState.MISSING


def pod(node: int, revision: str = "old", state: PodState = READY) -> RollingPod:
    return RollingPod(node, f"kafka-{node}", state, {"strimzi.io/revision": revision})


def wanted(pods: Sequence[RollingPod]) -> Mapping[str, Mapping[str, str]]:
    return {pod.name: NEW for pod in pods}


def partition(replicas: str, in_sync: str, min_in_sync: int = 2) -> Partition:
    ids = [frozenset(int(c) for c in text) for text in (replicas, in_sync)]
    return Partition("orders", 0, ids[0], ids[1], min_in_sync)


def old(node: int) -> Restart:
    return Restart(node, f"kafka-{node}", (OldRevision("old", "new"),))


WHOLE = [partition("012", "012")]
Rolled = Restart | Wait | Done
ROWS: list[tuple[str, list[RollingPod], list[Partition] | None, int | None, Rolled]] = [
    ("all as wanted and ready: done", [pod(0, "new"), pod(1, "new")], WHOLE, 0, Done()),
    ("the lowest id goes first", [pod(0), pod(1), pod(2)], WHOLE, 2, old(0)),
    ("the controller is passed over", [pod(0), pod(1), pod(2)], WHOLE, 0, old(1)),
    ("the controller goes last", [pod(0), pod(1, "new"), pod(2, "new")], WHOLE, 0, old(0)),
    ("an unready pod with a reason goes first", [pod(0), pod(1, state=UNREADY)], [], None, old(1)),
    (
        "an unready pod without a reason is waited for",
        [pod(0), pod(1, "new", UNREADY)],
        [],
        None,
        Wait(PodNotReady("kafka-1", "not ready")),
    ),
    (
        "a stuck pod without a reason stops the roll",
        [pod(0), pod(1, "new", STUCK)],
        [],
        None,
        Wait(PodNotReady("kafka-1", "stuck")),
    ),
    (
        "a stuck pod with a reason is restarted at once",
        [pod(0), pod(1, state=STUCK)],
        [partition("01", "0", 1)],
        None,
        old(1),
    ),
    (
        "a missing pod is waited for",
        [pod(0), pod(1, state=MISSING)],
        [],
        None,
        Wait(PodNotReady("kafka-1", "missing")),
    ),
    (
        "a broker at min.insync.replicas is kept",
        [pod(0), pod(1, "new"), pod(2, "new")],
        [partition("012", "01")],
        None,
        Wait(WouldLoseInSync("kafka-0", "orders", 0, 2, 2)),
    ),
    ("another that can be spared goes instead", [pod(0), pod(3)], [partition("012", "01")], None, old(3)),
    (
        "the controller does not go early when the others must wait",
        [pod(0), pod(3)],
        [partition("012", "01")],
        3,
        Wait(WouldLoseInSync("kafka-0", "orders", 0, 2, 2)),
    ),
    ("a partition with one replica forbids nothing", [pod(0)], [partition("0", "0", 1)], None, old(0)),
    ("a partition with RF = min forbids nothing", [pod(0)], [partition("01", "01", 2)], None, old(0)),
    (
        "partitions unknown: a serving broker stays",
        [pod(0), pod(1)],
        None,
        None,
        Wait(PartitionsUnknown()),
    ),
    (
        "partitions unknown and nobody ready: nothing to lose",
        [pod(0, state=UNREADY), pod(1, state=UNREADY)],
        None,
        None,
        old(0),
    ),
]


@pytest.mark.parametrize(
    ("pods", "partitions", "leader", "step"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_next_roll(
    pods: list[RollingPod], partitions: list[Partition] | None, leader: int | None, step: Rolled
) -> None:
    assert next_roll(pods, wanted(pods), partitions, leader) == step


def test_each_difference_has_its_reason() -> None:
    runs = {
        "strimzi.io/revision": "a",
        "strimzi.io/cluster-ca-key-generation": "0",
        "strimzi.io/cluster-ca-cert-generation": "0",
        "strimzi.io/server-cert-hash": "x",
        "strimzi.io/broker-configuration-hash": "c",
        "strimzi.io/manual-rolling-update": "true",
    }
    now = {
        "strimzi.io/revision": "b",
        "strimzi.io/cluster-ca-key-generation": "1",
        "strimzi.io/cluster-ca-cert-generation": "2",
        "strimzi.io/clients-ca-cert-generation": "0",
        "strimzi.io/server-cert-hash": "y",
        "strimzi.io/broker-configuration-hash": "d",
    }
    assert restart_reasons(runs, now) == (
        AskedByPerson(),
        AuthorityKeyReplaced("0", "1"),
        AuthorityRenewed("cluster authority", "0", "2"),
        AuthorityRenewed("clients authority", None, "0"),
        CertificateChanged(),
        ConfigurationChanged(),
        OldRevision("a", "b"),
    )


NODES = range(4)


@st.composite
def clusters(
    draw: st.DrawFn,
) -> tuple[list[RollingPod], list[Partition], int | None]:
    pods = [
        pod(node, draw(st.sampled_from(["old", "new"])), draw(st.sampled_from([READY, READY, READY, UNREADY, STUCK])))
        for node in NODES
    ]
    partitions = []
    for number in range(draw(st.integers(0, 3))):
        replicas = draw(st.frozensets(st.sampled_from(list(NODES)), min_size=1))
        in_sync = draw(st.frozensets(st.sampled_from(sorted(replicas))))
        partitions.append(Partition("t", number, replicas, in_sync, draw(st.integers(1, 3))))
    return pods, partitions, draw(st.sampled_from([None, *NODES]))


def breaks_writes(node: int, partitions: Sequence[Partition]) -> bool:
    """The oracle: count the in-sync replicas after the restart, partition by partition."""
    for p in partitions:
        if len(p.replicas) <= p.min_in_sync:
            continue
        left = sum(1 for replica in p.in_sync if replica != node)
        if node in p.replicas and left < p.min_in_sync:
            return True
    return False


def allowed(pods: Sequence[RollingPod], partitions: Sequence[Partition], leader: int | None) -> set[int]:
    """All restarts that the rule permits, found by trying each."""
    due = [p for p in pods if p.annotations != NEW]
    broken = [p for p in pods if p.state is not READY]
    stuck = {p.node for p in due if p.state is STUCK}
    if stuck:
        return stuck
    broken_due = [p for p in due if p in broken]
    if broken_due:
        return {p.node for p in broken_due if not breaks_writes(p.node, partitions)}
    if broken:
        return set()
    others = [p for p in due if p.node != leader] or due
    return {p.node for p in others if not breaks_writes(p.node, partitions)}


@settings(max_examples=400, deadline=None)
@given(clusters())
def test_the_rule_agrees_with_trying_every_restart(
    cluster: tuple[list[RollingPod], list[Partition], int | None],
) -> None:
    pods, partitions, leader = cluster
    step = next_roll(pods, wanted(pods), partitions, leader)
    permitted = allowed(pods, partitions, leader)
    if isinstance(step, Restart):
        assert step.node in permitted
        assert step.node == min(permitted, key=lambda node: (node == leader, node))
    else:
        assert not permitted
        finished = all(p.state is READY and p.annotations == NEW for p in pods)
        assert isinstance(step, Done) == finished
