"""The JMX exporter's configuration as pods get it: the user's, and the JVM's memory under both of its names.

The exporter itself shows memory as `jvm_memory_bytes_used` (0.x, which runs beside Kafka 3) or `jvm_memory_used_bytes`
(1.x, beside Kafka 4); dashboards ask for one of the two, by their age. The other one is added by rules at the end of
the user's, so that whatever he wrote himself goes first.
"""

from collections.abc import Mapping
from typing import Any

METRICS_CONFIG = "metrics-config.json"

_MEMORY = "java.lang:type=Memory"
_OLD, _NEW = "jvm_memory_bytes_used", "jvm_memory_used_bytes"
_ONLY = ("includeObjectNames", "whitelistObjectNames")
_EVERYTHING: Mapping[str, Any] = {}
"""A rule without a pattern: what the exporter takes when it is given no rules."""


def exporter_configuration(given: Mapping[str, Any], kafka_version: str) -> dict[str, Any]:
    """What is mounted for these words of the user. A key without a value would end the JVM: it is left out."""
    given = {key: value for key, value in given.items() if value is not None}
    rules = [*(given.get("rules") or ()), *_memory_rules(kafka_version)]
    if not given.get("rules"):
        rules.append(_EVERYTHING)
    chosen = {key: [*given[key], _MEMORY] for key in _ONLY if given.get(key)}
    return {**given, **chosen, "rules": rules}


def memory_only(kafka_version: str) -> dict[str, Any]:
    """For pods that have to start although the user's words cannot be used."""
    return {"includeObjectNames": [_MEMORY], "rules": _memory_rules(kafka_version)}


def _memory_rules(kafka_version: str) -> list[dict[str, Any]]:
    name = _NEW if kafka_version.startswith("3.") else _OLD
    return [
        {
            "pattern": f"java.lang<type=Memory><{attribute}MemoryUsage>used",
            "name": name,
            "type": "GAUGE",
            "labels": {"area": area},
            "help": "Used bytes of a memory area, as the exporter's other generation calls it",
        }
        for attribute, area in (("Heap", "heap"), ("NonHeap", "nonheap"))
    ]
