"""Real JVMs judge the check of the JMX exporter's configurations: what it lets pass runs, what it refuses does not.

Each row is given to both exporters (beside Kafka 3 and Kafka 4) as pods would get it. The check refuses what one of
them refuses.
"""

import asyncio
import json
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests.system.test_broker_metrics import cache

from klamm.base.clock import SystemClock
from klamm.desired.jmx_exporter import exporter_configuration
from klamm.distribution.provide import provide
from klamm.distribution.store import Store
from klamm.planning.jmx_exporter.rules import exporter_problems

VERSIONS = ("3.6.0", "4.3.1")

TYPES = ("GAUGE", "COUNTER", "UNTYPED", "UNKNOWN", "SUMMARY", "HISTOGRAM", "GAUGE_HISTOGRAM", "INFO", "STATE_SET")
DEEP = "{q: " + 50 * "[" + 50 * "]" + "}"
BASIC = "httpServer: {authentication: {basic: %s}}"
PATTERN = "rules: [{pattern: '%s'}]"

ENDS = [
    'startDelaySeconds: "5"',
    "startDelaySeconds: 5.5",
    "startDelaySeconds: 3000000000",
    "username: 1",
    "password: [a]",
    'ssl: "true"',
    "lowercaseOutputName: 'yes'",
    "lowercaseOutputLabelNames: 1",
    'autoExcludeObjectNameAttributes: "yes"',
    "hostPort: 'a:1'",
    "jmxUrl: 'service:jmx:rmi:///jndi/rmi://a:1/jmxrmi'",
    "{hostPort: 'a:1', jmxUrl: b}",
    "excludeObjectNameAttributes: ['a:b=c']",
    "excludeObjectNameAttributes: {a: [b]}",
    "excludeObjectNameAttributes: {'a:b=c': d}",
    "excludeObjectNameAttributes: {'a:b=c': [1]}",
    *(
        f"includeObjectNames: ['{name}']"
        for name in ("a:b=c=d", "a:type=x,type=y", "*:type=x,", "a", "a:", "a:b", "a:*,*")
    ),
    "excludeObjectNames: ['a:b*=c']",
    "includeObjectNames: [1]",
    "includeObjectNames: 'a:b=c'",
    "rules: all",
    "rules: [kafka]",
    "rules: [{name: x}]",
    "rules: [{pattern: x, help: y}]",
    "rules: [{pattern: x, name: y, labels: [a]}]",
    "rules: [{pattern: x, name: y, labels: {a: 1}}]",
    "rules: [{pattern: x, name: 5}]",
    "rules: [{pattern: x, type: METER}]",
    "rules: [{pattern: x, cache: often}]",
    "rules: [{pattern: x, attrNameSnakeCase: 1}]",
    *(
        PATTERN % pattern
        for pattern in ("kafka{", "a[[:b]", "kafka.(", "a)", "*", "a**", "(?P<n>a)", r"\y", "[b-a]", r"\Qa")
    ),
    *(
        PATTERN % pattern
        for pattern in ("a{2,1}", "a{,2}", "(?#a)", "(?<n>a)(?<n>b)", r"\k<n>", "[&&]", r"\x4", "(?z)")
    ),
    BASIC % "{username: a}",
    BASIC % "{username: a, password: ' '}",
    BASIC % "{username: 1, password: b}",
    BASIC % "{password: b}",
    BASIC % "{username: a, password: b, algorithm: MD5}",
    BASIC % "{username: a, passwordHash: b, algorithm: SHA-256}",
    BASIC % "{username: a, passwordHash: b, salt: c, algorithm: PBKDF2WithHmacSHA256, iterations: 0}",
    "httpServer: {authentication: {}}",
    "httpServer: {authentication: }",
    "httpServer: {threads: }",
    "httpServer: {threads: {minimum: 1, maximum: 5}}",
    "httpServer: {threads: {minimum: 5, maximum: 1, keepAliveTime: 1}}",
    "httpServer: {threads: {minimum: 0, maximum: 5, keepAliveTime: 1.5}}",
    "httpServer: {ssl: {}}",
    "httpServer: {ssl: {certificate: {alias: 5}}}",
    "httpServer: {ssl: {certificate: {alias: a}}}",
    "httpServer: {ssl: {certificate: {alias: a}, keyStore: {filename: /nowhere}}}",
    DEEP.replace("[]", "[[]]"),
    f"q: {{? {'a' * 1030} : 1}}",
]
RUNS = [
    "{}",
    "{rules: , ssl: , httpServer: }",
    "{startDelaySeconds: 5, username: a, password: b, ssl: false, lowercaseOutputName: true, rules: []}",
    "jmxUrl: ''",
    f"rules: [{', '.join(f'{{pattern: a, type: {one}}}' for one in TYPES)}]",
    "rules: [{pattern: a, value: {b: c}, valueFactor: [1], name: '', help: '', labels: {1: b, x: c}}]",
    "{autoExcludeObjectNameAttributes: false, excludeObjectNameAttributes: {'a:b=c': [d], 'java.lang:*': []}}",
    "includeObjectNames: ['', 'a:*', '*:*', 'a:*,b=c', ':b=', 'a:b=?*', 'a:b=\"c,d=e\\*\"', 'a=b:c=d', 'a b:c d=e f']",
    "rules: [{}, {pattern: a, value: 1, valueFactor: much, type: UNTYPED, labels: {}, name: b, cache: true, help: c}]",
    *(
        PATTERN % pattern
        for pattern in ("(?<=a+)b", "a)(b", r"\p{Alpha}+[a-z&&[^b]]", "{2}", "a*{2}", "a++", r"\Q{[(\E", "[a-z&&]")
    ),
    *(
        PATTERN % pattern
        for pattern in ("(?i)a", "(?i-s:a)", r"\2", "[]a]", "[^]a]", r"[\d-a]", "a]}", r"(?<n>a)\k<n>", r"\b{g}")
    ),
    BASIC % "{username: a, password: b, algorithm: PlainText}",
    BASIC % "{username: a, passwordHash: b, salt: c, algorithm: SHA-256}",
    BASIC % "{username: a, passwordHash: b, salt: c, algorithm: PBKDF2WithHmacSHA256, iterations: '9', keyLength: 8}",
    "httpServer: {threads: {minimum: '0', maximum: 5, keepAliveTime: 1}}",
    DEEP,
    f"q: {{? {'a' * 1020} : 1}}",
]
RUNS_YET_IS_TOLD = [
    ("a comma too much", "includeObjectNames: ['a:*,']"),
    ("no comma behind a quote", "includeObjectNames: ['a:b=\"c\";d=e']"),
    ("an old name beside the new one", "{includeObjectNames: ['a:*'], whitelistObjectNames: [b]}"),
    ("a pattern that is a number", "rules: [{pattern: 5}]"),
    ("a label without a value", "rules: [{pattern: a, name: b, labels: {c: }}]"),
    ("no map, at which it would not look", "httpServer: all"),
    ("no map of threads", "httpServer: {threads: []}"),
    ("a key that only later exporters know", "excludeJvmMetrics: 'yes'"),
]
ONLY_JAVA_KNOWS = [r"\p{Nothing}", r"(?<=(a)\1)", "(?x)a{"]
"""They end a JVM, and the check lets them pass."""


