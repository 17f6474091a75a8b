"""The generated CustomResourceDefinitions: complete, small, fresh, and with the names that people type."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from klamm.resources import coverage, crds, kinds
from klamm.resources.fields import fields_of
from klamm.resources.kinds import Kind
from klamm.resources.structure import Block

HERE = Path(__file__).parent
INSTALL = HERE.parents[2] / "install" / "crds"
STRIMZI_PATHS: dict[str, dict[str, str]] = json.loads(
    gzip.decompress((HERE / "strimzi-crd-paths.json.gz").read_bytes())
)
DEFINITIONS = {kind.name: crds.definition(kind) for kind in kinds.ALL}

every_kind = pytest.mark.parametrize("kind", kinds.ALL, ids=lambda kind: kind.name)


@pytest.mark.parametrize("schema", STRIMZI_PATHS, ids=str)
def test_every_path_of_strimzi_is_there_with_its_type(schema: str) -> None:
    (found,) = coverage.missing_paths({schema: STRIMZI_PATHS[schema]})
    assert (found.missing, found.different, found.share) == ((), (), 1.0)


def test_a_missing_path_is_noticed() -> None:
    wanted = {"1.2.0|kafkas.kafka.strimzi.io|v1": {".spec": "object", ".spec.moon": "string", ".kind": "integer"}}
    (found,) = coverage.missing_paths(wanted)
    assert found.missing == (".spec.moon",)
    assert found.different == ((".kind", "integer", "string"),)
    assert found.share == pytest.approx(1 / 3)


@every_kind
def test_the_installed_file_is_fresh(kind: Kind) -> None:
    definition = DEFINITIONS[kind.name]
    file = INSTALL / crds.file_name(definition)
    assert file.read_text() == crds.render(definition), "run make generate"


def test_nothing_else_is_installed() -> None:
    assert {p.name for p in INSTALL.iterdir()} == {crds.file_name(d) for d in DEFINITIONS.values()}


@every_kind
def test_the_file_says_what_the_definition_says(kind: Kind) -> None:
    definition = DEFINITIONS[kind.name]
    assert yaml.load(crds.render(definition), yaml.CSafeLoader) == definition


@every_kind
def test_kubectl_apply_can_take_it(kind: Kind) -> None:
    definition = DEFINITIONS[kind.name]
    assert len(crds.render(definition).encode()) < crds.APPLY_LIMIT
    # Go writes these three signs as six characters each
    last_applied = re.sub("[<>&]", "......", json.dumps(definition, separators=(",", ":")))
    assert len(last_applied) < crds.APPLY_LIMIT


def test_names_are_the_ones_that_people_type() -> None:
    names = [
        (d["metadata"]["name"], *d["spec"]["names"]["shortNames"], *d["spec"]["names"]["categories"])
        for d in crds.all_definitions()
    ]
    assert names == [
        ("kafkas.kafka.strimzi.io", "k", "strimzi"),
        ("kafkaconnects.kafka.strimzi.io", "kc", "strimzi"),
        ("strimzipodsets.core.strimzi.io", "sps", "strimzi"),
        ("kafkatopics.kafka.strimzi.io", "kt", "strimzi"),
        ("kafkausers.kafka.strimzi.io", "ku", "strimzi"),
        ("kafkanodepools.kafka.strimzi.io", "knp", "strimzi"),
        ("kafkabridges.kafka.strimzi.io", "kb", "strimzi"),
        ("kafkaconnectors.kafka.strimzi.io", "kctr", "strimzi"),
        ("kafkamirrormaker2s.kafka.strimzi.io", "kmm2", "strimzi"),
        ("kafkarebalances.kafka.strimzi.io", "kr", "strimzi"),
        ("kafkamirrormakers.kafka.strimzi.io", "kmm", "strimzi"),
    ]


def _columns(kind: str, version: str) -> list[str]:
    versions = DEFINITIONS[kind]["spec"]["versions"]
    return next([c["name"] for c in v["additionalPrinterColumns"]] for v in versions if v["name"] == version)


def test_kubectl_get_kafka_prints_the_columns_of_v1beta2_first() -> None:
    known = ["Desired Kafka replicas", "Desired ZK replicas", "Ready", "Metadata State", "Warnings"]
    assert _columns("Kafka", "v1beta2") == known
    assert _columns("Kafka", "v1") == [*known, "Kafka version", "Metadata version"]


@every_kind
def test_both_versions_are_served_and_one_is_stored(kind: Kind) -> None:
    versions = DEFINITIONS[kind.name]["spec"]["versions"]
    assert [(v["name"], v["served"], v["storage"]) for v in versions] == [
        (name, True, name == "v1beta2") for name in kind.versions
    ]
    assert all("status" in v["subresources"] for v in versions)


def _nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from _nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from _nodes(schema[key], f"{path}[]")


@every_kind
def test_schemas_are_structural(kind: Kind) -> None:
    """Kubernetes refuses a CRD whose nodes have no type, or that requires what is not a property."""
    for version, root in crds.schemas_of(kind).items():
        for path, node in _nodes(root):
            assert "type" in node or node.get("x-kubernetes-int-or-string"), (version, path)
            assert set(node.get("required", ())) <= set(node.get("properties", ())), (version, path)
            assert not ("properties" in node and "additionalProperties" in node), (version, path)
            for check in node.get("x-kubernetes-validations", ()):
                assert set(re.findall(r"self\.(\w+)", check["rule"])) <= set(node["properties"]), (version, path)


def _blocks(block: type[Block], seen: set[type[Block]]) -> set[type[Block]]:
    if block not in seen:
        seen.add(block)
        for known in fields_of(block).values():
            shape = getattr(known.shape, "of", known.shape)
            if isinstance(shape, type) and issubclass(shape, Block):
                _blocks(shape, seen)
    return seen


@every_kind
def test_what_is_said_of_fields_is_sound(kind: Kind) -> None:
    for block in _blocks(kind.type(), set()):
        ours = block.__module__.startswith("klamm.resources.custom")
        for known in fields_of(block).values():
            about, place = known.about, f"{block.__name__}.{known.name}"
            assert not (about.required and about.only), f"{place}: the other version cannot require it"
            if about.form:
                assert re.search(about.form.pattern, about.form.example), place
            if ours and known.name not in ("apiVersion", "kind", "metadata", "medium", "sizeLimit"):
                assert about.text.endswith("."), f"{place} has no description"
