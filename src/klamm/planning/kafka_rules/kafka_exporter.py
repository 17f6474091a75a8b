"""What may be wrong with the exporter: patterns that cannot be read, amounts, a level that there is not.

Patterns are read as klamm's exporter reads them, by Python's `re`. Strimzi's has Go's `regexp`; what people write
means the same to both but for a few signs, and those are told here.
"""

import re
from collections.abc import Iterator

from klamm.desired.kafka_exporter.deployment import LOG_LEVELS
from klamm.planning.kafka_rules.remark import Remark
from klamm.planning.kafka_rules.storage import resource_problems
from klamm.resources.custom.kafka_exporter import KafkaExporterSpec
from klamm.resources.reading import Problem

_PATH = "spec.kafkaExporter"
_LONGEST = 65536
"""It becomes an environment variable, of which Linux takes twice as much."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_POSIX_CLASS = re.compile(r"\[:\^?[a-z]+:\]")
"""Python reads [[:alpha:]] as a set of these very characters, and would say nothing."""


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
    if pattern is not None and (why := _reason_not_to_read(pattern)) is not None:
        yield Problem(path, pattern, *why)


def _reason_not_to_read(pattern: str) -> tuple[str, str] | None:
    """What is wrong, and what to do about it."""
    if len(pattern) > _LONGEST:
        return f"has more than {_LONGEST} characters", "shorten it"
    if _CONTROL.search(pattern):
        return "holds a control character", "write it without"
    if found := _POSIX_CLASS.search(pattern):
        return f"has the class {found.group()}, which only Go knows", "write its characters, e.g. A-Za-z"
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is no regular expression ({error})", "correct it; '.*' stands for all"
    return None
