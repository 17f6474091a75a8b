"""Requests to the Kubernetes API as complete values. Nothing is sent here, so each rule can be tested as a table.

`idempotent` says whether the same request may be sent again when nobody knows if the first one arrived. Reads are,
so is server-side apply (the same intent twice is the intent), and deletion bound to a uid. A create, a replace and a
delete by name alone are not: the second could meet an object that somebody made in between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from klamm.kube.kinds import Kind, Name, T, as_json

Labels = Mapping[str, str] | str | None
"""{"strimzi.io/cluster": "my-cluster"}, or a selector in Kubernetes' own notation, or all."""

Propagation = Literal["Background", "Foreground", "Orphan"]

Query = tuple[tuple[str, str], ...]

JSON = "application/json"
_METADATA = "application/json;as={kind};g=meta.k8s.io;v=v1"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
# YAML is the only form in which a server takes an apply, and JSON is YAML.
APPLY_PATCH = "application/apply-patch+yaml"

# A server refuses managedFields in an apply; a resourceVersion would turn the intent into a compare-and-swap.
_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"})

TIMEOUT = 30.0
"""Seconds for one answer. kube-apiserver itself gives up after 60; a pass has better things to wait for."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    doing: str
    """For messages: "apply ConfigMap kafka/my-cluster-kafka-0"."""
    query: Query = ()
    body: bytes | None = field(default=None, repr=False)
    content_type: str = JSON
    idempotent: bool = False
    timeout: float = TIMEOUT
    """Seconds for the whole answer; of a stream, for its next piece."""
    accept: str = JSON

    @property
    def target(self) -> str:
        """Path and query as they go over the wire."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def get(kind: Kind[T], name: Name) -> Request:
    return Request("GET", kind.path(*name), f"read {kind} {name}", idempotent=True)


def list_page(
    kind: Kind[T], namespace: str | None, labels: Labels, limit: int, after: str = "", fields: str = ""
) -> Request:
    """One page of the newest state; `after` is the token that the page before gave."""
    query = _query(
        labelSelector=selector(labels),
        fieldSelector=fields,
        limit=str(limit) if limit else "",
        **{"continue": after},
    )
    accept = _METADATA.format(kind="PartialObjectMetadataList") if kind.metadata_only else JSON
    doing = f"list {_where(kind, namespace)}"
    return Request("GET", kind.path(namespace), doing, query, idempotent=True, accept=accept)


def watch(
    kind: Kind[T], namespace: str | None, labels: Labels, version: str, seconds: int, fields: str = ""
) -> Request:
    """Changes after `version`; the server ends it after `seconds`, and we a little later if it forgets to."""
    query = _query(
        watch="true",
        allowWatchBookmarks="true",
        resourceVersion=version,
        timeoutSeconds=str(seconds),
        labelSelector=selector(labels),
        fieldSelector=fields,
    )
    accept = _METADATA.format(kind="PartialObjectMetadata") if kind.metadata_only else JSON
    doing, timeout = f"watch {_where(kind, namespace)}", seconds + TIMEOUT
    return Request("GET", kind.path(namespace), doing, query, idempotent=True, timeout=timeout, accept=accept)


def create(kind: Kind[T], obj: T, manager: str, dry_run: bool = False) -> Request:
    path = kind.path(obj.metadata.namespace)
    body = msgspec.json.encode(as_json(kind, obj))
    return Request("POST", path, f"create {_what(kind, obj)}", _writing(manager, dry_run), body)


def replace(kind: Kind[T], obj: T, manager: str, dry_run: bool = False, subresource: str | None = None) -> Request:
    """The whole object; refused with a Conflict when the one there has another resourceVersion than `obj`."""
    path = kind.path(obj.metadata.namespace, obj.metadata.name, subresource)
    body = msgspec.json.encode(as_json(kind, obj))
    return Request("PUT", path, f"replace {_what(kind, obj, subresource)}", _writing(manager, dry_run), body)


def merge_patch(
    kind: Kind[T],
    name: Name,
    change: Mapping[str, Any],
    manager: str,
    dry_run: bool = False,
    subresource: str | None = None,
) -> Request:
    """JSON merge patch (RFC 7396): null removes. With metadata.resourceVersion inside it is refused when stale."""
    body = msgspec.json.encode(change)
    doing = f"patch {_named(kind, name, subresource)}"
    path = kind.path(*name, subresource)
    return Request("PATCH", path, doing, _writing(manager, dry_run), body, MERGE_PATCH)


