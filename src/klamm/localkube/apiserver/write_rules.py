"""The pure half of the registry's rules: what of a received object counts, and what a write changed."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from klamm.localkube.apiserver import ownership, statuses, validation
from klamm.localkube.apiserver.field_sets import FieldSet
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.schema import Node
from klamm.localkube.apiserver.storage import Stored
from klamm.localkube.objects import NAMESPACES, PODS, Object

GENERATION = frozenset(
    [
        "Deployment",
        "DaemonSet",
        "ReplicaSet",
        "StatefulSet",
        "Pod",
        "Job",
        "CronJob",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "Ingress",
        "IngressClass",
        "CustomResourceDefinition",
        "EndpointSlice",
        "PriorityClass",
        "ReplicationController",
    ]
)


@dataclass(slots=True)
class WriteOptions:
    """What a client says beside the object."""

    manager: str = "unknown"
    subresource: str = ""
    dry_run: bool = False
    field_validation: str = "Ignore"
    force: bool = False
    unconditional: bool = False
    """In-process and patch writes may leave resourceVersion out even where HTTP's PUT may not."""
    warnings: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    order: dict[str, int] = field(default_factory=dict)
    """Where a field stands in the body, by its path; kept only when fields come twice."""


@dataclass(frozen=True, slots=True)
class Written:
    object: Object
    created: bool = False


def cannot_handle(kind: Kind) -> str:
    resource = kind.resource
    return f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'


def said_metadata(obj: Object) -> Object:
    """What an object that has not its type's form yet says of itself, as far as it is a mapping."""
    metadata = obj.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def check_type(kind: Kind, obj: Object, options: WriteOptions) -> None:
    wanted = kind.resource
    if kind.custom and not options.unconditional and not obj.get("apiVersion"):
        obj["apiVersion"] = ""  # of a native object the path tells it
    if obj.setdefault("apiVersion", wanted.api_version) != wanted.api_version:
        raise statuses.bad_request(
            f"the API version in the data ({obj['apiVersion']}) does not match the expected API version "
            f"({wanted.api_version})"
        )
    if obj.setdefault("kind", wanted.kind) != wanted.kind:
        name = said_metadata(obj).get("name")
        if kind.custom and name:
            cause = statuses.invalid_value("kind", obj["kind"], f"must be {wanted.kind}")
            raise statuses.invalid(wanted.group, obj["kind"], name, [cause])
        raise statuses.bad_request(
            f'{obj["kind"]} in version "{wanted.version}" cannot be handled as a {wanted.kind}: '
            f"the kind in the data does not match the expected kind"
        )


def check_given_namespace(metadata: dict[str, Any], namespace: str | None) -> None:
    """What the object says must be what the URL says; it may leave it out."""
    if metadata.setdefault("namespace", namespace) != namespace:
        raise statuses.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def check_given_name(metadata: dict[str, Any], name: str) -> None:
    given = metadata.setdefault("name", name)
    if given != name:
        raise statuses.bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")


