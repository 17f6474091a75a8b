"""Configurations of the JMX exporter: each row is what a user may write, and what he is told."""

from typing import Any

import pytest
import yaml
from tests.builders.cluster import EXAMPLES

from klamm.planning.exporter_rules import exporter_problems, unknown_keys

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
    ("object names that are none", "includeObjectNames: 'a:b=c'", "it: includeObjectNames: 'a:b=c' is no list"),
]

RIGHT = [
    "{}",
    "rules: []",
    "{rules: , lowercaseOutputName: }",
    "rules: [{}]",
    r"rules: [{pattern: 'kafka.(\w+)<type=(.+)><>Value', name: k_$1, type: GAUGE, labels: {type: $2}, cache: true}]",
    r"rules: [{pattern: '\p{Alpha}+[a-z&&[^b]]'}]",
    'includeObjectNames: ["kafka.server:*", "kafka.cluster:type=Partition,*"]',
    "{startDelaySeconds: 1, hostPort: 'x:1', lowercaseOutputLabelNames: true, httpServer: {}}",
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
