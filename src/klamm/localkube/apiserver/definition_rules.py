"""What a CustomResourceDefinition may say, and what of it may change.

Kubernetes holds what all versions have in common (schema, columns) once, and tells of it there: a definition whose
versions share a schema is wrong in `spec.validation`, another one in `spec.versions[0].schema`.
"""

import re
from collections.abc import Iterator
from typing import Any

from klamm.localkube.apiserver import structural
from klamm.localkube.apiserver.metadata_rules import SERVICE_NAME, SERVICE_RULE
from klamm.localkube.apiserver.statuses import Cause, forbidden_value, invalid_value, required, unsupported
from klamm.localkube.apiserver.value_rules import IMMUTABLE
from klamm.localkube.objects import Object

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_MIXED_CASE = "may have mixed case, but should otherwise match: "


def definition(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    versions = spec.get("versions") or []
    if not spec.get("group"):
        yield required("spec.group")
    yield from _versions(spec, versions)
    yield from _parts_of_versions(versions)
    yield from _names(spec.get("names") or {})
    yield from _stored(versions, (obj.get("status") or {}).get("storedVersions"))
    strategy = (spec.get("conversion") or {}).get("strategy")
    if strategy not in (None, "None"):
        told = 'this server converts with strategy "None" only: it calls no webhooks'
        yield forbidden_value("spec.conversion.strategy", told)


def new_definition(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    wanted = f"{(spec.get('names') or {}).get('plural')}.{spec.get('group')}"
    have = obj["metadata"].get("name", "")
    if have != wanted and have:
        yield invalid_value("metadata.name", have, 'must be spec.names.plural+"."+spec.group')
    yield from definition(obj)


def definition_change(new: Object, old: Object) -> Iterator[Cause]:
    before, after = old["spec"], new["spec"]
    for field in ("group", "scope"):
        if after.get(field) != before.get(field):
            yield invalid_value(f"spec.{field}", after.get(field), IMMUTABLE)
    for field in ("kind", "plural"):
        if after["names"].get(field) != before["names"].get(field):
            yield invalid_value(f"spec.names.{field}", after["names"].get(field), IMMUTABLE)


# Versions and names


def _versions(spec: dict[str, Any], versions: list[dict[str, Any]]) -> Iterator[Cause]:
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        yield unsupported("spec.scope", spec.get("scope"), ("Cluster", "Namespaced"))
    for index, version in enumerate(versions):
        yield from _label(version.get("name", ""), f"spec.versions[{index}].name")
    if versions:
        yield from _label(versions[0].get("name", ""), "spec.version")
    if len({version.get("name") for version in versions}) < len(versions):
        yield invalid_value("spec.versions", _shown(versions), "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        told = "must have exactly one version marked as storage version"
        yield invalid_value("spec.versions", _shown(versions), told)


def _shown(versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As Kubernetes' own type shows them, but for what they have in common."""
    named = ("Deprecated", "deprecated", False), ("DeprecationWarning", "deprecationWarning", None)
    own = ("Schema", "Subresources", "AdditionalPrinterColumns", "SelectableFields")
    return [
        {
            "Name": each.get("name", ""),
            "Served": bool(each.get("served")),
            "Storage": bool(each.get("storage")),
            **{shown: each.get(field, default) for shown, field, default in named},
            **dict.fromkeys(own),
        }
        for each in versions
    ]


def _label(name: str, at: str, prefix: str = "") -> Iterator[Cause]:
    if not SERVICE_NAME.fullmatch(name.lower() if prefix else name):
        yield invalid_value(at, name, prefix + SERVICE_RULE)


def _names(names: dict[str, Any]) -> Iterator[Cause]:
    for field in ("plural", "singular", "kind", "listKind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")
            continue
        yield from _label(names[field], f"spec.names.{field}", _MIXED_CASE if field.endswith("ind") else "")
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield invalid_value("spec.names.listKind", names["listKind"], "kind and listKind may not be the same")
    for field in ("shortNames", "categories"):
        for index, name in enumerate(names.get(field) or ()):
            yield from _label(name, f"spec.names.{field}[{index}]")


def _stored(versions: list[dict[str, Any]], stored: list[str] | None) -> Iterator[Cause]:
    at = "status.storedVersions"
    if not stored:
        yield invalid_value(at, None, "must have at least one stored version")
        return
    names = {version.get("name") for version in versions}
    for index, name in enumerate(stored):
        if name not in names:
            told = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and "
                f"removes {name} from {at}"
            )
            yield invalid_value(f"{at}[{index}]", name, told)
    for version in versions:
        if version.get("storage") and version.get("name") not in stored:
            yield invalid_value(at, stored, f"must have the storage version {version.get('name')}")


# Schemas and columns


def _parts_of_versions(versions: list[dict[str, Any]]) -> Iterator[Cause]:
    parts = ("schema", "additionalPrinterColumns")
    shared = {part: all(each.get(part) == versions[0].get(part) for each in versions) for part in parts}
    for index, version in enumerate(versions):
        own = f"spec.versions[{index}]"
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            yield required(f"{own}.schema.openAPIV3Schema")
        elif not (shared["schema"] and index):
            where = "spec.validation" if shared["schema"] else f"{own}.schema"
            yield from _schema(schema, f"{where}.openAPIV3Schema", "at the root")
        if not (shared["additionalPrinterColumns"] and index):
            where = "spec" if shared["additionalPrinterColumns"] else own
            yield from _columns(version.get("additionalPrinterColumns") or [], f"{where}.additionalPrinterColumns")


def _columns(columns: list[dict[str, Any]], at: str) -> Iterator[Cause]:
    for index, column in enumerate(columns):
        place = f"{at}[{index}]"
        if not column.get("name"):
            yield required(f"{place}.name")
        if not column.get("type"):
            yield required(f"{place}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
        elif column["type"] not in _COLUMN_TYPES:
            yield invalid_value(f"{place}.type", column["type"], f"must be one of {','.join(_COLUMN_TYPES)}")
        if not column.get("jsonPath"):
            yield required(f"{place}.JSONPath")


def _schema(schema: dict[str, Any], at: str, where: str) -> Iterator[Cause]:
    sort = schema.get("type", "")
    free = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-int-or-string")
    if not sort and (where == "at the root" or not free):
        yield required(f"{at}.type", f"must not be empty {where}")
    elif sort and sort not in _TYPES:
        yield unsupported(f"{at}.type", sort, _TYPES)
    if sort == "array" and not schema.get("items"):
        yield required(f"{at}.items", "must be specified")
    if schema.get("properties") and schema.get("additionalProperties"):
        told = "additionalProperties and properties are mutual exclusive"
        yield forbidden_value(f"{at}.additionalProperties", told)
    yield from _list_keys(schema, at)
    yield from _values(schema, at)
    for name, part in sorted((schema.get("properties") or {}).items()):
        yield from _schema(part, f"{at}.properties[{name}]", "for specified object fields")
    if isinstance(schema.get("items"), dict):
        yield from _schema(schema["items"], f"{at}.items", "for specified array items")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _schema(schema["additionalProperties"], f"{at}.additionalProperties", "for specified object fields")


def _list_keys(schema: dict[str, Any], at: str) -> Iterator[Cause]:
    if schema.get("x-kubernetes-list-type") != "map":
        return
    keys = schema.get("x-kubernetes-list-map-keys")
    if not keys:
        yield required(f"{at}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")
    items = schema.get("items") or {}
    for key in keys or ():
        part = (items.get("properties") or {}).get(key)
        if part is not None and key not in (items.get("required") or ()) and "default" not in part:
            told = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield required(f"{at}.items.properties[{key}].default", told)


def _values(schema: dict[str, Any], at: str) -> Iterator[Cause]:
    """The default must be one, and the pattern a pattern."""
    if schema.get("default") is not None:
        for wrong in structural.violations(schema["default"], schema):
            yield Cause(wrong.reason, f"{at}.default", wrong.message.replace("<nil>", ""))
    try:
        re.compile(schema.get("pattern") or "")
    except re.error as error:
        told = f"must be a valid regular expression, but isn't: {error}"
        yield invalid_value(f"{at}.pattern", schema["pattern"], told)
