"""Wrong manifests (tests/wrong_manifests): each is answered with the field's name, by the API or by a condition.

A manifest goes the way of every manifest: the API's validation against our CRDs, the operator's reader, the rules, the
builders; and what is built goes back to the API, which must take it: what the rules let through can be made.
"""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.builders.answers import answer_to
from tests.builders.kafka import kafka_object

TABLES = Path(__file__).parents[3] / "wrong_manifests"

VALID: dict[str, dict[str, Any]] = {
    "kafka": kafka_object(),
    "kafkatopic": {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "KafkaTopic",
        "metadata": {"name": "orders", "namespace": "kafka", "labels": {"strimzi.io/cluster": "my-cluster"}},
        "spec": {"partitions": 1, "replicas": 1},
    },
    "kafkauser": {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "KafkaUser",
        "metadata": {"name": "anna", "namespace": "kafka", "labels": {"strimzi.io/cluster": "my-cluster"}},
        "spec": {"authentication": {"type": "scram-sha-512"}},
    },
}


@cache
def rows() -> list[tuple[str, dict[str, Any]]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [(kind, row) for kind in VALID for row in yaml.load((TABLES / f"{kind}.yaml").read_text(), Loader=loader)]


def changed(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    manifest = deepcopy(VALID[kind])
    for place, value in row.get("put", {}).items():
        *above, last = place.split("/")
        _put(_at(manifest, above), last, value)
    for place in row.get("drop", ()):
        *above, last = place.split("/")
        del _at(manifest, above)[last]
    return manifest


def _at(manifest: Any, path: list[str]) -> Any:
    for part in path:
        manifest = manifest[int(part)] if isinstance(manifest, list) else manifest[part]
    return manifest


def _put(where: Any, name: str, value: Any) -> None:
    if not isinstance(where, list):
        where[name] = value
    elif int(name) == len(where):
        where.append(value)
    else:
        where[int(name)] = value


def test_there_are_a_hundred() -> None:
    assert len(rows()) >= 100
    assert len({(kind, row["wrong"]) for kind, row in rows()}) == len(rows())


@pytest.mark.parametrize(("kind", "row"), rows(), ids=[f"{kind}: {row['wrong']}" for kind, row in rows()])
def test_wrong_manifest(kind: str, row: dict[str, Any]) -> None:
    answer = answer_to(changed(kind, row))
    assert answer.by == row["by"], answer
    for words in row["says"]:
        assert words in answer.text, answer


@pytest.mark.parametrize("kind", VALID)
def test_the_manifest_that_they_change_is_right(kind: str) -> None:
    assert answer_to(VALID[kind]).by == "nobody", answer_to(VALID[kind])
