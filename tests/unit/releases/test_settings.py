"""What Kafka says of its settings: types, values, and what a running broker takes."""

from typing import Any

import pytest

from klamm.releases.settings import Scope, as_text, broker_settings, dynamic_broker_settings

COMPLAINTS: list[tuple[str, Any, str | None]] = [
    ("min.insync.replicas", 2, None),
    ("min.insync.replicas", "2", None),
    ("min.insync.replicas", 0, "must be at least 1"),
    ("min.insync.replicas", "two", "must be an integer"),
    ("min.insync.replicas", 2**31, "must be between -2147483648 and 2147483647"),
    ("log.cleaner.dedupe.buffer.size", 10**12, None),
    ("log.cleaner.min.cleanable.ratio", 1.5, "must be at most 1"),
    ("log.cleaner.min.cleanable.ratio", "half", "must be a number"),
    ("auto.create.topics.enable", True, None),
    ("auto.create.topics.enable", "yes", "must be true or false"),
    ("compression.type", "zstd", None),
    ("compression.type", "brotli", "must be one of uncompressed, zstd, lz4, snappy, gzip, producer"),
    ("log.cleanup.policy", "compact,delete", None),
    ("log.cleanup.policy", ["compact", "drop"], "must be one of compact, delete"),
    ("inter.broker.protocol.version", "3.6", None),
]


@pytest.mark.parametrize(("key", "value", "complaint"), COMPLAINTS)
def test_a_value_is_judged(key: str, value: Any, complaint: str | None) -> None:
    assert broker_settings("3.6.0")[key].complaint(value) == complaint


@pytest.mark.parametrize(
    ("key", "scope"),
    [
        ("log.retention.ms", Scope.CLUSTER_WIDE),
        ("num.io.threads", Scope.CLUSTER_WIDE),
        ("ssl.keystore.location", Scope.PER_BROKER),
        ("default.replication.factor", Scope.READ_ONLY),
        ("broker.rack", Scope.READ_ONLY),
    ],
)
def test_the_scope_of_a_setting(key: str, scope: Scope) -> None:
    assert broker_settings("3.6.0")[key].scope is scope


def test_what_a_running_broker_takes() -> None:
    dynamic = {version: dynamic_broker_settings(version) for version in ("3.5.0", "3.6.0", "4.3.1")}
    assert {version: len(keys) for version, keys in dynamic.items()} == {"3.5.0": 77, "3.6.0": 82, "4.3.1": 102}
    assert "min.insync.replicas" in dynamic["3.6.0"]
    assert "listeners" in dynamic["3.6.0"]


def test_a_release_without_a_table_has_no_settings() -> None:
    assert broker_settings("9.9.9") == {}


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (3, "3"), (["a", 1, False], "a,1,false"), (None, ""), ("x", "x")]
)
def test_values_as_they_stand_in_server_properties(value: Any, text: str) -> None:
    assert as_text(value) == text
