"""The rules of reading and writing, shared by HTTP and by `objects.Objects`.

A write goes: received form (`forms`) → defaults → ownership → what the server adds (admission, addresses) →
validation → storage. The order decides who owns what: defaults belong to the writer, what the server adds to nobody.
A write that changes nothing writes nothing: no new resourceVersion, no event.
"""

import random
from collections.abc import Callable
from datetime import timedelta

import msgspec

from klamm.base.clock import Clock
from klamm.localkube.apiserver import (
    admission,
    custom_kinds,
    deletion,
    forms,
    ownership,
    patches,
    statuses,
    structural,
    validation,
)
from klamm.localkube.apiserver.definitions import ServedKinds
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.ownership import Writer
from klamm.localkube.apiserver.storage import Storage, Stored
from klamm.localkube.apiserver.value_rules import IMMUTABLE
from klamm.localkube.apiserver.write_rules import (
    GENERATION,
    OWNED_BY_NOBODY,
    WriteOptions,
    Written,
    check_given_name,
    check_given_namespace,
    check_same,
    combined,
    ignored_fields,
    note_applied,
    only_said,
    same_but_for_times,
    spec_changed,
)
from klamm.localkube.objects import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, PODS, Object, Refused, Resource
from klamm.localkube.times import timestamp

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_MADE_BY_PUT = frozenset(
    [
        "ClusterRole",
        "ClusterRoleBinding",
        "Endpoints",
        "Event",
        "Lease",
        "LimitRange",
        "PriorityClass",
        "Role",
        "RoleBinding",
        "Service",
    ]
)
_SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class Registry:
    """All served kinds over one storage."""

    def __init__(self, storage: Storage, clock: Clock, randomness: random.Random, new_uid: Callable[[], str]) -> None:
        self.storage = storage
        self.clock = clock
        self.randomness = randomness
        self._new_uid = new_uid
        self._served = ServedKinds(storage, self._now)
        self.ensure_namespaces()

    # Kinds

    @property
    def kinds_changed(self) -> int:
        """Grows whenever a CRD comes, changes or goes: caches of discovery and OpenAPI hang on it."""
        return self._served.changes

    def kinds(self) -> list[Kind]:
        return self._served.all()

    def kind(self, group: str, version: str, plural: str) -> Kind | None:
        return self._served.find(group, version, plural)

    def kind_of(self, resource: Resource) -> Kind:
        """Refused 404 when it is not served."""
        return self._served.of(resource)

    def ensure_namespaces(self) -> None:
        kind = self.kind_of(NAMESPACES)
        for name in _SYSTEM_NAMESPACES:
            if self.storage.find(kind.storage_key, "", name) is None:
                body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                self.create(kind, None, body, WriteOptions("kube-apiserver"))

    # Reading

    def stored(self, kind: Kind, namespace: str | None, name: str) -> Stored:
        stored = self.storage.find(kind.storage_key, namespace or "", name)
        if stored is None:
            raise statuses.not_found(kind.resource, name)
        return stored

    def view(self, kind: Kind, stored: Stored) -> Object:
        """The object in the kind's version; shared, never to be changed."""
        return forms.in_version(kind, self.storage.decode(stored))

    def body(self, kind: Kind, stored: Stored) -> bytes:
        """`view` as JSON, mostly the stored bytes themselves."""
        if stored.body.startswith(b'{"apiVersion":"%b"' % kind.resource.api_version.encode()):
            return stored.body
        return msgspec.json.encode(self.view(kind, stored))

    def _for_storage(self, kind: Kind, obj: Object) -> Object:
        return forms.for_storage(kind, obj, self._served.storage_node(kind))

    def _now(self, after: float = 0) -> str:
        return timestamp(self.clock.now() + timedelta(seconds=after))

    def suffix(self, length: int = 5) -> str:
        return "".join(self.randomness.choice(_SUFFIX_LETTERS) for _ in range(length))

    # Creating

    def create(self, kind: Kind, namespace: str | None, obj: Object, options: WriteOptions) -> Object:
        return self._create(kind, namespace, forms.received(kind, obj, options), options)

    def _create(self, kind: Kind, namespace: str | None, new: Object, options: WriteOptions) -> Object:
        self._settle_name(kind, namespace, new)
        new = forms.defaulted(kind, new)
        admission.check_namespace(self.storage, kind, namespace, new["metadata"].get("name", ""))
        writer = Writer(options.manager, "Update", kind.resource.api_version)
        self._prepare_new(kind, new)
        new = ownership.after_update(None, new, kind.node, writer, self._now(), ignored_fields(kind, ""))
        return self._store_new(kind, namespace, new, options)

    def _settle_name(self, kind: Kind, namespace: str | None, obj: Object) -> None:
        metadata = obj["metadata"]
        if kind.resource.namespaced:
            check_given_namespace(metadata, namespace)
        else:
            metadata.pop("namespace", None)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"][:58] + self.suffix()

    def _prepare_new(self, kind: Kind, obj: Object) -> None:
        metadata = obj["metadata"]
        if metadata.get("resourceVersion"):
            raise Refused(500, "", "resourceVersion should not be set on objects to be created")
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            metadata.pop(name, None)
        metadata["uid"] = self._new_uid()
        metadata["creationTimestamp"] = self._now()
        if kind.resource.kind in GENERATION or kind.custom:
            metadata["generation"] = 1
        validation.reset_status(kind, obj)

    def _store_new(self, kind: Kind, namespace: str | None, new: Object, options: WriteOptions) -> Object:
        name = new["metadata"].get("name", "")
        new = forms.without_empty_lists(kind, new)
        admission.admit_new(self.storage, kind, new, self.suffix)
        self._validate(kind, new, None)
        there = self.storage.find(kind.storage_key, namespace or "", name)
        if there is not None:
            going = bool(self.storage.decode(there)["metadata"].get("deletionTimestamp"))
            raise statuses.already_exists(kind.resource, name, going)
        admission.allocate(self.storage, kind, new, None, self.randomness)
        if options.dry_run:
            return new
        stored = self.storage.put(kind.storage_key, namespace or "", name, self._for_storage(kind, new))
        created = self.view(kind, stored)
        if kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
            self._served.settle(name)
        return created

    def _validate(self, kind: Kind, new: Object, old: Object | None) -> None:
        causes = validation.violations(kind, new, old)
        if kind.custom:
            rest = {name: value for name, value in new.items() if name != "metadata"}
            causes += structural.violations(rest, kind.node.raw)
        if causes:
            name = new["metadata"].get("name", "")
            raise statuses.invalid(kind.resource.group, kind.resource.kind, name, causes)

    # Updating

    def replace(self, kind: Kind, namespace: str | None, name: str, obj: Object, options: WriteOptions) -> Written:
        """What PUT does: some kinds are made by it when they are not there."""
        makes = kind.resource.kind in _MADE_BY_PUT and not options.subresource
        if makes and self.storage.find(kind.storage_key, namespace or "", name) is None:
            new = forms.received(kind, obj, options)
            check_given_name(new["metadata"], name)
            return Written(self._create(kind, namespace, new, options), True)
        return Written(self.update(kind, namespace, name, obj, options))

    def update(self, kind: Kind, namespace: str | None, name: str, obj: Object, options: WriteOptions) -> Object:
        """Replace the object, or the part of it that the subresource is."""
        stored = self.stored(kind, namespace, name)
        old = self.view(kind, stored)
        new = forms.received(kind, obj, options)
        check_same(kind, stored, old, new, options)
        new = forms.defaulted(kind, combined(kind, old, new, options.subresource))
        writer = Writer(options.manager, "Update", kind.resource.api_version, options.subresource)
        ignored = ignored_fields(kind, options.subresource)
        now = "" if options.subresource == "scale" else self._now()  # whose entries carry no time
        if options.subresource not in OWNED_BY_NOBODY:
            new = ownership.after_update(old, new, kind.node, writer, now, ignored)
        return self._store_changed(kind, stored, old, new, options)

    def _store_changed(self, kind: Kind, stored: Stored, old: Object, new: Object, options: WriteOptions) -> Object:
        new = forms.without_empty_lists(kind, new)
        new["metadata"]["resourceVersion"] = str(stored.version)
        admission.admit_change(self.storage, kind, new, old)
        admission.allocate(self.storage, kind, new, old, self.randomness)
        self._validate(kind, new, old)
        if spec_changed(kind, old, new):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if same_but_for_times(old, new):
            return old
        if options.dry_run:
            return new
        namespace, name = stored.namespace, stored.name
        body = self._for_storage(kind, new)
        if deletion.is_finished(kind, body):
            # Its last change is never stored: those who watch see what it was before, with the version of its end.
            was = self.storage.decode(stored)
            self.storage.remove(kind.storage_key, namespace, name, {**was, "metadata": dict(was["metadata"])})
            self._removed(kind)
            return new
        written = self.storage.put(kind.storage_key, namespace, name, body)
        if kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
            self._served.settle(name)
        return self.view(kind, written)

    # Patching

    def patch(
        self, kind: Kind, namespace: str | None, name: str, change: patches.Patch, options: WriteOptions
    ) -> Written:
        """Any of the four sorts of patch; an apply may create."""
        if isinstance(change, patches.Apply):
            return self._apply(kind, namespace, name, change.config, options)
        stored = self.stored(kind, namespace, name)
        old = self.view(kind, stored)
        if isinstance(change, patches.StrategicMerge) and kind.custom:
            raise Refused(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )
        options.unconditional = True
        patched = change.on(old, kind.node)
        _check_identity(kind, old, patched)
        return Written(self.update(kind, namespace, name, patched, options))

    def _apply(self, kind: Kind, namespace: str | None, name: str, config: Object, options: WriteOptions) -> Written:
        metadata = config.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise statuses.bad_request("metadata must be an object")
        if metadata.get("managedFields"):
            raise statuses.bad_request("metadata.managedFields must be nil")
        if not config.get("apiVersion") or not config.get("kind"):
            raise statuses.bad_request(
                f"invalid object type: {config.get('apiVersion', '/')}, Kind={config.get('kind', '')}"
            )
        if not metadata.get("name"):
            why = "was undeterminable: name must be provided"
            raise statuses.bad_request(f"the name of the object ({name} based on URL) {why}")
        check_given_name(metadata, name)
        config = {**config, "metadata": metadata}
        strict = WriteOptions(field_validation="Ignore" if kind.custom else "Strict", warnings=options.warnings)
        shaped = forms.received(kind, config, options if kind.custom else strict)
        shaped = only_said(shaped, config, kind.node)
        writer = Writer(options.manager, "Apply", kind.resource.api_version, options.subresource)
        stored = self.storage.find(kind.storage_key, namespace or "", name)
        if stored is None:
            return self._apply_new(kind, namespace, shaped, writer, options)
        old = self.view(kind, stored)
        check_same(kind, stored, old, shaped, WriteOptions(unconditional=True))
        ignored = ignored_fields(kind, options.subresource)
        merged = ownership.apply(old, shaped, kind.node, writer, self._now(), force=options.force, ignored=ignored)
        managed = merged["metadata"].get("managedFields")
        merged = forms.received(kind, merged, WriteOptions())
        if options.manager == "kubectl" and ownership.last_applied(old):
            note_applied(merged, config)
        new = forms.defaulted(kind, combined(kind, old, merged, options.subresource))
        if managed is not None:
            new["metadata"]["managedFields"] = managed
        return Written(self._store_changed(kind, stored, old, new, options))

    def _apply_new(
        self, kind: Kind, namespace: str | None, config: Object, writer: Writer, options: WriteOptions
    ) -> Written:
        if options.subresource:
            raise statuses.not_found(kind.resource, config["metadata"]["name"])
        if uid := config["metadata"].get("uid"):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise statuses.conflict(kind.resource, config["metadata"]["name"], why)
        if config["metadata"].get("resourceVersion"):
            raise statuses.conflict(kind.resource, config["metadata"]["name"], statuses.MODIFIED)
        self._settle_name(kind, namespace, config)
        admission.check_namespace(self.storage, kind, namespace, config["metadata"]["name"])
        empty = {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {}}
        ignored = ignored_fields(kind, "")
        merged = ownership.apply(empty, config, kind.node, writer, self._now(), force=True, ignored=ignored)
        merged["metadata"] = {**config["metadata"], **merged["metadata"]}
        managed = merged["metadata"].get("managedFields")
        new = forms.defaulted(kind, forms.received(kind, merged, WriteOptions()))
        self._prepare_new(kind, new)
        if managed is not None:
            new["metadata"]["managedFields"] = managed
        return Written(self._store_new(kind, namespace, new, options), True)

    # Deleting

    def delete(self, kind: Kind, namespace: str | None, name: str, options: deletion.DeleteOptions) -> deletion.Deleted:
        stored = self.stored(kind, namespace, name)
        old = self.storage.decode(stored)
        deletion.check_preconditions(kind, stored, old, options)
        if kind.resource == NAMESPACES and name in _SYSTEM_NAMESPACES[:3]:
            raise statuses.forbidden(NAMESPACES, name, "this namespace may not be deleted")
        if kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
            return self._delete_definition(kind, stored, old, options)
        marked = deletion.marked(kind, old, options, self._now)
        return self._carry_out(kind, stored, old, marked, options)

    def _carry_out(
        self, kind: Kind, stored: Stored, old: Object, marked: Object, options: deletion.DeleteOptions
    ) -> deletion.Deleted:
        if deletion.is_finished(kind, marked):
            # Only a pod's end is told with its mark: its deletion is a change of its own, others just go.
            shown = marked if kind.resource == PODS else old
            if not options.dry_run:
                last = {**shown, "metadata": dict(shown["metadata"])}
                gone = self.storage.remove(kind.storage_key, stored.namespace, stored.name, last)
                self._removed(kind)
                return deletion.Deleted(self.storage.decode(gone), True)
            return deletion.Deleted(shown, True)
        if options.dry_run or marked == old:
            return deletion.Deleted(marked, False)
        written = self.storage.put(kind.storage_key, stored.namespace, stored.name, marked)
        return deletion.Deleted(self.storage.decode(written), False)

    def _removed(self, kind: Kind) -> None:
        if kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
            self._served.load()
        elif kind.custom and self.storage.count(kind.storage_key) == 0:
            self._served.emptied(f"{kind.resource.plural}.{kind.resource.group}")

    def _delete_definition(
        self, kind: Kind, stored: Stored, old: Object, options: deletion.DeleteOptions
    ) -> deletion.Deleted:
        """All its objects go first; the definition waits for those that finalizers hold."""
        marked = deletion.marked(kind, custom_kinds.ending(old, self._now()), options, self._now)
        if options.dry_run:
            return deletion.Deleted(marked, False)
        written = self.storage.put(kind.storage_key, "", stored.name, marked)
        answer = deletion.Deleted(self.storage.decode(written), False)
        own = self._served.blocking(old)
        if own is None:
            self._served.emptied(old["metadata"]["name"])
            return answer
        for each in self.storage.all(own.storage_key):
            self.delete(own, each.namespace or None, each.name, deletion.DeleteOptions())
        return answer


def _check_identity(kind: Kind, old: Object, patched: Object) -> None:
    """A patch sees the object's identity, and must leave it."""
    before, after = old["metadata"], patched.get("metadata")
    given = after if isinstance(after, dict) else {}
    changed = [name for name in ("uid", "deletionTimestamp") if given.get(name) not in (None, "", before.get(name))]
    if changed:
        causes = [statuses.invalid_value(f"metadata.{name}", given[name], IMMUTABLE) for name in changed]
        twice = [cause for cause in causes for _ in range(2)]  # Kubernetes looks twice, and tells both
        raise statuses.invalid(kind.resource.group, kind.resource.kind, before["name"], twice)
