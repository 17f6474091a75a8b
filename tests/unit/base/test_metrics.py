"""Prometheus' text form."""

import gc

import pytest

from klamm.base.metrics import Metrics, counter, gauge, summary, timer
from klamm.base.process_metrics import FAMILIES, watch_in_place_of_a_jvm, watch_process

PASSES = counter("passes_total", "Passes", "kind")
PAUSED = gauge("paused", "Paused resources")
STATE = gauge("state", "State", "namespace", "name")
SECONDS = timer("seconds", "Length", "kind")
PAUSES = summary("pauses", "Pauses")


class Hand:
    """A clock that is moved by hand."""

    seconds = 0.0

    def now(self) -> float:
        return self.seconds


def test_counters_gauges_and_timers_as_prometheus_reads_them() -> None:
    metrics = Metrics(Hand().now)
    metrics.count(PASSES, kind="Kafka")
    metrics.count(PASSES, kind="Kafka")
    metrics.set(PAUSED, 3)
    metrics.observe(SECONDS, 2.0, kind="Kafka")
    metrics.observe(SECONDS, 0.5, kind="Kafka")
    metrics.observe(PAUSES, 0.25)
    assert metrics.text().splitlines() == [
        "# HELP passes_total Passes",
        "# TYPE passes_total counter",
        'passes_total{kind="Kafka"} 2',
        "# HELP paused Paused resources",
        "# TYPE paused gauge",
        "paused 3",
        "# HELP pauses Pauses",
        "# TYPE pauses summary",
        "pauses_count 1",
        "pauses_sum 0.25",
        "# HELP seconds Length",
        "# TYPE seconds histogram",
        'seconds_bucket{kind="Kafka",le="1"} 1',
        'seconds_bucket{kind="Kafka",le="5"} 2',
        'seconds_bucket{kind="Kafka",le="10"} 2',
        'seconds_bucket{kind="Kafka",le="30"} 2',
        'seconds_bucket{kind="Kafka",le="60"} 2',
        'seconds_bucket{kind="Kafka",le="120"} 2',
        'seconds_bucket{kind="Kafka",le="300"} 2',
        'seconds_bucket{kind="Kafka",le="+Inf"} 2',
        'seconds_count{kind="Kafka"} 2',
        'seconds_sum{kind="Kafka"} 2.5',
        "# HELP seconds_max Length: the longest of the last minutes",
        "# TYPE seconds_max gauge",
        'seconds_max{kind="Kafka"} 2',
    ]


def test_the_longest_of_the_last_minutes_is_forgotten_after_two() -> None:
    hand = Hand()
    metrics = Metrics(hand.now)
    metrics.observe(SECONDS, 9.0, kind="Kafka")
    hand.seconds = 61.0
    metrics.observe(SECONDS, 1.0, kind="Kafka")
    assert 'seconds_max{kind="Kafka"} 9' in metrics.text()
    hand.seconds = 121.0
    assert 'seconds_max{kind="Kafka"} 1' in metrics.text()
    hand.seconds = 500.0
    assert 'seconds_max{kind="Kafka"} 0' in metrics.text()
    assert 'seconds_count{kind="Kafka"} 2' in metrics.text()


def test_what_takes_how_long_is_noted_however_it_ends() -> None:
    hand = Hand()
    metrics = Metrics(hand.now)

    def fail() -> None:
        with metrics.timing(SECONDS, kind="Kafka"):
            hand.seconds += 4.0
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert 'seconds_sum{kind="Kafka"} 4' in metrics.text()


def test_large_numbers_keep_their_digits() -> None:
    metrics = Metrics(Hand().now)
    metrics.set(PAUSED, 1795655227441.0)
    assert "paused 1795655227441\n" in metrics.text()


def test_odd_label_values_are_escaped_and_series_can_be_forgotten() -> None:
    metrics = Metrics(Hand().now)
    metrics.set(STATE, 1, namespace='a"b\\c\nd', name="one")
    metrics.set(STATE, 1, namespace="other", name="one")
    assert 'state{namespace="a\\"b\\\\c\\nd",name="one"} 1' in metrics.text()
    metrics.forget(STATE, namespace='a"b\\c\nd')
    assert [line for line in metrics.text().splitlines() if line[0] != "#"] == ['state{namespace="other",name="one"} 1']


def test_series_that_are_asked_for_are_as_they_are_now() -> None:
    metrics, there = Metrics(Hand().now), {"a": 1.0}
    metrics.ask(STATE, lambda: [(("n", name), value) for name, value in there.items()])
    there["b"] = 2.0
    assert 'state{namespace="n",name="b"} 2' in metrics.text()


def test_a_label_that_a_family_has_not_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="passes_total has the labels kind, not knd"):
        Metrics(Hand().now).count(PASSES, knd="Kafka")


def test_a_process_tells_what_it_takes() -> None:
    hand = Hand()
    metrics = Metrics(hand.now)
    watch_process(metrics)
    watch_in_place_of_a_jvm(metrics, hand.now)
    note = gc.callbacks[-1]
    try:
        gc.collect()
        page = metrics.text()
    finally:
        gc.callbacks.remove(note)
    series = [line.rpartition(" ") for line in page.splitlines() if line[0] != "#"]
    values = {name: float(value) for name, _, value in series}
    assert {name.partition("{")[0] for name in values} >= {one.name for one in FAMILIES if one.type != "summary"}
    assert values["process_cpu_seconds_total"] > 0
    assert values["process_open_fds"] >= 3
    assert values['jvm_memory_used_bytes{area="heap",id="resident"}'] == pytest.approx(
        values["process_resident_memory_bytes"], rel=0.2
    )
    assert values['jvm_gc_pause_seconds_count{action="collection",cause="python"}'] >= 1
    assert 1.6e9 < values["process_start_time_seconds"] < 5e9
