"""Objects as other people want to see them: Tables (what `kubectl get` prints) and metadata only."""

from datetime import datetime
from typing import Any

from klamm.localkube.apiserver import jsonpath
from klamm.localkube.apiserver.cell_texts import age
from klamm.localkube.apiserver.kinds import Column, Kind
from klamm.localkube.apiserver.native_columns import native
from klamm.localkube.apiserver.workload_cells import pod_conditions
from klamm.localkube.objects import PODS, Object

_NAME = Column("Name", format="name", description="Name of the object within its namespace.")


def columns_of(kind: Kind) -> tuple[Column, ...]:
    if kind.custom:
        return (_NAME, *kind.columns)
    return native(kind.storage_key)[0]


def definitions(kind: Kind) -> list[Object]:
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description or f"{column.name} of the {kind.resource.kind}.",
            "priority": column.priority,
        }
        for column in columns_of(kind)
    ]


def cells_of(kind: Kind, obj: Object, now: datetime) -> list[Any]:
    if not kind.custom:
        return native(kind.storage_key)[1](obj, now)
    return [obj["metadata"].get("name", ""), *(_custom_cell(column, obj, now) for column in kind.columns)]


def _custom_cell(column: Column, obj: Object, now: datetime) -> Any:
    """Of several values that a path finds, the first counts."""
    found = jsonpath.find(column.path, obj)
    if not found:
        return None
    value = found[0]
    if column.type == "date":
        return age(value, now) if isinstance(value, str) else "<unknown>"
    if column.type == "string":
        return _text(value)
    if column.type == "integer":
        return int(value) if isinstance(value, int | float) else None
    if column.type == "number":
        return value if isinstance(value, int | float) else None
    return value if isinstance(value, bool) else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        import json

        return json.dumps(value, separators=(",", ":"))
    return "" if value is None else str(value)


def partial_metadata(obj: Object, api_version: str = "meta.k8s.io/v1") -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": obj["metadata"]}


def row(kind: Kind, obj: Object, now: datetime, include: str, api_version: str) -> Object:
    """`include` is includeObject: None, Metadata or Object."""
    made: Object = {"cells": cells_of(kind, obj, now)}
    if kind.resource == PODS and (conditions := pod_conditions(obj)):
        made["conditions"] = conditions
    if include == "None":
        return {**made, "object": None}
    made["object"] = obj if include == "Object" else partial_metadata(obj, api_version)
    return made


def table(kind: Kind, rows: list[Object], metadata: Object, api_version: str = "meta.k8s.io/v1") -> Object:
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": metadata,
        "columnDefinitions": definitions(kind),
        "rows": rows,
    }
