"""What is wrong with a configuration of the JMX exporter, before a JVM meets it: a broker that finds a bad one ends.

The exporter says little of what it does not like and nothing of keys that it does not know, so both are told here: what
it cannot use as problems, unknown keys (a typing error, most often) as remarks. Whatever 0.20 or 1.0 refuses is a
problem, for a cluster may go from one to the other; tests/system/test_exporter_configurations.py asks real JVMs.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from klamm.planning.java_patterns import reason_java_cannot_read
from klamm.planning.jmx_exporter.http_server import http_server_problems
from klamm.planning.jmx_exporter.object_names import reason_no_object_name
from klamm.planning.jmx_exporter.shapes import integer, switch, text, texts
from klamm.resources.reading import Problem, UnknownField, similar

_TYPES = (*("GAUGE", "COUNTER", "UNTYPED", "UNKNOWN", "SUMMARY", "HISTOGRAM", "GAUGE_HISTOGRAM", "INFO", "STATE_SET"),)
"""Only in capitals: 0.20 knows no others."""
_OBJECT_NAMES = ("includeObjectNames", "excludeObjectNames", "whitelistObjectNames", "blacklistObjectNames")

_DEEPEST, _LONGEST_KEY = 51, 1024
"""Beyond which the exporter's YAML reader gives up."""
_LONGEST = 900_000
"""Kubernetes takes a ConfigMap of 1 MiB, and this one holds more than the exporter's part."""


def exporter_problems(content: Any, path: str) -> list[Problem]:
    """Everything for which the exporter would refuse to run. `path` names the content for people.

    What only the pod can tell is not among it: whether it has the key store that httpServer.ssl names.
    """
    if not isinstance(content, Mapping):
        mend = "write keys like rules and lowercaseOutputName at the margin"
        return [Problem(path, content, "is no map of settings", mend)]
    if found := list(_form(content, path)):
        return found
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


def _form(content: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """As JSON, which pods are given."""
    length = len(json.dumps(content, default=str))
    if length > _LONGEST:
        yield Problem(path, None, f"has {length} characters as JSON", f"shorten it to {_LONGEST}")
    level: list[Any] = [content]
    for _ in range(_DEEPEST):
        for key in (str(key) for one in level if isinstance(one, Mapping) for key in one):
            if len(json.dumps(key)) > _LONGEST_KEY:
                yield Problem(path, key, f"is a key of more than {_LONGEST_KEY} characters as JSON", "shorten it")
        level = [part for one in level for part in _parts(one)]
    if any(isinstance(one, Mapping | list) for one in level):
        yield Problem(path, None, f"is nested deeper than {_DEEPEST} levels", "make it flatter")


def _parts(content: Any) -> list[Any]:
    if isinstance(content, Mapping):
        return list(content.values())
    return content if isinstance(content, list) else []


def _settings(content: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Keys without a value are left out of what is mounted."""
    for key in (key for key in content if content[key] is not None and key in _SETTINGS):
        yield from _SETTINGS[key](content[key], f"{path}: {key}")


def _another_jvm(value: Any, path: str) -> Iterator[Problem]:
    if value != "":
        yield Problem(path, value, "names another JVM than the one that is watched from within", "leave it out")


def _object_names(names: Any, path: str) -> Iterator[Problem]:
    if not isinstance(names, list):
        yield Problem(path, names, "is no list", "begin each object name with a dash")
    for name in names if isinstance(names, list) else ():
        yield from _object_name(name, path)


def _object_name(name: Any, path: str) -> Iterator[Problem]:
    mend = 'write one like "kafka.server:type=BrokerTopicMetrics,*"'
    if not isinstance(name, str):
        yield Problem(path, name, "is no object name", mend)
    elif (why := reason_no_object_name(name)) is not None:
        yield Problem(path, name, f"is no object name ({why})", mend)


def _attributes(given: Any, path: str) -> Iterator[Problem]:
    if not isinstance(given, Mapping):
        mend = 'write it like "java.lang:type=Memory": [HeapMemoryUsage]'
        yield Problem(path, given, "is no map from object names to attributes", mend)
    for name, attributes in given.items() if isinstance(given, Mapping) else ():
        yield from _object_name(name, path)
        yield from texts(attributes, f"{path}[{name}]")


_SETTINGS: Mapping[str, Callable[[Any, str], Iterator[Problem]]] = {
    "startDelaySeconds": integer,
    "hostPort": _another_jvm,
    "jmxUrl": _another_jvm,
    "username": text,
    "password": text,
    "ssl": switch,
    "lowercaseOutputName": switch,
    "lowercaseOutputLabelNames": switch,
    "inferCounterTypeFromName": switch,
    "excludeJvmMetrics": switch,
    "autoExcludeObjectNameAttributes": switch,
    "excludeObjectNameAttributes": _attributes,
    "httpServer": http_server_problems,
    **dict.fromkeys(_OBJECT_NAMES, _object_names),
}
_TOP = _SETTINGS.keys() | {
    *("rules", "includeObjectNameAttributes", "metricCustomizers", "scrapeTimeoutSeconds", "openTelemetry")
}


def _rule(rule: Any, path: str) -> Iterator[Problem]:
    if not isinstance(rule, Mapping):
        yield Problem(path, rule, "is no rule", "write pattern, name and the like below the dash")
        return
    if "name" in rule and "pattern" not in rule:
        yield Problem(f"{path}.name", rule["name"], "has no pattern to be taken from", "add pattern")
    if ("labels" in rule or "help" in rule) and "name" not in rule:
        yield Problem(path, None, "has labels or help, and no name that they belong to", "add name")
    for key in (key for key in rule if key in _PARTS_OF_RULES):
        yield from _PARTS_OF_RULES[key](rule[key], f"{path}.{key}")


def _labels(labels: Any, path: str) -> Iterator[Problem]:
    if not isinstance(labels, Mapping):
        yield Problem(path, labels, "is no map", 'write them like topic: "$1"')
    for key, value in labels.items() if isinstance(labels, Mapping) else ():
        yield from text(value, f"{path}.{key}")


def _type(value: Any, path: str) -> Iterator[Problem]:
    if value not in _TYPES:
        yield Problem(path, value, "is no type", f"choose one of {', '.join(_TYPES[:3])}")


def _pattern(pattern: Any, path: str) -> Iterator[Problem]:
    yield from text(pattern, path)
    # The exporter puts it between others, where also a)(b is one.
    if isinstance(pattern, str) and (why := reason_java_cannot_read(f"^.*(?:{pattern}).*$")) is not None:
        yield Problem(path, pattern, f"is no regular expression ({why})", "correct it")


_PARTS_OF_RULES: Mapping[str, Callable[[Any, str], Iterator[Problem]]] = {
    "pattern": _pattern,
    "name": text,
    "help": text,
    "type": _type,
    "labels": _labels,
    "cache": switch,
    "attrNameSnakeCase": switch,
}
_RULE = _PARTS_OF_RULES.keys() | {"value", "valueFactor"}
