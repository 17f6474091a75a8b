"""The rules of reading and writing, shared by HTTP and by `objects.Objects`.

A write goes: received form (shaping) → defaults → ownership → what the server adds (admission, addresses) →
validation → storage. The order decides who owns what: defaults belong to the writer, what the server adds to nobody.
A write that changes nothing writes nothing: no new resourceVersion, no event.
"""

import random
from collections.abc import Callable
from datetime import timedelta

import msgspec

from klamm.base.clock import Clock
from klamm.localkube.apiserver import (
    addresses,
    custom_kinds,
    defaults,
    deletion,
    event_views,
    ownership,
    patches,
    shaping,
    statuses,
    structural,
    validation,
)
from klamm.localkube.apiserver.kinds import Kind, table
from klamm.localkube.apiserver.ownership import Writer
from klamm.localkube.apiserver.schema import Node
from klamm.localkube.apiserver.storage import Storage, Stored
from klamm.localkube.apiserver.write_rules import (
    GENERATION,
    WriteOptions,
    Written,
    cannot_handle,
    check_type,
    ignored_fields,
    note_applied,
    only_said,
    same_but_for_times,
    spec_changed,
    tell_unknown,
    with_part,
)
from klamm.localkube.objects import (
    CUSTOM_RESOURCE_DEFINITIONS,
    NAMESPACES,
    SERVICES,
    Object,
    Refused,
    Resource,
)
from klamm.localkube.times import timestamp

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class Registry:
    """All served kinds over one storage."""

    def __init__(self, storage: Storage, clock: Clock, randomness: random.Random, new_uid: Callable[[], str]) -> None:
        self.storage = storage
        self.clock = clock
        self.randomness = randomness
        self._new_uid = new_uid
        self._native = {_address(kind.resource): kind for kind in table().kinds}
        self._custom: dict[tuple[str, str, str], Kind] = {}
        self._storage_nodes: dict[str, Node] = {}
        self.kinds_changed = 0
        """Grows whenever a CRD comes, changes or goes: caches of discovery and OpenAPI hang on it."""
        self._load_definitions()
        self.ensure_namespaces()

    # Kinds

    def kinds(self) -> list[Kind]:
        return [*self._native.values(), *self._custom.values()]

    def kind(self, group: str, version: str, plural: str) -> Kind | None:
        address = (group, version, plural)
        return self._native.get(address) or self._custom.get(address)

    def kind_of(self, resource: Resource) -> Kind:
        kind = self.kind(resource.group, resource.version, resource.plural)
        if kind is None:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        return kind

    def _load_definitions(self) -> None:
        self._custom.clear()
        self._storage_nodes.clear()
        key = f"{CUSTOM_RESOURCE_DEFINITIONS.group}/{CUSTOM_RESOURCE_DEFINITIONS.plural}"
        for stored in self.storage.all(key):
            definition = self.storage.decode(stored)
            if _established(definition):
                for kind in custom_kinds.kinds_of(definition):
                    self._custom[_address(kind.resource)] = kind
                    self._storage_nodes[kind.storage_key] = custom_kinds.storage_node(definition)
        self.kinds_changed += 1

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
        obj = self.storage.decode(stored)
        if obj["apiVersion"] == kind.resource.api_version:
            return obj
        return self._converted(kind, obj)

    def body(self, kind: Kind, stored: Stored) -> bytes:
        """`view` as JSON, mostly the stored bytes themselves."""
        if stored.body.startswith(b'{"apiVersion":"%b"' % kind.resource.api_version.encode()):
            return stored.body
        return msgspec.json.encode(self.view(kind, stored))

    def _converted(self, kind: Kind, obj: Object) -> Object:
        if not kind.custom:
            return event_views.as_events_v1(obj) if kind.resource.group == "events.k8s.io" else obj
        pruned = shaping.prune_custom({**obj, "apiVersion": kind.resource.api_version}, kind.node, [])
        converted: Object = shaping.default_custom(pruned, kind.node)
        return {**converted, "metadata": obj["metadata"]}

    def _to_storage(self, kind: Kind, obj: Object) -> Object:
        if obj["apiVersion"] == kind.storage_version:
            return {**obj, "metadata": dict(obj["metadata"])}
        if not kind.custom:
            return event_views.as_core_event(obj)
        node = self._storage_nodes[kind.storage_key]
        pruned: Object = shaping.prune_custom({**obj, "apiVersion": kind.storage_version}, node, [])
        return {**pruned, "metadata": dict(obj["metadata"])}

    # Receiving

    def _received(self, kind: Kind, obj: Object, options: WriteOptions) -> Object:
        """The client's object in the type's own form, checked for fields that nobody knows."""
        check_type(kind, obj)
        unknown: list[str] = []
        try:
            if kind.custom:
                metadata_node = kind.node.field("metadata")
                assert metadata_node is not None
                metadata = shaping.shape_native(
                    obj.get("metadata") or {}, _as_native(metadata_node), unknown, "metadata"
                )
                rest = {name: value for name, value in obj.items() if name != "metadata"}
                shaped = {**shaping.prune_custom(rest, kind.node, unknown), "metadata": metadata}
            else:
                shaped = shaping.shape_native(obj, kind.node, unknown)
        except shaping.WrongType as error:
            raise statuses.bad_request(f"{cannot_handle(kind)}: {error}") from error
        tell_unknown(kind, unknown, options)
        shaped.setdefault("metadata", {})
        return shaping.ordered(shaped)

    def _defaulted(self, kind: Kind, obj: Object) -> Object:
        if kind.custom:
            metadata = obj["metadata"]
            return {**shaping.default_custom(obj, kind.node), "metadata": metadata}
        defaults.apply_defaults(kind.resource.group, kind.resource.kind, obj)
        return obj

    def _now(self, after: float = 0) -> str:
        return timestamp(self.clock.now() + timedelta(seconds=after))

    def suffix(self, length: int = 5) -> str:
        return "".join(self.randomness.choice(_SUFFIX_LETTERS) for _ in range(length))

    # Creating

    def create(self, kind: Kind, namespace: str | None, obj: Object, options: WriteOptions) -> Object:
        new = self._received(kind, obj, options)
        self._settle_name(kind, namespace, new)
        new = self._defaulted(kind, new)
        self._check_namespace(kind, namespace, new["metadata"].get("name", ""))
        writer = Writer(options.manager, "Update", kind.resource.api_version)
        self._prepare_new(kind, new)
        new = ownership.after_update(None, new, kind.node, writer, self._now(), ignored_fields(kind, ""))
        return self._store_new(kind, namespace, new, options)

    def _settle_name(self, kind: Kind, namespace: str | None, obj: Object) -> None:
        metadata = obj["metadata"]
        if kind.resource.namespaced:
            if metadata.setdefault("namespace", namespace) != namespace:
                raise statuses.bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
        else:
            metadata.pop("namespace", None)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"][:58] + self.suffix()

    def _check_namespace(self, kind: Kind, namespace: str | None, name: str) -> None:
        """Nothing is created in a namespace that is missing or on its way out."""
        if not kind.resource.namespaced:
            return
        of = self.storage.find("/namespaces", "", namespace or "")
        if of is None:
            raise statuses.not_found(NAMESPACES, namespace or "")
        found = self.storage.decode(of)
        if found["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            text = f"namespace {namespace} is being terminated"
            cause = statuses.Cause("NamespaceTerminating", "metadata.namespace", text)
            raise statuses.forbidden(kind.resource, name, why, [cause])

    def _prepare_new(self, kind: Kind, obj: Object) -> None:
        metadata = obj["metadata"]
        if metadata.get("resourceVersion"):
            raise Refused(500, "InternalError", "resourceVersion should not be set on objects to be created")
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
            metadata.pop(name, None)
        metadata["uid"] = self._new_uid()
        metadata["creationTimestamp"] = self._now()
        if kind.resource.kind in GENERATION or kind.custom:
            metadata["generation"] = 1
        validation.reset_status(kind, obj)

    def _store_new(self, kind: Kind, namespace: str | None, new: Object, options: WriteOptions) -> Object:
        name = new["metadata"].get("name", "")
        self._admit_new(kind, new)
        self._validate(kind, new, None)
        if self.storage.find(kind.storage_key, namespace or "", name) is not None:
            raise statuses.already_exists(kind.resource, name)
        self._allocate(kind, new, None)
        if options.dry_run:
            return new
        stored = self.storage.put(kind.storage_key, namespace or "", name, self._to_storage(kind, new))
        created = self.view(kind, stored)
        if kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
            self._definition_changed(kind, name)
        return created

    def _admit_new(self, kind: Kind, obj: Object) -> None:
        if kind.resource.group:
            return
        if kind.resource.kind == "Pod":
            defaults.pod_admission(obj, self.suffix)
            obj["status"] = {"phase": "Pending", "qosClass": defaults.qos_class(obj["spec"])}
            self._admit_priority(obj)
        elif kind.resource.kind == "Namespace":
            spec = obj.setdefault("spec", {})
            spec["finalizers"] = ["kubernetes"]
            obj["status"] = {"phase": "Active"}
        elif kind.resource.kind == "PersistentVolumeClaim":
            self._admit_claim(obj)

    def _admit_priority(self, pod: Object) -> None:
        wanted = pod["spec"].get("priorityClassName")
        found = self.storage.find("scheduling.k8s.io/priorityclasses", "", wanted) if wanted else None
        if found is not None:
            pod["spec"]["priority"] = self.storage.decode(found).get("value", 0)

    def _admit_claim(self, claim: Object) -> None:
        """A claim that names no class gets the default one."""
        spec = claim["spec"]
        annotation = "volume.beta.kubernetes.io/storage-class"
        if "storageClassName" in spec or annotation in claim["metadata"].get("annotations", {}):
            return
        for stored in self.storage.all("storage.k8s.io/storageclasses"):
            storage_class = self.storage.decode(stored)
            marks = storage_class["metadata"].get("annotations") or {}
            if marks.get("storageclass.kubernetes.io/is-default-class") == "true":
                spec["storageClassName"] = storage_class["metadata"]["name"]
                return

    def _allocate(self, kind: Kind, new: Object, old: Object | None) -> None:
        if kind.resource != SERVICES:
            return
        name = (new["metadata"]["namespace"], new["metadata"]["name"])
        services = [self.storage.decode(stored) for stored in self.storage.all(kind.storage_key)]
        wrong = addresses.allocate(new, old, addresses.in_use(services, name), self.randomness)
        if wrong:
            raise statuses.invalid("", "Service", name[1], wrong)

    def _validate(self, kind: Kind, new: Object, old: Object | None) -> None:
        causes = validation.violations(kind, new, old)
        if kind.custom:
            rest = {name: value for name, value in new.items() if name != "metadata"}
            causes += structural.violations(rest, kind.node.raw)
        elif kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
            causes += custom_kinds.violations(new)
        if causes:
            name = new["metadata"].get("name", "")
            raise statuses.invalid(kind.resource.group, kind.resource.kind, name, causes)

    # Updating

    def update(self, kind: Kind, namespace: str | None, name: str, obj: Object, options: WriteOptions) -> Object:
        """Replace the object, or the part of it that the subresource is."""
        stored = self.stored(kind, namespace, name)
        old = self.view(kind, stored)
        new = self._received(kind, obj, options)
        self._check_same(kind, namespace, name, new, stored, old, options)
        new = self._defaulted(kind, self._combined(kind, old, new, options.subresource))
        writer = Writer(options.manager, "Update", kind.resource.api_version, options.subresource)
        ignored = ignored_fields(kind, options.subresource)
        new = ownership.after_update(old, new, kind.node, writer, self._now(), ignored)
        return self._store_changed(kind, stored, old, new, options)

    def _check_same(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        new: Object,
        stored: Stored,
        old: Object,
        options: WriteOptions,
    ) -> None:
        metadata = new["metadata"]
        given = metadata.setdefault("name", name)
        if given != name:
            raise statuses.bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
        if kind.resource.namespaced and metadata.setdefault("namespace", namespace) != namespace:
            raise statuses.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        uid = metadata.get("uid")
        if uid and uid != old["metadata"]["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
            raise statuses.conflict(kind.resource, name, why)
        version = metadata.get("resourceVersion")
        if version and version != str(stored.version):
            raise statuses.conflict(kind.resource, name, statuses.MODIFIED)
        if not version and not options.unconditional and validation.needs_version(kind):
            cause = statuses.invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise statuses.invalid(kind.resource.group, kind.resource.kind, name, [cause])

    def _combined(self, kind: Kind, old: Object, new: Object, subresource: str) -> Object:
        """What of the new object counts: everything but status, or only status, and never what the server keeps."""
        if subresource in ("status", "finalize"):
            return with_part(old, new, subresource, kind)
        combined = dict(new)
        if kind.has_status:
            combined.pop("status", None)
            if "status" in old:
                combined["status"] = old["status"]
        metadata = dict(new["metadata"])
        for name in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
            metadata.pop(name, None)
            if name in old["metadata"]:
                metadata[name] = old["metadata"][name]
        metadata.pop("selfLink", None)
        combined["metadata"] = metadata
        if kind.resource == NAMESPACES:
            # Only the finalize subresource ends them: a replaced namespace must still be emptied before it goes.
            combined["spec"] = {**(new.get("spec") or {}), **(old.get("spec") or {})}
        return combined

    def _store_changed(self, kind: Kind, stored: Stored, old: Object, new: Object, options: WriteOptions) -> Object:
        new["metadata"]["resourceVersion"] = str(stored.version)
        self._allocate(kind, new, old)
        self._validate(kind, new, old)
        if spec_changed(kind, old, new):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if same_but_for_times(old, new):
            return old
        if options.dry_run:
            return new
        namespace, name = stored.namespace, stored.name
        body = self._to_storage(kind, new)
        if deletion.is_finished(kind, body):
            gone = self.storage.remove(kind.storage_key, namespace, name, body)
            self._removed(kind, namespace, name)
            return self.view(kind, gone)
        written = self.storage.put(kind.storage_key, namespace, name, body)
        if kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
            self._definition_changed(kind, name)
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
        return Written(self.update(kind, namespace, name, patched, options))

    def _apply(self, kind: Kind, namespace: str | None, name: str, config: Object, options: WriteOptions) -> Written:
        metadata = config.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise statuses.bad_request("metadata must be an object")
        if metadata.get("managedFields"):
            raise statuses.bad_request("metadata.managedFields must be nil")
        if metadata.setdefault("name", name) != name:
            given = metadata["name"]
            raise statuses.bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
        config = {**config, "metadata": metadata}
        strict = WriteOptions(field_validation="Ignore" if kind.custom else "Strict", warnings=options.warnings)
        shaped = self._received(kind, config, options if kind.custom else strict)
        shaped = only_said(shaped, config, kind.node)
        writer = Writer(options.manager, "Apply", kind.resource.api_version, options.subresource)
        stored = self.storage.find(kind.storage_key, namespace or "", name)
        if stored is None:
            return self._apply_new(kind, namespace, shaped, writer, options)
        old = self.view(kind, stored)
        self._check_same(kind, namespace, name, shaped, stored, old, WriteOptions(unconditional=True))
        ignored = ignored_fields(kind, options.subresource)
        merged = ownership.apply(old, shaped, kind.node, writer, self._now(), force=options.force, ignored=ignored)
        managed = merged["metadata"].get("managedFields")
        merged = self._received(kind, merged, WriteOptions())
        if options.manager == "kubectl" and ownership.last_applied(old):
            note_applied(merged, config)
        new = self._defaulted(kind, self._combined(kind, old, merged, options.subresource))
        if managed is not None:
            new["metadata"]["managedFields"] = managed
        return Written(self._store_changed(kind, stored, old, new, options))

    def _apply_new(
        self, kind: Kind, namespace: str | None, config: Object, writer: Writer, options: WriteOptions
    ) -> Written:
        if options.subresource:
            raise statuses.not_found(kind.resource, config["metadata"]["name"])
        if config["metadata"].get("uid") or config["metadata"].get("resourceVersion"):
            raise statuses.conflict(kind.resource, config["metadata"]["name"], statuses.MODIFIED)
        self._settle_name(kind, namespace, config)
        self._check_namespace(kind, namespace, config["metadata"]["name"])
        empty = {"apiVersion": config["apiVersion"], "kind": config["kind"], "metadata": {}}
        ignored = ignored_fields(kind, "")
        merged = ownership.apply(empty, config, kind.node, writer, self._now(), force=True, ignored=ignored)
        merged["metadata"] = {**config["metadata"], **merged["metadata"]}
        managed = merged["metadata"].get("managedFields")
        new = self._defaulted(kind, self._received(kind, merged, WriteOptions()))
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
            if not options.dry_run:
                last = {**old, "metadata": dict(old["metadata"])}
                gone = self.storage.remove(kind.storage_key, stored.namespace, stored.name, last)
                self._removed(kind, stored.namespace, stored.name)
                return deletion.Deleted(self.storage.decode(gone), True)
            return deletion.Deleted(old, True)
        if options.dry_run or marked == old:
            return deletion.Deleted(marked, False)
        written = self.storage.put(kind.storage_key, stored.namespace, stored.name, marked)
        return deletion.Deleted(self.storage.decode(written), False)

    def _removed(self, kind: Kind, namespace: str, name: str) -> None:
        if kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
            self._load_definitions()
        elif kind.custom and self.storage.count(kind.storage_key) == 0:
            self._finish_definition(kind)

    def _definition_changed(self, kind: Kind, name: str) -> None:
        """Accept the names and establish the kind at once: there is no second server to wait for."""
        stored = self.stored(kind, None, name)
        definition = self.storage.decode(stored)
        taken = self._name_taken(definition)
        settled = custom_kinds.with_status(definition, self._now(), taken)
        if settled.get("status") != definition.get("status"):
            body = {**settled, "metadata": dict(settled["metadata"])}
            self.storage.put(kind.storage_key, "", name, body)
        self._load_definitions()

    def _name_taken(self, definition: Object) -> str | None:
        spec = definition["spec"]
        for kind in self.kinds():
            same_group = kind.resource.group == spec["group"]
            other = kind.resource.plural != spec["names"]["plural"]
            if same_group and other and kind.resource.kind == spec["names"]["kind"]:
                return f'"{kind.resource.kind}" is already in use'
        return None

    def _delete_definition(
        self, kind: Kind, stored: Stored, old: Object, options: deletion.DeleteOptions
    ) -> deletion.Deleted:
        """All its objects go first; the definition waits for those that finalizers hold."""
        own = next(iter(custom_kinds.kinds_of(old)), None)
        if options.dry_run or own is None or self.storage.count(own.storage_key) == 0:
            return self._carry_out(kind, stored, old, deletion.marked(kind, old, options, self._now), options)
        finalizers = [*(old["metadata"].get("finalizers") or []), custom_kinds.CLEANUP]
        held = {**old, "metadata": {**old["metadata"], "finalizers": list(dict.fromkeys(finalizers))}}
        marked = deletion.marked(kind, held, options, self._now)
        written = self.storage.put(kind.storage_key, "", stored.name, marked)
        for each in self.storage.all(own.storage_key):
            self.delete(own, each.namespace or None, each.name, deletion.DeleteOptions())
        return deletion.Deleted(self.storage.decode(written), False)

    def _finish_definition(self, kind: Kind) -> None:
        definitions = self.kind_of(CUSTOM_RESOURCE_DEFINITIONS)
        name = f"{kind.resource.plural}.{kind.resource.group}"
        stored = self.storage.find(definitions.storage_key, "", name)
        if stored is None:
            return
        definition = self.storage.decode(stored)
        finalizers = definition["metadata"].get("finalizers") or []
        if definition["metadata"].get("deletionTimestamp") and custom_kinds.CLEANUP in finalizers:
            rest = [each for each in finalizers if each != custom_kinds.CLEANUP]
            changed = {**definition, "metadata": {**definition["metadata"], "finalizers": rest}}
            if rest:
                self.storage.put(definitions.storage_key, "", name, changed)
            else:
                del changed["metadata"]["finalizers"]
                self.storage.remove(definitions.storage_key, "", name, changed)
                self._load_definitions()


def _address(resource: Resource) -> tuple[str, str, str]:
    return (resource.group, resource.version, resource.plural)


def _established(definition: Object) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _as_native(node: Node) -> Node:
    return Node(node.raw, node.types, True)
