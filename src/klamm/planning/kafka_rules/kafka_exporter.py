"""What may be wrong with the exporter: patterns that cannot be read, amounts, a level that there is not."""

from collections.abc import Iterator

from klamm.desired.kafka_exporter.deployment import LOG_LEVELS
from klamm.planning.kafka_rules.remark import Remark
from klamm.planning.kafka_rules.storage import resource_problems
from klamm.planning.name_patterns import reason_not_to_read
from klamm.resources.custom.kafka_exporter import KafkaExporterSpec
from klamm.resources.reading import Problem

_PATH = "spec.kafkaExporter"


def exporter_problems(exporter: KafkaExporterSpec | None) -> Iterator[Problem]:
    if exporter is None:
        return
    for name, pattern in (
        ("groupRegex", exporter.group_regex),
        ("groupExcludeRegex", exporter.group_exclude_regex),
        ("topicRegex", exporter.topic_regex),
        ("topicExcludeRegex", exporter.topic_exclude_regex),
    ):
        yield from _pattern(f"{_PATH}.{name}", pattern)
    yield from resource_problems(f"{_PATH}.resources", exporter.resources)


def exporter_remarks(exporter: KafkaExporterSpec | None) -> Iterator[Remark]:
    """A word that is no level does not stop a cluster: it counts as info (Strimzi behaviour), and is told."""
    if exporter is not None and exporter.logging and exporter.logging.lower() not in LOG_LEVELS:
        known = ", ".join(LOG_LEVELS)
        yield Remark(
            "KafkaExporterLogging", f"{_PATH}.logging: {exporter.logging!r} counts as info; choose one of {known}"
        )


def _pattern(path: str, pattern: str | None) -> Iterator[Problem]:
    if pattern is not None and (why := reason_not_to_read(pattern)) is not None:
        yield Problem(path, pattern, *why)