def json_patch(
    kind: Kind[T],
    name: Name,
    operations: Sequence[Mapping[str, Any]],
    manager: str,
    dry_run: bool = False,
    subresource: str | None = None,
) -> Request:
    """JSON patch (RFC 6902); a `test` operation makes it conditional."""
    body = msgspec.json.encode(operations)
    doing = f"patch {_named(kind, name, subresource)}"
    path = kind.path(*name, subresource)
    return Request("PATCH", path, doing, _writing(manager, dry_run), body, JSON_PATCH)


def apply(kind: Kind[T], obj: T, manager: str, force: bool = True, dry_run: bool = False) -> Request:
    """Server-side apply of all that we want to own of the object; its status and bookkeeping are left out."""
    wanted = as_json(kind, obj)
    wanted.pop("status", None)
    wanted["metadata"] = {key: value for key, value in wanted["metadata"].items() if key not in _BOOKKEEPING}
    query = (*_writing(manager, dry_run), ("force", "true" if force else "false"))
    path = kind.path(obj.metadata.namespace, obj.metadata.name)
    body = msgspec.json.encode(wanted)
    return Request("PATCH", path, f"apply {_what(kind, obj)}", query, body, APPLY_PATCH, idempotent=True)


def apply_status(kind: Kind[T], name: Name, status: object, manager: str, dry_run: bool = False) -> Request:
    """Server-side apply of the status: fields that we set before and leave out now are removed."""
    metadata = {"name": name.name, **({"namespace": name.namespace} if name.namespace else {})}
    wanted = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": metadata,
        "status": msgspec.to_builtins(status),
    }
    query = (*_writing(manager, dry_run), ("force", "true"))
    body = msgspec.json.encode(wanted)
    doing = f"apply {_named(kind, name, 'status')}"
    return Request("PATCH", kind.path(*name, "status"), doing, query, body, APPLY_PATCH, idempotent=True)


def delete(
    kind: Kind[T],
    name: Name,
    uid: str | None = None,
    version: str | None = None,
    propagation: Propagation | None = None,
    grace_seconds: int | None = None,
    dry_run: bool = False,
) -> Request:
    """Refused with a Conflict when the object has another uid or resourceVersion than given."""
    preconditions = {"uid": uid, "resourceVersion": version}
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {key: value for key, value in preconditions.items() if value} or None,
        "propagationPolicy": propagation,
        "gracePeriodSeconds": grace_seconds,
        "dryRun": ["All"] if dry_run else None,
    }
    body = msgspec.json.encode({key: value for key, value in options.items() if value is not None})
    return Request("DELETE", kind.path(*name), f"delete {kind} {name}", body=body, idempotent=uid is not None)


def delete_collection(
    kind: Kind[T], namespace: str | None, labels: Labels, propagation: Propagation | None = None
) -> Request:
    """All that the selector names. Without a selector it is a ValueError: nobody means that."""
    if not selector(labels):
        raise ValueError(f"delete all {_where(kind, namespace)}: give a label selector")
    query = _query(labelSelector=selector(labels), propagationPolicy=propagation or "")
    return Request("DELETE", kind.path(namespace), f"delete {_where(kind, namespace)} ({selector(labels)})", query)


def selector(labels: Labels) -> str:
    if labels is None or isinstance(labels, str):
        return labels or ""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _writing(manager: str, dry_run: bool) -> Query:
    return _query(fieldManager=manager, dryRun="All" if dry_run else "")


def _query(**given: str) -> Query:
    return tuple((key, value) for key, value in given.items() if value)


def _where(kind: Kind[T], namespace: str | None) -> str:
    return f"{kind.plural} in {namespace}" if namespace and kind.namespaced else kind.plural


def _what(kind: Kind[T], obj: T, subresource: str | None = None) -> str:
    metadata = obj.metadata
    return _named(kind, Name(metadata.namespace or "", metadata.name or f"{metadata.generate_name}…"), subresource)


def _named(kind: Kind[T], name: Name, subresource: str | None) -> str:
    return f"{kind} {name} ({subresource})" if subresource else f"{kind} {name}"
