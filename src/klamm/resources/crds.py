"""CustomResourceDefinitions, made from the Structs of `resources.custom`.

Both API versions are served from one stored form with conversion "None": an object that was written through one
version is relabelled when it is read or written through the other, and then **pruned** by that version's schema. A
field that only one version has would be lost by any write through the other (labelling a ZooKeeper cluster through
v1 was seen to empty its spec). So three rules hold, and `tests/unit/resources/test_no_loss.py` holds them:

1. Where the properties of a node differ between the versions, both have `x-kubernetes-preserve-unknown-fields` there.
2. Nothing is `required` that the other version lacks, and no range, pattern or list of values refuses what is legal
   in the other: these come from one `About` for both versions. The operator checks the rest.
3. Native sub-objects (affinity, security contexts, …) are the same in both versions.
4. Our own blocks of a spec keep unknown fields, too: the operator answers them with a Warning that names the field and
   a similar one, which pruning would leave nobody to tell.

Maps of strings are open in v1beta2 and typed in v1, as Strimzi has them. So `UseG1GC: true` without quotes, fine in
v1beta2, would be refused in a write through v1; Kubernetes from 1.30 on does not look at values that a write leaves as
they were ("ratcheting validation").

Files are small enough for `kubectl apply`, which keeps a copy of the object in an annotation (262 144 bytes at
most): native sub-fields have no descriptions, and `render` writes what fits on a line on one line.
"""

import json
from typing import Any

from klamm.resources import kinds
from klamm.resources.custom.status import Status
from klamm.resources.fields import (
    Field,
    Items,
    Leaf,
    Open,
    QuantityMap,
    Shape,
    TextMap,
    fields_in,
)
from klamm.resources.kinds import Kind
from klamm.resources.structure import About, Block, Rule, Version

