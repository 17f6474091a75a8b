"""The operators' metrics as a page of documentation, from what they declare, so that it cannot differ."""

from collections.abc import Iterable, Iterator

from klamm.base import process_metrics
from klamm.base.metrics import Family
from klamm.control import measures
from klamm.control.resource_info import STATE
from klamm.operators.cluster import measures as cluster
from klamm.operators.topic import measures as topic
from klamm.operators.user import measures as user

_SECTIONS: tuple[tuple[str, str, tuple[Family, ...]], ...] = (
    ("Passes, of every operator", "`kind` is Kafka, StrimziPodSet, KafkaTopic or KafkaUser.", measures.FAMILIES),
    ("Cluster operator", "", cluster.FAMILIES),
    ("Topic operator", "", (*topic.FAMILIES, STATE)),
    ("User operator", "", (*user.FAMILIES, STATE)),
    ("The process", "", process_metrics.FAMILIES),
)

_OF_TYPE = {
    "histogram": "histogram, with a gauge `…_max`: the longest of the last minutes",
    "summary": "summary: `…_sum` and `…_count`",
}


def metrics_reference() -> str:
    """docs/reference/operator-metrics.md."""
    lines = [
        "# Metrics of the operators",
        "",
        "Generated from the code (`make generate`). What they are for: [Metrics](../guides/metrics.md).",
    ]
    for title, text, families in _SECTIONS:
        lines += ["", f"## {title}", ""]
        lines += [text, ""] if text else []
        lines += _table(families)
    return "\n".join(lines) + "\n"


def _table(families: Iterable[Family]) -> Iterator[str]:
    yield "| name | labels | type | what it is |"
    yield "|---|---|---|---|"
    for one in sorted(families, key=lambda family: family.name):
        labels = ", ".join(one.labels) or "-"
        yield f"| `{one.name}` | {labels} | {_OF_TYPE.get(one.type, one.type)} | {one.help} |"
