"""A roll, look by look: which pods it is about, how far each is, and how it ended."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.builders.seen_resources import a_pod, a_pod_set

from klamm.console.kubernetes import seen
from klamm.console.kubernetes.rolls import Roll, Step, followed, upcoming

BEGIN = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
OLD, NEW = {"strimzi.io/broker-configuration-hash": "a"}, {"strimzi.io/broker-configuration-hash": "b"}
CHANGED = ("its configuration changed",)


def name(number: int) -> str:
    return f"my-cluster-kafka-{number}"


def old(number: int, **how: Any) -> seen.Pod:
    return a_pod(name(number), annotations=OLD, **how)


def new(number: int, **how: Any) -> seen.Pod:
    return a_pod(name(number), annotations=NEW, uid=f"new {number}", **how)


class Watcher:
    """Looks each second at three brokers that are wanted with `annotations`."""

    def __init__(self, annotations: Mapping[str, str] = NEW) -> None:
        self.roll: Roll | None = None
        self.pod_sets = (a_pod_set({name(number): annotations for number in range(3)}),)
        self._at = BEGIN - timedelta(seconds=1)
        self._looked = False

    def sees(self, *pods: seen.Pod) -> dict[int, Step]:
        self._at += timedelta(seconds=1)
        self.roll = followed(self.roll, self.pod_sets, pods, self._at, whole=self._looked)
        self._looked = True
        return {int(one.pod[-1]): one.step for one in self.roll.pods} if self.roll else {}


def test_a_roll_of_one_broker_after_the_other() -> None:
    watcher = Watcher(OLD)
    assert watcher.sees(old(0), old(1), old(2)) == {}
    watcher.pod_sets = Watcher(NEW).pod_sets
    assert watcher.sees(old(0), old(1), old(2)) == {0: Step.DUE, 1: Step.DUE, 2: Step.DUE}
    assert watcher.sees(old(0, leaving=True), old(1), old(2)) == {0: Step.ENDING, 1: Step.DUE, 2: Step.DUE}
    assert watcher.sees(old(1), old(2)) == {0: Step.MISSING, 1: Step.DUE, 2: Step.DUE}
    assert watcher.sees(new(0, ready=False), old(1), old(2)) == {0: Step.STARTING, 1: Step.DUE, 2: Step.DUE}
    assert watcher.sees(new(0), old(1), old(2)) == {0: Step.DONE, 1: Step.DUE, 2: Step.DUE}
    assert watcher.roll is not None
    assert (watcher.roll.done, watcher.roll.whole, watcher.roll.ended) == (1, True, None)
    watcher.sees(new(0), old(1, leaving=True), old(2))
    watcher.sees(new(0), new(1), old(2, leaving=True))
    assert watcher.sees(new(0), new(1), new(2)) == {0: Step.DONE, 1: Step.DONE, 2: Step.DONE}

    assert (watcher.roll.began, watcher.roll.ended) == (BEGIN + timedelta(seconds=1), BEGIN + timedelta(seconds=8))
    assert watcher.roll.why == CHANGED
    first = watcher.roll.pods[0]
    assert (first.why, first.left, first.back) == (
        CHANGED,
        BEGIN + timedelta(seconds=2),
        BEGIN + timedelta(seconds=5),
    )


def test_the_last_roll_is_kept_until_the_next() -> None:
    watcher = Watcher()
    watcher.sees(old(0), new(1), new(2))
    watcher.sees(new(0), new(1), new(2))
    last = watcher.roll
    watcher.sees(new(0), new(1, ready=False), new(2))
    assert watcher.roll is last, "a pod that is not ready is no roll"
    assert watcher.sees(new(0), new(1), old(2)) == {2: Step.DUE}


def test_a_roll_that_was_under_way_before_is_not_whole() -> None:
    watcher = Watcher()
    assert watcher.sees(new(0), new(1, ready=False), old(2)) == {1: Step.STARTING, 2: Step.DUE}
    assert watcher.roll is not None
    assert not watcher.roll.whole


def test_a_pod_whose_reason_goes_without_a_restart_leaves_the_roll() -> None:
    watcher = Watcher()
    watcher.sees(old(0), old(1), new(2))
    assert watcher.sees(a_pod(name(0), annotations=NEW), old(1), new(2)) == {1: Step.DUE}
    assert watcher.sees(a_pod(name(0), annotations=NEW), a_pod(name(1), annotations=NEW), new(2)) == {}
    assert watcher.roll is None


def test_a_pod_that_is_asked_for_again_is_due_again() -> None:
    watcher = Watcher()
    watcher.sees(old(0), old(1), new(2))
    watcher.sees(new(0), old(1), new(2))
    asked = a_pod(name(0), annotations={**NEW, "strimzi.io/manual-rolling-update": "true"}, uid="new 0")
    assert watcher.sees(asked, old(1), new(2)) == {0: Step.DUE, 1: Step.DUE}
    assert watcher.roll is not None
    assert "annotation strimzi.io/manual-rolling-update asks for it" in watcher.roll.why


def test_pods_that_were_never_there_are_made_without_a_reason() -> None:
    watcher = Watcher()
    assert watcher.sees() == {0: Step.MISSING, 1: Step.MISSING, 2: Step.MISSING}
    assert watcher.roll is not None
    assert watcher.roll.why == ()


def test_a_pod_that_has_no_place_any_more_leaves_the_roll() -> None:
    watcher = Watcher()
    watcher.sees(old(0), old(1), old(2))
    watcher.pod_sets = (a_pod_set({name(number): NEW for number in range(2)}),)
    assert watcher.sees(old(0), old(1), old(2, leaving=True)) == {0: Step.DUE, 1: Step.DUE}


def test_a_changed_description_is_told_where_nothing_else_is() -> None:
    revision = {"strimzi.io/revision": "2"}
    watcher = Watcher({**NEW, **revision})
    watcher.sees(old(0), a_pod(name(1), annotations=NEW), a_pod(name(2), annotations={**NEW, **revision}))
    assert watcher.roll is not None
    assert {one.pod: one.why for one in watcher.roll.pods} == {name(0): CHANGED, name(1): ("its description changed",)}


def test_what_comes_next_zookeeper_then_what_is_not_ready_and_the_controller_last() -> None:
    keepers = a_pod_set({"my-cluster-zookeeper-0": NEW}, "my-cluster-zookeeper")
    pods = (old(0), old(1), old(2, ready=False), a_pod("my-cluster-zookeeper-0", annotations=OLD))
    roll = followed(None, (*Watcher().pod_sets, keepers), pods, BEGIN, whole=True)
    assert roll is not None
    assert upcoming(roll, 0) == ("my-cluster-zookeeper-0", name(2), name(1), name(0))
    assert upcoming(roll, None) == ("my-cluster-zookeeper-0", name(2), name(0), name(1))
