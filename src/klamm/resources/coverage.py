"""Which paths of Strimzi's CRDs ours have.

A path is written `.spec.kafka.listeners[].port`; `.` is the whole object, `{}` the values of an open map.
Strimzi's paths come from outside, as a map of `tag|crd|version` to path and OpenAPI type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from klamm.resources import crds, kinds


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of one of Strimzi's schemas is there. `different` are paths with another type: (path, theirs, ours)."""

    crd: str
    version: str
    wanted: int
    missing: tuple[str, ...]
    different: tuple[tuple[str, str, str], ...]

    @property
    def share(self) -> float:
        return 1.0 if not self.wanted else 1 - (len(self.missing) + len(self.different)) / self.wanted


def missing_paths(wanted: Mapping[str, Mapping[str, str]]) -> list[Coverage]:
    """The coverage of each schema in `wanted` (keys `tag|crd|version`, values path → type) that we serve."""
    ours: dict[tuple[str, str], kinds.Kind] = {(kind.crd_name, v): kind for kind in kinds.ALL for v in kind.versions}
    found = []
    for key, paths in wanted.items():
        _, crd, version = key.split("|")
        kind = ours.get((crd, version))
        if kind is None:
            found.append(Coverage(crd, version, len(paths), tuple(paths), ()))
        else:
            schema = next(s for v, s in crds.schemas_of(kind).items() if v == version)
            found.append(_compare(crd, version, paths, types_by_path(schema)))
    return found


def _compare(crd: str, version: str, wanted: Mapping[str, str], ours: Mapping[str, str]) -> Coverage:
    missing = tuple(path for path in wanted if path not in ours)
    different = tuple(
        (path, theirs, ours[path]) for path, theirs in wanted.items() if path in ours and theirs != ours[path]
    )
    return Coverage(crd, version, len(wanted), missing, different)


def types_by_path(schema: Mapping[str, Any]) -> dict[str, str]:
    """Every path of a schema with its type."""
    return dict(_walk("", schema))


def _walk(path: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield path or ".", _type(schema)
    for name, child in schema.get("properties", {}).items():
        yield from _walk(f"{path}.{name}", child)
    if "items" in schema:
        yield from _walk(f"{path}[]", schema["items"])
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _walk(f"{path}{{}}", schema["additionalProperties"])


def _type(schema: Mapping[str, Any]) -> str:
    if schema.get("x-kubernetes-int-or-string") or "anyOf" in schema:
        return "int-or-string"
    return str(schema.get("type", "any"))