@dataclass(frozen=True, slots=True)
class Exporters:
    java: Path
    jars: Sequence[Path]

    def refuse(self, given: object, file: Path) -> bool:
        """Whether one of them ends its JVM."""
        return any(self._ends(jar, given, version, file) for jar, version in zip(self.jars, VERSIONS, strict=True))

    def _ends(self, jar: Path, given: object, version: str, file: Path) -> bool:
        assert isinstance(given, dict)
        file.write_text(json.dumps(exporter_configuration(given, version)))
        light = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m")
        argv = [str(self.java), *light, f"-javaagent:{jar}=127.0.0.1:0:{file}", "-version"]
        return subprocess.run(argv, capture_output=True, check=False, timeout=120).returncode != 0


@pytest.fixture(scope="module")
def exporters() -> Exporters:
    got = asyncio.run(provide(Store(cache()), VERSIONS, java_home=None, clock=SystemClock()))
    agents = [got.homes[version].path / "agents" for version in VERSIONS]
    jars = [next(folder.glob("jmx_prometheus_javaagent-*.jar")) for folder in agents]
    assert [jar.stem.rpartition("-")[2] for jar in jars] == ["0.20.0", "1.0.1"]
    return Exporters(got.java.path / "bin" / "java", jars)


def test_the_check_says_what_jvms_say(exporters: Exporters, tmp_path: Path) -> None:
    def judged(row: tuple[int, str]) -> tuple[str, bool, bool]:
        number, text = row
        given = yaml.safe_load(text)
        return text, exporters.refuse(given, tmp_path / f"{number}.json"), exporter_problems(given, "it") != []

    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(judged, enumerate([*ENDS, *RUNS])))
    assert [row for row in rows if row != (row[0], row[0] in ENDS, row[0] in ENDS)] == []


@pytest.mark.parametrize(("_why", "text"), RUNS_YET_IS_TOLD, ids=[row[0] for row in RUNS_YET_IS_TOLD])
def test_some_mistakes_are_told_though_jvms_run(_why: str, text: str, exporters: Exporters, tmp_path: Path) -> None:
    given = yaml.safe_load(text)
    assert exporter_problems(given, "it") != []
    assert not exporters.refuse(given, tmp_path / "it.json")


@pytest.mark.parametrize("pattern", ONLY_JAVA_KNOWS)
def test_some_patterns_are_left_to_java(pattern: str, exporters: Exporters, tmp_path: Path) -> None:
    given = yaml.safe_load(PATTERN % pattern)
    assert exporter_problems(given, "it") == []
    assert exporters.refuse(given, tmp_path / "it.json")
