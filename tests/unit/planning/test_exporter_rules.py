"""Configurations of the JMX exporter: each row is what a user may write, and what he is told."""

from typing import Any

import pytest
import yaml
from tests.builders.cluster import EXAMPLES

from klamm.planning.jmx_exporter.rules import exporter_problems, unknown_keys

WRONG = [
    ("no map", "just words", "is no map of settings; write keys like rules and lowercaseOutputName at the margin"),
    ("no rules", "rules: all", "it: rules: 'all' is no list; begin each rule with a dash"),
    ("a rule that is none", "rules: [kafka]", "it: rules[0]: 'kafka' is no rule"),
    ("a name without pattern", "rules: [{name: x}]", "it: rules[0].name: 'x' has no pattern to be taken from"),
    ("labels without name", "rules: [{pattern: x, labels: {a: b}}]", "it: rules[0] has labels or help, and no name"),
    ("labels that are a list", "rules: [{pattern: x, name: y, labels: [a]}]", "it: rules[0].labels: ['a'] is no map"),
    ("a type that is none", "rules: [{pattern: x, type: METER}]", "it: rules[0].type: 'METER' is no type; choose one"),
    ("a type in small letters", "rules: [{pattern: x, type: gauge}]", "it: rules[0].type: 'gauge' is no type; choose"),
    ("a label that is a number", "rules: [{pattern: x, name: y, labels: {a: 1}}]", "rules[0].labels.a: 1 is no text"),
    ("a name that is a number", "rules: [{pattern: x, name: 5}]", "it: rules[0].name: 5 is no text; put it in quotes"),
    ("a cache that is a word", "rules: [{pattern: x, cache: often}]", "rules[0].cache: 'often' is neither true nor"),
    ("a broken pattern", "rules: [{pattern: 'kafka.('}]", "it: rules[0].pattern: 'kafka.(' is no regular expression"),
    ("a switch that is none", "lowercaseOutputName: yes please", "it: lowercaseOutputName: 'yes please' is neither"),
    ("an object name that is none", "includeObjectNames: [kafka]", "it: includeObjectNames: 'kafka' is no object name"),
    ("an object name with two =", "excludeObjectNames: ['a:b=c=d']", "'a:b=c=d' is no object name ('b=c=d' is no key="),
    (
        "a key twice",
        "includeObjectNames: ['a:type=x,type=y']",
        "is no object name (type is there twice); write one like",
    ),
    ("a comma at the end", "includeObjectNames: ['*:type=x,']", "is no object name (nothing follows ',')"),
    ("a number in quotes", "startDelaySeconds: '5'", "it: startDelaySeconds: '5' is no whole number; write one like 5"),
    ("a part of a second", "startDelaySeconds: 5.5", "it: startDelaySeconds: 5.5 is no whole number"),
    ("TLS as a word", "ssl: 'true'", "it: ssl: 'true' is neither true nor false; write one of them"),
    ("a user that is a number", "username: 1", "it: username: 1 is no text; put it in quotes"),
    ("another JVM", "hostPort: 'a:1'", "hostPort: 'a:1' names another JVM than the one that is watched from within"),
    ("attributes as a list", "excludeObjectNameAttributes: [a]", "is no map from object names to attributes"),
    ("attributes of no name", "excludeObjectNameAttributes: {a: [b]}", "excludeObjectNameAttributes: 'a' is no object"),
    (
        "one attribute",
        "excludeObjectNameAttributes: {'a:b=c': d}",
        "excludeObjectNameAttributes[a:b=c]: 'd' is no list",
    ),
    ("no password", "httpServer: {authentication: {basic: {username: a}}}", "authentication.basic.password is missing"),
    ("too few threads", "httpServer: {threads: {minimum: 2, maximum: 1, keepAliveTime: 1}}", "1 is less than the min"),
    (
        "TLS without alias",
        "httpServer: {ssl: {keyStore: {filename: a, password: b}}}",
        "it: httpServer.ssl.certificate.alias is missing; add it",
    ),
    (
        "TLS without store",
        "httpServer: {ssl: {certificate: {alias: a}, keyStore: {filename: b}}}",
        "keyStore.password is",
    ),
    ("a brace", "rules: [{pattern: 'kafka{'}]", "'kafka{' is no regular expression (a { begins no number of times)"),
    ("a class in a class", "rules: [{pattern: 'a[[:b]'}]", "'a[[:b]' is no regular expression (a [ is not closed)"),
    ("too deep", "{q: " + 51 * "[" + 51 * "]" + "}", "it is nested deeper than 51 levels; make it flatter"),
    ("too long", "{q: " + 900_000 * "a" + "}", "it has 900009 characters as JSON; shorten it to 900000"),
    ("a long key", "{? " + 1030 * "a" + " : 1}", "is a key of more than 1024 characters as JSON; shorten it"),
    ("object names that are none", "includeObjectNames: 'a:b=c'", "it: includeObjectNames: 'a:b=c' is no list"),
]

RIGHT = [
    "{}",
    "rules: []",
    "{rules: , lowercaseOutputName: }",
    "rules: [{}]",
    r"rules: [{pattern: 'kafka.(\w+)<type=(.+)><>Value', name: k_$1, type: GAUGE, labels: {type: $2}, cache: true}]",
    r"rules: [{pattern: '\p{Alpha}+[a-z&&[^b]]'}, {pattern: '(?<=a+)b'}]",
    'includeObjectNames: ["kafka.server:*", "kafka.cluster:type=Partition,*"]',
    "{startDelaySeconds: 1, jmxUrl: '', lowercaseOutputLabelNames: true, httpServer: {}}",
]


@pytest.mark.parametrize(("text", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_the_exporter_would_refuse(text: str, words: str) -> None:
    [problem] = exporter_problems(_read(text), "it")
    assert words in str(problem)


@pytest.mark.parametrize("text", RIGHT)
def test_what_it_takes(text: str) -> None:
    assert exporter_problems(_read(text), "it") == []
    assert unknown_keys(_read(text), "it") == []


def test_keys_that_it_passes_over_are_told_with_what_may_be_meant() -> None:
    told = unknown_keys(_read("{lowerCaseOutputName: true, rules: [{patern: x, speed: 1}]}"), "it")
    assert [str(one) for one in told] == [
        "it: lowerCaseOutputName is not a known field and is ignored (did you mean lowercaseOutputName?)",
        "it: rules[0].patern is not a known field and is ignored (did you mean pattern?)",
        "it: rules[0].speed is not a known field and is ignored",
    ]


def _read(text: str) -> Any:
    return yaml.safe_load(text)


@pytest.mark.parametrize("file", ["kafka-2.yaml", "metrics/kafka-metrics.yaml", "metrics/kafka-metrics-fast.yaml"])
def test_the_tutorials_rules_and_ours_are_right(file: str) -> None:
    documents = [one for one in yaml.safe_load_all((EXAMPLES / file).read_text()) if one["kind"] == "ConfigMap"]
    for text in documents[0]["data"].values():
        assert exporter_problems(_read(text), file) == []
        assert unknown_keys(_read(text), file) == []
