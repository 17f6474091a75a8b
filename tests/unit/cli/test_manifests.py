"""Files that people write, right and wrong."""

import io
from pathlib import Path

import pytest

from klamm.cli.errors import Mistake
from klamm.cli.manifests import kafka_versions, read_manifests

KAFKA = "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: a}\nspec: {kafka: {version: 3.5.1}}\n"


def test_documents_and_lists_become_single_objects(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    topic = (
        '{"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "KafkaTopic", "metadata": {"name": "t", "namespace": "n"}}'
    )
    file.write_text(f"---\n{KAFKA}---\n\n---\napiVersion: v1\nkind: List\nitems: [{topic}]\n")
    found = read_manifests([str(file)])
    assert [(one.kind, one.name, one.namespace) for one in found] == [("Kafka", "a", None), ("KafkaTopic", "t", "n")]
    assert found[1].origin == f"{file}, document 3, item 1"


def test_a_dash_is_standard_input() -> None:
    assert read_manifests(["-"], io.StringIO(KAFKA))[0].name == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [b", "is not YAML"),
        ("just words", "holds a str, not a Kubernetes object"),
        ("kind: Kafka\nmetadata: {name: a}", "apiVersion is None"),
        ("apiVersion: v1\nkind: 5\nmetadata: {name: a}", "kind is 5"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}", "metadata.name is None"),
        ("apiVersion: v1\nkind: Pod\nmetadata: text", "metadata.name is None"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: 1}", "a namespace is text: quote it"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(Mistake, match=said) as raised:
        read_manifests([str(file)])
    assert str(file) in str(raised.value)


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="No such file"):
        read_manifests([str(tmp_path / "none.yaml")])


@pytest.mark.parametrize(
    ("spec", "versions"),
    [
        ("{kafka: {version: 3.5.1}}", {"3.5.1"}),
        ("{kafka: {}}", {"3.6.0"}),
        ("{}", {"3.6.0"}),
        ("[wrong]", set()),
        ("{kafka: null}", set()),
        ("{kafka: text}", set()),
    ],
)
def test_versions_to_fetch(spec: str, versions: set[str]) -> None:
    text = f"apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {{name: a}}\nspec: {spec}\n"
    assert kafka_versions(read_manifests(["-"], io.StringIO(text)), "3.6.0") == versions
