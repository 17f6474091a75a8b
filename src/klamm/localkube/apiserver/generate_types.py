"""Makes types.json.gz: the native kinds' fields, list types, merge keys and discovery entries, as bare facts.

Run by hand when the served Kubernetes version changes:
`python -m klamm.localkube.apiserver.generate_types FOLDER <k8s.io/api> <k8s.io/apimachinery>`
where FOLDER holds the server's documents (`python -m tests.kubernetes.documents FOLDER` writes it) and the others are
those of Go modules (`go mod download -json k8s.io/api@vX` names one). Names, types, defaults, enumerations and
x-kubernetes extensions are kept; descriptions are dropped. Of the Go types one fact is added: which fields are
serialized although nobody set them, and which are not when they are zero (`schema.ZEROS`, `schema.DROPPED`).
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from klamm.localkube.apiserver.generate_messages import Module, go_types
from klamm.localkube.apiserver.schema import DROPPED, MICRO, ZEROS

SERVED: dict[str, frozenset[str]] = {
    "v1": frozenset(
        [
            "bindings",
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "namespaces",
            "nodes",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "podtemplates",
            "replicationcontrollers",
            "resourcequotas",
            "secrets",
            "serviceaccounts",
            "services",
        ]
    ),
    "apps/v1": frozenset(["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]),
    "events.k8s.io/v1": frozenset(["events"]),
    "authentication.k8s.io/v1": frozenset(["selfsubjectreviews", "tokenreviews"]),
    "authorization.k8s.io/v1": frozenset(
        ["localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"]
    ),
    "autoscaling/v2": frozenset(["horizontalpodautoscalers"]),
    "batch/v1": frozenset(["cronjobs", "jobs"]),
    "networking.k8s.io/v1": frozenset(["ingressclasses", "ingresses", "networkpolicies"]),
    "policy/v1": frozenset(["poddisruptionbudgets"]),
    "rbac.authorization.k8s.io/v1": frozenset(["clusterrolebindings", "clusterroles", "rolebindings", "roles"]),
    "storage.k8s.io/v1": frozenset(["csidrivers", "csinodes", "storageclasses", "volumeattachments"]),
    "apiextensions.k8s.io/v1": frozenset(["customresourcedefinitions"]),
    "scheduling.k8s.io/v1": frozenset(["priorityclasses"]),
    "coordination.k8s.io/v1": frozenset(["leases"]),
    "discovery.k8s.io/v1": frozenset(["endpointslices"]),
}
EXTRA_TYPES = (
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
    "io.k8s.api.autoscaling.v1.Scale",
    "io.k8s.api.policy.v1.Eviction",
    "io.k8s.api.authentication.v1.TokenRequest",
)


def group_version_file(group_version: str, start: str = "apis") -> str:
    if "/" not in group_version:
        return f"api__{group_version}"
    return f"{start}__{group_version.replace('/', '__')}"


def without_text(schema: Any) -> Any:
    """The schema without what is meant for people; `properties` may hold a field named description."""
    if isinstance(schema, list):
        return [without_text(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for name, value in schema.items():
        if name == "properties":
            kept[name] = {field: without_text(of) for field, of in value.items()}
        elif name not in ("description", "title", "externalDocs"):
            kept[name] = without_text(value)
    return kept


def references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*(references(each) for each in schema))
    if not isinstance(schema, dict):
        return set()
    found = set().union(*(references(value) for value in schema.values()))
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found.add(reference.rsplit("/", 1)[1])
    return found


def reachable(roots: set[str], types: dict[str, Any]) -> set[str]:
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += references(types[name]) - seen
    return seen


def served_resources(api: Path, group_version: str) -> list[dict[str, Any]]:
    text = (api / "discovery" / f"{group_version_file(group_version)}.json").read_text()
    resources = json.loads(text)["resources"]
    names = SERVED[group_version]
    return [entry for entry in resources if entry["name"].split("/")[0] in names]


def root_types(resources: list[dict[str, Any]], group_version: str, types: dict[str, Any]) -> set[str]:
    """The types of the kinds and of their lists."""
    group, _, version = group_version.rpartition("/")
    wanted = {entry["kind"] for entry in resources}
    wanted |= {f"{kind}List" for kind in wanted}
    found = set()
    for name, schema in types.items():
        for gvk in schema.get("x-kubernetes-group-version-kind", ()):
            if (gvk["group"], gvk["version"]) == (group, version) and gvk["kind"] in wanted:
                found.add(name)
    return found


def generate(api: Path) -> dict[str, Any]:
    types: dict[str, Any] = {}
    discovery: dict[str, Any] = {}
    roots: set[str] = set(EXTRA_TYPES)
    for group_version in SERVED:
        path = api / "openapi-spec" / "v3" / f"{group_version_file(group_version)}_openapi.json"
        schemas = json.loads(path.read_text())["components"]["schemas"]
        types.update(schemas)
        discovery[group_version] = served_resources(api, group_version)
        roots |= root_types(discovery[group_version], group_version, schemas)
    names = sorted(reachable(roots, types))
    return {"discovery": discovery, "types": {name: without_text(types[name]) for name in names}}


_TIMES = frozenset(["meta/v1.Time", "meta/v1.MicroTime"])
_NUMBERS = frozenset(["int", "int32", "int64", "uint32", "float64"])


def zeros_of(type_name: str, module: Module) -> dict[str, Any]:
    """Fields that are there with their zero value: those without omitempty, and times, which omitempty leaves null."""
    *_, package, version, name = type_name.split(".")
    found: dict[str, Any] = {}
    for field, kind, omitted in module.structs.get(f"{package}/{version}.{name}", {}).values():
        resolved = module.resolve(kind)
        if resolved in _TIMES and (package, field) != ("meta", "creationTimestamp"):
            found[field] = None
        elif omitted or not field:
            continue
        elif resolved in _NUMBERS:
            found[field] = 0
        elif resolved in ("string", "bool"):
            found[field] = "" if resolved == "string" else False
        elif resolved.startswith(("[]", "map[", "*")):
            found[field] = None
    return found


def dropped_of(type_name: str, module: Module) -> list[str]:
    """Fields whose zero value is never serialized: scalars with omitempty that are no pointers."""
    *_, package, version, name = type_name.split(".")
    fields = module.structs.get(f"{package}/{version}.{name}", {}).values()
    scalars = (*_NUMBERS, "string", "bool")
    return sorted(field for field, kind, omitted in fields if omitted and module.resolve(kind) in scalars)


def main() -> None:
    table = generate(Path(sys.argv[1]))
    module = go_types(Path(sys.argv[2]), Path(sys.argv[3]))
    table["types"]["io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"][MICRO] = True
    for name, schema in table["types"].items():
        zeros = zeros_of(name, module)
        if zeros:
            schema[ZEROS] = zeros
        dropped = dropped_of(name, module)
        if dropped:
            schema[DROPPED] = dropped
    target = Path(__file__).with_name("types.json.gz")
    data = json.dumps(table, separators=(",", ":"), sort_keys=True).encode()
    target.write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{target.name}: {len(table['types'])} types, {len(data)} bytes, {target.stat().st_size} packed")


if __name__ == "__main__":
    main()