def check_same(kind: Kind, stored: Stored, old: Object, new: Object, options: WriteOptions) -> None:
    """Whether `new` may replace `old`: name, uid and resourceVersion, as far as it says them."""
    metadata, name = new["metadata"], stored.name
    check_given_name(metadata, name)
    if kind.resource.namespaced:
        check_given_namespace(metadata, stored.namespace)
    uid = metadata.get("uid")
    if uid and uid != old["metadata"]["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
        raise statuses.conflict(kind.resource, name, why)
    version = metadata.get("resourceVersion")
    if version and version != str(stored.version):
        raise statuses.conflict(kind.resource, name, statuses.MODIFIED)
    if not version and not options.unconditional and validation.needs_version(kind):
        cause = statuses.invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
        raise statuses.invalid(kind.resource.group, kind.resource.plural, name, [cause])


def tell_unknown(kind: Kind, unknown: list[str], options: WriteOptions) -> None:
    if options.field_validation == "Ignore":
        return
    told = [("duplicate", path) for path in options.duplicates] + [("unknown", path) for path in unknown]
    told.sort(key=lambda one: options.order.get(one[1], 0))
    texts = [f'{sort} field "{path}"' for sort, path in told]
    if texts and options.field_validation == "Strict":
        raise statuses.bad_request(f"{cannot_handle(kind)}: strict decoding error: {', '.join(texts)}")
    options.warnings += texts


def ignored_fields(kind: Kind, subresource: str) -> FieldSet:
    """What writes to this endpoint do not touch and so do not own."""
    if subresource == "status":
        return {("f:spec",)} if not kind.custom else {("f:spec",), ("f:metadata",)}
    return {("f:status",)} if kind.has_status else set()


def _with_part(old: Object, new: Object, subresource: str, kind: Kind) -> Object:
    """The old object with only the subresource's part taken from the new one."""
    combined = {**old, "metadata": dict(old["metadata"])}
    if "managedFields" in new["metadata"]:
        combined["metadata"]["managedFields"] = new["metadata"]["managedFields"]
    if subresource == "finalize":
        rest = {name: value for name, value in (old.get("spec") or {}).items() if name != "finalizers"}
        finalizers = (new.get("spec") or {}).get("finalizers")
        combined["spec"] = {**rest, **({"finalizers": finalizers} if finalizers else {})}
        return combined
    if "status" in new:
        combined["status"] = new["status"]
    else:
        combined.pop("status", None)
    return combined


OWNED_BY_NOBODY = ("finalize", "eviction")
"""Subresources that write their part (finalizers, status) and leave managedFields as they are."""


def combined(kind: Kind, old: Object, new: Object, subresource: str) -> Object:
    """What of the new object counts: everything but status, or only status, and never what the server keeps."""
    if subresource in ("status", *OWNED_BY_NOBODY):
        return _with_part(old, new, subresource, kind)
    result = dict(new)
    if kind.has_status:
        result.pop("status", None)
        if "status" in old:
            result["status"] = old["status"]
    metadata = dict(new["metadata"])
    for name in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        metadata.pop(name, None)
        if name in old["metadata"]:
            metadata[name] = old["metadata"][name]
    metadata.pop("selfLink", None)
    result["metadata"] = metadata
    if kind.resource == NAMESPACES:
        # Only the finalize subresource ends them: a replaced namespace must still be emptied before it goes.
        result["spec"] = {**(new.get("spec") or {}), **(old.get("spec") or {})}
    return result


def spec_changed(kind: Kind, old: Object, new: Object) -> bool:
    if kind.custom:
        parts = ("metadata", "status", "apiVersion") if kind.has_status else ("metadata", "apiVersion")
        return {**old, **dict.fromkeys(parts)} != {**new, **dict.fromkeys(parts)}
    if kind.resource == PODS:
        return {**old["spec"], "nodeName": None} != {**new["spec"], "nodeName": None}  # a binding is no new wish
    if kind.resource.kind == "EndpointSlice":
        return {**old, "metadata": None} != {**new, "metadata": None}
    if kind.resource.kind == "Deployment" and _annotations(old) != _annotations(new):
        return True  # they are copied to its ReplicaSets, which its controller must hear of
    return kind.resource.kind in GENERATION and old.get("spec") != new.get("spec")


def _annotations(obj: Object) -> Object:
    """Without the one that its controller notes the revision in: Kubernetes' does so with the status."""
    found = obj["metadata"].get("annotations") or {}
    return {name: value for name, value in found.items() if name != "deployment.kubernetes.io/revision"}


def same_but_for_times(old: Object, new: Object) -> bool:
    """Equal when the times in managedFields are looked away from."""
    if {**old, "metadata": None} != {**new, "metadata": None}:
        return False
    return _timeless(old["metadata"]) == _timeless(new["metadata"])


def _timeless(metadata: dict[str, Any]) -> dict[str, Any]:
    listed = [{**entry, "time": None} for entry in metadata.get("managedFields") or ()]
    return {**metadata, "managedFields": listed}


def note_applied(obj: Object, config: Object) -> None:
    """Keeps client-side apply's annotation in step, so that one may go back to it."""
    annotations = dict(obj["metadata"].get("annotations") or {})
    metadata = {name: value for name, value in config["metadata"].items() if name != "managedFields"}
    said = {**config, "metadata": metadata}
    annotations[ownership.LAST_APPLIED] = msgspec.json.encode(said, order="sorted").decode() + "\n"
    obj["metadata"]["annotations"] = annotations


def _says_nothing(value: Any, field: Node | None) -> bool:
    if field is None:
        return False
    return value in (None, {}, [])


def only_said(shaped: Any, said: Any, node: Node) -> Any:
    """An applied configuration without the empty structs that shaping adds: an applier owns only what it says."""
    if isinstance(shaped, dict) and isinstance(said, dict):
        kept = {name: only_said(value, said[name], node.child(name)) for name, value in shaped.items() if name in said}
        # Nothing, said, is owned as well, although no object keeps it.
        return kept | {
            name: value
            for name, value in said.items()
            if name not in kept and (_says_nothing(value, node.field(name)) or (name in node.dropped and not value))
        }
    if isinstance(shaped, list) and isinstance(said, list) and len(shaped) == len(said):
        return [only_said(value, of, node.items) for value, of in zip(shaped, said, strict=True)]
    return shaped
