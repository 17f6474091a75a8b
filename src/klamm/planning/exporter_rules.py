"""What is wrong with a configuration of the JMX exporter, before a JVM meets it: a broker that finds a bad one ends.

The exporter says little of what it does not like and nothing of keys that it does not know, so both are told here: what
it cannot use as problems, unknown keys (a typing error, most often) as remarks.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from klamm.resources.reading import Problem, UnknownField, similar

_TOP = frozenset(
    {
        *("startDelaySeconds", "hostPort", "jmxUrl", "username", "password", "ssl", "httpServer", "rules"),
        *("lowercaseOutputName", "lowercaseOutputLabelNames", "inferCounterTypeFromName", "excludeJvmMetrics"),
        *("includeObjectNames", "excludeObjectNames", "whitelistObjectNames", "blacklistObjectNames"),
        *("includeObjectNameAttributes", "excludeObjectNameAttributes", "autoExcludeObjectNameAttributes"),
        *("metricCustomizers", "scrapeTimeoutSeconds", "openTelemetry"),
    }
)
_RULE = frozenset({"pattern", "name", "value", "valueFactor", "labels", "help", "type", "attrNameSnakeCase", "cache"})
_TYPES = (*("GAUGE", "COUNTER", "UNTYPED", "UNKNOWN", "SUMMARY", "HISTOGRAM", "GAUGE_HISTOGRAM", "INFO", "STATE_SET"),)
"""Only in capitals: 0.20 knows no others."""
_SWITCHES = ("lowercaseOutputName", "lowercaseOutputLabelNames", "excludeJvmMetrics", "inferCounterTypeFromName")
_SWITCHES_OF_RULES = ("cache", "attrNameSnakeCase")
_TEXTS = ("pattern", "name", "help")
_OBJECT_NAMES = ("includeObjectNames", "excludeObjectNames", "whitelistObjectNames", "blacklistObjectNames")

_ONLY_JAVA = re.compile(r"\\[pPQEhHRGKXzN]|\(\?<\w|&&|\(\?[a-z]*[dUu]")
"""What Java's patterns have and Python's have not, or otherwise: such a pattern is left to Java to judge."""


def exporter_problems(content: Any, path: str) -> list[Problem]:
    """Everything for which the exporter would refuse to run. `path` names the content for people."""
    if not isinstance(content, Mapping):
        mend = "write keys like rules and lowercaseOutputName at the margin"
        return [Problem(path, content, "is no map of settings", mend)]
    found = list(_settings(content, path))
    rules = content.get("rules")
    if rules is not None and not isinstance(rules, list):
        found.append(Problem(f"{path}: rules", rules, "is no list", "begin each rule with a dash"))
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        found += _rule(rule, f"{path}: rules[{index}]")
    return found


def unknown_keys(content: Mapping[str, Any], path: str) -> list[UnknownField]:
    """Keys that no generation of the exporter has; it passes over them in silence."""
    found = [UnknownField(f"{path}: {key}", similar(str(key), _TOP)) for key in content if key not in _TOP]
    for index, rule in enumerate(content.get("rules") or ()):
        place = f"{path}: rules[{index}]"
        found += [UnknownField(f"{place}.{key}", similar(str(key), _RULE)) for key in rule if key not in _RULE]
    return found


def _settings(content: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for key in (one for one in _SWITCHES if content.get(one) is not None):
        yield from _switch(content[key], f"{path}: {key}")
    for key in _OBJECT_NAMES:
        names = content.get(key)
        if names is not None and not isinstance(names, list):
            yield Problem(f"{path}: {key}", names, "is no list", "begin each object name with a dash")
        for name in names if isinstance(names, list) else ():
            if not isinstance(name, str) or not re.fullmatch(r"[^:]*:.+=.*|[^:]*:\*", name):
                mend = 'write one like "kafka.server:type=BrokerTopicMetrics,*"'
                yield Problem(f"{path}: {key}", name, "is no object name", mend)


def _rule(rule: Any, path: str) -> Iterator[Problem]:
    if not isinstance(rule, Mapping):
        yield Problem(path, rule, "is no rule", "write pattern, name and the like below the dash")
        return
    if "name" in rule and "pattern" not in rule:
        yield Problem(f"{path}.name", rule["name"], "has no pattern to be taken from", "add pattern")
    if ("labels" in rule or "help" in rule) and "name" not in rule:
        yield Problem(path, None, "has labels or help, and no name that they belong to", "add name")
    if "labels" in rule and not isinstance(rule["labels"], Mapping):
        yield Problem(f"{path}.labels", rule["labels"], "is no map", 'write them like topic: "$1"')
    if "type" in rule and rule["type"] not in _TYPES:
        yield Problem(f"{path}.type", rule["type"], "is no type", f"choose one of {', '.join(_TYPES[:3])}")
    labels = rule.get("labels")
    for key in (one for one in _TEXTS if one in rule):
        yield from _text(rule[key], f"{path}.{key}")
    for key, value in labels.items() if isinstance(labels, Mapping) else ():
        yield from _text(value, f"{path}.labels.{key}")
    for key in (one for one in _SWITCHES_OF_RULES if one in rule):
        yield from _switch(rule[key], f"{path}.{key}")
    if isinstance(rule.get("pattern"), str):
        yield from _pattern(rule["pattern"], f"{path}.pattern")


def _text(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(path, value, "is no text", "put it in quotes")


def _switch(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield Problem(path, value, "is neither true nor false", "write one of them")


def _pattern(pattern: str, path: str) -> Iterator[Problem]:
    if (why := reason_no_pattern(pattern)) is not None:
        yield Problem(path, pattern, f"is no regular expression ({why})", "correct it")


def reason_no_pattern(pattern: str) -> str | None:
    """Why Java cannot read the pattern, as far as can be told without it; None when it can, or may."""
    if _ONLY_JAVA.search(pattern):
        return None
    try:
        re.compile(pattern)
    except re.error as error:
        return str(error)
    return None
