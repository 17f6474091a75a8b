"""Two API versions, one stored form, conversion "None": a write through one version never loses the other's fields.

The API server relabels a stored object and prunes it by the schema of the version it was asked for. Here an object with
every field of both versions goes through both schemas.
"""

from typing import Any

import pytest

from klamm.resources import crds, kinds
from klamm.resources.fields import Field, Items, Leaf, Open, QuantityMap, Shape, TextMap, fields_of
from klamm.resources.kinds import Kind
from klamm.resources.structure import VERSIONS, Block

TWO_VERSIONS = [kind for kind in kinds.ALL if len(kind.versions) == 2]
SCHEMAS = {kind.name: crds.schemas_of(kind) for kind in TWO_VERSIONS}
every_kind = pytest.mark.parametrize("kind", TWO_VERSIONS, ids=lambda kind: kind.name)

_EXAMPLES: dict[Leaf, Any] = {
    Leaf.STRING: "x",
    Leaf.INTEGER: 7,
    Leaf.NUMBER: 0.5,
    Leaf.BOOLEAN: True,
    Leaf.INT_OR_STRING: "1Gi",
}


def with_every_field(block: type[Block], versions: frozenset[str] = frozenset(VERSIONS)) -> dict[str, Any]:
    """An object in which every field of both versions is given; below a field of one version, those of that one."""
    obj = {}
    for known in fields_of(block).values():
        has_it = versions & {known.about.only} if known.about.only else versions
        if has_it:
            obj[known.name] = _example(known.shape, known, has_it)
    return obj


def _example(shape: Shape, known: Field, versions: frozenset[str]) -> Any:
    if isinstance(shape, Items):
        return [_example(shape.of, known, versions), _example(shape.of, known, versions)]
    if isinstance(shape, Leaf):
        return known.about.choices[0] if known.about.choices else _EXAMPLES[shape]
    if isinstance(shape, (TextMap, Open)):
        return {"any.name": "x"}
    if isinstance(shape, QuantityMap):
        return {"cpu": "2"}
    return with_every_field(shape, versions)


def pruned(schema: dict[str, Any], value: Any) -> Any:
    """What a structural schema leaves of a value (Kubernetes' rules of pruning)."""
    if isinstance(value, list):
        return [pruned(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    known, open_map = schema.get("properties", {}), schema.get("additionalProperties")
    kept = {}
    for name, child in value.items():
        if name in known:
            kept[name] = pruned(known[name], child)
        elif open_map is not None:
            kept[name] = pruned(open_map, child)
        elif schema.get(crds.PRESERVE):
            kept[name] = child
    return kept


@every_kind
@pytest.mark.parametrize("version", ["v1beta2", "v1"])
def test_a_write_through_one_version_keeps_all_fields_of_the_other(kind: Kind, version: Any) -> None:
    stored = with_every_field(kind.type()) | {"metadata": {}}
    assert pruned(SCHEMAS[kind.name][version], stored) == stored


def test_without_the_rules_fields_would_be_lost() -> None:
    """The test above can fail: v1's schema alone, with every field closed, drops the whole ZooKeeper ensemble."""
    stored = with_every_field(kinds.KAFKA.type())
    alone = closed(crds._root(kinds.KAFKA.type(), "v1"))
    assert "zookeeper" not in pruned(alone, stored)["spec"]


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the nodes' leave to keep unknown fields."""
    rest = {key: value for key, value in schema.items() if key != crds.PRESERVE}
    if "properties" in rest:
        rest["properties"] = {name: closed(value) for name, value in rest["properties"].items()}
    if "items" in rest:
        rest["items"] = closed(rest["items"])
    return rest


def test_unknown_fields_of_our_blocks_are_kept_for_the_operator_to_answer() -> None:
    stored = {"spec": {"clusterCa": {"validityDays": 1, "moon": 1}}}
    assert pruned(SCHEMAS["Kafka"]["v1beta2"], stored) == stored


def test_unknown_fields_of_native_blocks_are_pruned() -> None:
    affinity = {"nodeAffinity": {}, "moon": 1}
    stored = {"spec": {"kafka": {"template": {"pod": {"affinity": affinity}}}}}
    kept = pruned(SCHEMAS["Kafka"]["v1beta2"], stored)
    assert kept["spec"]["kafka"]["template"]["pod"]["affinity"] == {"nodeAffinity": {}}


@every_kind
def test_one_version_refuses_nothing_that_the_other_takes(kind: Kind) -> None:
    one, other = SCHEMAS[kind.name].values()
    _agree(one, other, kind.name)


def _agree(one: dict[str, Any], other: dict[str, Any], path: str) -> None:
    for key in ("type", "enum", "pattern", "minimum", "maximum", "minItems", "required"):
        assert one.get(key) == other.get(key), f"{path}: {key}"
    for name in one.get("properties", {}).keys() & other.get("properties", {}).keys():
        _agree(one["properties"][name], other["properties"][name], f"{path}.{name}")
    if "items" in one:
        _agree(one["items"], other["items"], f"{path}[]")
