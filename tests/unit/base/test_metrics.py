"""Prometheus' text form."""

from klamm.base.metrics import Metrics


def test_counters_gauges_and_sums_as_prometheus_reads_them() -> None:
    metrics = Metrics()
    metrics.count("passes_total", "Passes", kind="Kafka")
    metrics.count("passes_total", "Passes", kind="Kafka")
    metrics.set("paused", "Paused resources", 3)
    metrics.observe("seconds", "Length", 2.0, kind="Kafka")
    metrics.observe("seconds", "Length", 0.5, kind="Kafka")
    assert metrics.text().splitlines() == [
        "# HELP passes_total Passes",
        "# TYPE passes_total counter",
        'passes_total{kind="Kafka"} 2',
        "# HELP paused Paused resources",
        "# TYPE paused gauge",
        "paused 3",
        "# HELP seconds Length",
        "# TYPE seconds summary",
        'seconds_count{kind="Kafka"} 2',
        'seconds_sum{kind="Kafka"} 2.5',
        "# HELP seconds_max Length, the largest so far",
        "# TYPE seconds_max gauge",
        'seconds_max{kind="Kafka"} 2',
    ]


def test_odd_label_values_are_escaped_and_series_can_be_forgotten() -> None:
    metrics = Metrics()
    metrics.set("state", "State", 1, **{"resource-namespace": 'a"b\\c\nd'})
    assert 'state{resource_namespace="a\\"b\\\\c\\nd"} 1' in metrics.text()
    metrics.remove("state", **{"resource-namespace": 'a"b\\c\nd'})
    assert "} 1" not in metrics.text()