Schema = dict[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
STORED: Version = "v1beta2"


def all_definitions() -> list[Schema]:
    """One CustomResourceDefinition for each custom kind, in the order in which they are applied."""
    return [definition(kind) for kind in kinds.ALL]


def definition(kind: Kind) -> Schema:
    """The CustomResourceDefinition of a kind."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": kind.crd_name,
            "labels": {"app": "strimzi", "strimzi.io/crd-install": "true"},
        },
        "spec": {
            "group": kind.group,
            "names": _names(kind),
            "scope": "Namespaced",
            "conversion": {"strategy": "None"},
            "versions": _versions(kind),
        },
    }


def file_name(definition: Schema) -> str:
    """The file of a definition in `install/crds/`."""
    return f"{definition['metadata']['name']}.yaml"


def _names(kind: Kind) -> Schema:
    return {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "singular": kind.name.lower(),
        "plural": kind.plural,
        "shortNames": [kind.short_name],
        "categories": ["strimzi"],
    }


def _versions(kind: Kind) -> list[Schema]:
    schemas = schemas_of(kind)
    return [
        {
            "name": version,
            "served": True,
            "storage": version == STORED,
            "subresources": _subresources(kind),
            "additionalPrinterColumns": _columns(kind, version),
            "schema": {"openAPIV3Schema": schemas[version]},
        }
        for version in kind.versions
    ]


def _subresources(kind: Kind) -> Schema:
    if kind.scale is None:
        return {"status": {}}
    scale = {"specReplicasPath": kind.scale.wanted, "statusReplicasPath": kind.scale.found}
    if kind.scale.selector is not None:
        scale["labelSelectorPath"] = kind.scale.selector
    return {"status": {}, "scale": scale}


def _columns(kind: Kind, version: Version) -> list[Schema]:
    columns = []
    for column in kind.columns_in(version):
        entry = {
            "name": column.name,
            "description": column.about,
            "jsonPath": column.path,
            "type": column.type,
        }
        columns.append(entry | ({"priority": column.priority} if column.priority else {}))
    return columns


def schemas_of(kind: Kind) -> dict[Version, Schema]:
    """The OpenAPI schema of each API version of a kind, in agreement with each other (rules 1 to 3)."""
    schemas = {version: _root(kind.type(), version) for version in kind.versions}
    if len(schemas) == 2:
        _keep_what_the_other_has(schemas["v1beta2"], schemas["v1"])
    return schemas


def _root(block: type[Block], version: Version) -> Schema:
    schema = _of_block(block, version)
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def _keep_what_the_other_has(one: Schema, other: Schema) -> None:
    """Rule 1, in place."""
    mine, theirs = one.get("properties", {}), other.get("properties", {})
    if mine.keys() != theirs.keys():
        one[PRESERVE] = other[PRESERVE] = True
    for name in mine.keys() & theirs.keys():
        _keep_what_the_other_has(mine[name], theirs[name])
    if "items" in one and "items" in other:
        _keep_what_the_other_has(one["items"], other["items"])


def _of_block(block: type[Block], version: Version) -> Schema:
    fields = list(fields_in(block, version))
    schema: Schema = {"type": "object", "properties": {f.name: _of_field(f, version) for f in fields}}
    required = [f.name for f in fields if f.about.required]
    if required:
        schema["required"] = required
    if _is_of_a_spec(block):
        schema[PRESERVE] = True
    checks: tuple[Rule, ...] = getattr(block, "checks", ())
    rules = [{"rule": check.rule, "message": check.message} for check in checks if check.only in (None, version)]
    if rules:
        schema["x-kubernetes-validations"] = rules
    return schema


def _is_of_a_spec(block: type[Block]) -> bool:
    """Rule 4: a block of ours that is neither the whole resource nor its status."""
    is_resource = "api_version" in block.__struct_fields__
    return block.__module__.startswith("klamm.resources.custom.") and not is_resource and not issubclass(block, Status)


def _of_field(field: Field, version: Version) -> Schema:
    schema = _of_shape(field.shape, version)
    about = field.about
    target = schema["items"] if isinstance(field.shape, Items) else schema
    target.update(_limits(about))
    if about.at_least is not None:
        schema["minItems"] = about.at_least
    if about.text:
        schema["description"] = about.text
    return schema


def _of_shape(shape: Shape, version: Version) -> Schema:
    if isinstance(shape, Items):
        return {"type": "array", "items": _of_shape(shape.of, version)}
    if shape is Leaf.INT_OR_STRING:
        return {"x-kubernetes-int-or-string": True}
    if isinstance(shape, Leaf):
        return {"type": str(shape)}
    if isinstance(shape, (Open, TextMap, QuantityMap)):
        return {"type": "object"} | _values(shape, version)
    return _of_block(shape, version)


def _values(shape: Open | TextMap | QuantityMap, version: Version) -> Schema:
    """What a map holds. v1beta2 leaves every map open (Strimzi 0.38), v1 names the type of the values."""
    if version == "v1beta2" or isinstance(shape, Open):
        return {PRESERVE: True}
    if isinstance(shape, TextMap):
        return {"additionalProperties": {"type": "string"}}
    return {"additionalProperties": {"x-kubernetes-int-or-string": True}}


def _limits(about: About) -> Schema:
    limits: Schema = {}
    if about.minimum is not None:
        limits["minimum"] = about.minimum
    if about.maximum is not None:
        limits["maximum"] = about.maximum
    if about.form is not None:
        limits["pattern"] = about.form.pattern
    if about.choices:
        limits["enum"] = list(about.choices)
    return limits


HEADER = "# Generated from src/klamm/resources/custom by make generate; do not edit.\n"
APPLY_LIMIT = 262_144
"""The most bytes that the annotations of an object may have, one of which is `kubectl apply`'s copy of the object."""
_FILE_LIMIT = APPLY_LIMIT - 8_192
_WIDTHS = (160, 400, 800, 1600)


def render(definition: Schema) -> str:
    """YAML of a definition; a node that fits into the line width stands on one line, indentation is one space.

    The width is the smallest that keeps the file under the limit: deep nodes cost more in spaces than in words.
    """
    texts = (_text(definition, width) for width in _WIDTHS)
    return next((text for text in texts if len(text.encode()) < _FILE_LIMIT), _text(definition, _WIDTHS[-1]))


def _text(definition: Schema, width: int) -> str:
    written = _written(definition, width)
    lines = [written] if isinstance(written, str) else written
    return HEADER + "\n".join(lines) + "\n"


def _written(value: Any, width: int) -> str | list[str]:
    """A value as one line, or as several when it does not fit. Bottom-up, so that nothing is written twice."""
    if isinstance(value, dict):
        entries = [(_key(key), _written(child, width)) for key, child in value.items()]
        flat = [f"{key}: {child}" for key, child in entries if isinstance(child, str)]
        return _one_line("{", flat, "}", len(entries), width) or _mapping_lines(entries)
    if isinstance(value, list):
        items = [_written(child, width) for child in value]
        flat = [child for child in items if isinstance(child, str)]
        return _one_line("[", flat, "]", len(items), width) or _list_lines(items)
    if isinstance(value, str) and _is_plain(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _one_line(start: str, parts: list[str], end: str, wanted: int, width: int) -> str | None:
    """Flow style (JSON is YAML), when all parts are one line and they fit."""
    if len(parts) < wanted or sum(len(part) + 2 for part in parts) > width:
        return None
    return f"{start}{', '.join(parts)}{end}"


def _mapping_lines(entries: list[tuple[str, str | list[str]]]) -> list[str]:
    lines: list[str] = []
    for key, child in entries:
        lines += [f"{key}: {child}"] if isinstance(child, str) else [f"{key}:", *(f" {line}" for line in child)]
    return lines


def _list_lines(items: list[str | list[str]]) -> list[str]:
    lines: list[str] = []
    for child in items:
        first, *rest = [child] if isinstance(child, str) else child
        lines += [f"- {first}", *(f"  {line}" for line in rest)]
    return lines


def _key(key: str) -> str:
    return key if _is_plain(key.replace("-", "_")) and key[0] != "-" else json.dumps(key)


def _is_plain(word: str) -> bool:
    """Whether every YAML parser, 1.1 or 1.2, takes the bare word for a string."""
    return word.isidentifier() and word.isascii() and word.lower() not in _YAML_WORDS


_YAML_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"})
