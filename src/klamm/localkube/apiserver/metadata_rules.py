"""Names, labels and the rest of metadata: their syntax, and what of it may change."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.statuses import Cause, forbidden_value, invalid_value, required
from klamm.localkube.objects import Object

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")

_STANDARD_FINALIZERS = frozenset(["kubernetes", "orphan", "foregroundDeletion"])

LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
SERVICE_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)

_VERSION = re.compile(r"([^/]*/)?[^/]+")
"""Of an API: its group may stand before it."""


def metadata_violations(kind: Kind, obj: Object, old: Object | None) -> Iterator[Cause]:
    metadata = obj["metadata"]
    name = metadata.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif old is None:
        yield from _name(kind, name)
    yield from label_violations(metadata.get("labels") or {}, "metadata.labels")
    for key in metadata.get("annotations") or {}:
        yield from qualified_name(key.lower(), "metadata.annotations", key)
    for owner in metadata.get("ownerReferences") or ():
        if not _VERSION.fullmatch(owner.get("apiVersion") or ""):
            told = "version must not be empty"
            yield invalid_value("metadata.ownerReferences.apiVersion", owner.get("apiVersion") or "", told)
        for field in ("kind", "name", "uid"):
            if not owner.get(field):
                yield invalid_value(f"metadata.ownerReferences.{field}", "", "must not be empty")
        if (owner.get("apiVersion"), owner.get("kind")) == ("v1", "Event"):
            told = "/v1, Kind=Event is disallowed from being an owner"
            yield invalid_value("metadata.ownerReferences", owner, told)
    owners = metadata.get("ownerReferences") or ()
    controllers = [f"{each.get('kind')}/{each.get('name')}" for each in owners if each.get("controller")]
    if len(controllers) > 1:
        told = f'Only one reference can have Controller set to true. Found "true" in references for {controllers[0]}'
        yield invalid_value("metadata.ownerReferences", owners, f"{told} and {controllers[1]}")
    yield from _finalizers(metadata.get("finalizers") or ())
    if old is not None and old["metadata"].get("deletionTimestamp"):
        fresh = set(metadata.get("finalizers") or ()) - set(old["metadata"].get("finalizers") or ())
        if fresh:
            shown = "{" + ", ".join(f'"{each}"' for each in sorted(fresh)) + "}"
            text = "no new finalizers can be added if the object is being deleted, found new finalizers []string"
            for _ in range(2):  # Kubernetes looks twice, and tells both
                yield forbidden_value("metadata.finalizers", text + shown)


def _finalizers(names: Iterable[str]) -> Iterator[Cause]:
    """Names with a prefix of their own, or one of the three that Kubernetes itself knows."""
    for index, name in enumerate(names):
        yield from qualified_name(name, "metadata.finalizers", name)
        if "/" not in name and name not in _STANDARD_FINALIZERS:
            told = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid_value(f"metadata.finalizers[{index}]", name, told)


def _name(kind: Kind, name: str) -> Iterator[Cause]:
    what = kind.resource.kind
    if kind.resource.group == "rbac.authorization.k8s.io":
        if name in (".", ".."):
            yield invalid_value("metadata.name", name, f"may not be '{name}'")
        for sign in "/%":
            if sign in name:
                yield invalid_value("metadata.name", name, f"may not contain '{sign}'")
    elif what == "Service":
        if len(name) > 63:
            yield invalid_value("metadata.name", name, "must be no more than 63 characters")
        if not SERVICE_NAME.fullmatch(name):
            yield invalid_value("metadata.name", name, SERVICE_RULE)
    elif what in ("Namespace", "StatefulSet"):
        if len(name) > 63:
            yield invalid_value("metadata.name", name, "must be no more than 63 characters")
        if not LABEL.fullmatch(name):
            rule = "must not contain dots" if SUBDOMAIN.fullmatch(name) else LABEL_RULE
            yield invalid_value("metadata.name", name, rule)
    else:
        if len(name) > 253:
            yield invalid_value("metadata.name", name, "must be no more than 253 characters")
        if not SUBDOMAIN.fullmatch(name):
            yield invalid_value("metadata.name", name, SUBDOMAIN_RULE)


def label_violations(labels: dict[str, Any], field: str) -> Iterator[Cause]:
    for key, value in labels.items():
        yield from qualified_name(key, field, key)
        if len(value) > 63:
            yield invalid_value(field, value, "must be no more than 63 characters")
        if value and not _QUALIFIED.fullmatch(value):
            yield invalid_value(field, value, _LABEL_VALUE_RULE)


def qualified_name(key: str, field: str, shown: str) -> Iterator[Cause]:
    prefix, slash, name = key.rpartition("/")
    if slash and not SUBDOMAIN.fullmatch(prefix):
        yield invalid_value(field, shown, f"prefix part {SUBDOMAIN_RULE}")
    if not name:
        yield invalid_value(field, shown, "name part must be non-empty")
    elif len(name) > 63:
        yield invalid_value(field, shown, "name part must be no more than 63 characters")
    if not _QUALIFIED.fullmatch(name):
        text = (
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        )
        yield invalid_value(field, shown, text)
