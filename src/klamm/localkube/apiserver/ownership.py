"""managedFields: who set which field, and server-side apply on top of it.

Every write names a manager. A plain write gives its manager what it added or changed and takes that away from the
others; an apply owns exactly what it says, conflicts with others' values, and takes away what it owned and says no
more. The rules are those of Kubernetes' "Server-Side Apply" page and of structured merge and diff.
"""

from collections import deque
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import msgspec

from klamm.localkube.apiserver import field_sets, statuses
from klamm.localkube.apiserver.field_sets import DuplicateItem, FieldSet, Path
from klamm.localkube.apiserver.schema import Node
from klamm.localkube.objects import Object

MAX_UPDATERS = 10
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_UNOWNED_METADATA = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
]
_UNOWNED: FieldSet = {("f:apiVersion",), ("f:kind",), ("f:metadata",)} | {
    ("f:metadata", f"f:{name}") for name in _UNOWNED_METADATA[:-2]
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the identity under which fields are owned. An applier is the same whatever version it speaks."""

    manager: str
    operation: str
    api_version: str
    subresource: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        version = "" if self.operation == "Apply" else self.api_version
        return (self.manager, self.operation, version, self.subresource)


@dataclass(frozen=True, slots=True)
class Entry:
    """`told`: the fields as the object that was read carries them; most entries are written as they were read."""

    writer: Writer
    fields: FieldSet
    time: str = ""
    told: Object | None = None


@dataclass(slots=True)
class Managed:
    entries: dict[tuple[str, ...], Entry] = field(default_factory=dict)

    def take_away(self, fields: FieldSet, but: Writer | None = None) -> None:
        for identity, entry in list(self.entries.items()):
            if but is not None and identity == but.identity:
                continue
            left = entry.fields - fields
            if not left:
                del self.entries[identity]
            elif len(left) < len(entry.fields):
                self.entries[identity] = Entry(entry.writer, left, entry.time)


def read(obj: Object, *, from_client: bool = False) -> Managed:
    """Entries that cannot be understood are left out, as the real server does.

    What we wrote has the order and the form that `write` gives; what comes from a client may have another.
    """
    managed = Managed()
    for raw in obj.get("metadata", {}).get("managedFields") or ():
        if raw.get("operation") not in ("Apply", "Update"):
            continue
        writer = Writer(raw.get("manager", ""), raw["operation"], raw.get("apiVersion", ""), raw.get("subresource", ""))
        told = raw.get("fieldsV1") or {}
        fields = field_sets.from_fields_v1(told)
        managed.entries[writer.identity] = Entry(writer, fields, raw.get("time", ""), None if from_client else told)
    return managed


def write(managed: Managed) -> list[Object]:
    entries = sorted(managed.entries.values(), key=_order)
    return [_as_object(entry) for entry in entries]


def _order(entry: Entry) -> tuple[Any, ...]:
    """Appliers first, then by time."""
    return (entry.writer.operation != "Apply", entry.time, entry.writer.manager, entry.writer.subresource)


def _as_object(entry: Entry) -> Object:
    obj: Object = {
        "manager": entry.writer.manager,
        "operation": entry.writer.operation,
        "apiVersion": entry.writer.api_version,
        **({"time": entry.time} if entry.time else {}),
        "fieldsType": "FieldsV1",
        "fieldsV1": field_sets.to_fields_v1(entry.fields) if entry.told is None else entry.told,
    }
    if entry.writer.subresource:
        obj["subresource"] = entry.writer.subresource
    return obj


def with_managed(obj: Object, managed: Managed) -> Object:
    metadata = dict(obj["metadata"])
    metadata.pop("managedFields", None)
    listed = write(managed)
    if listed:
        metadata["managedFields"] = listed
    return {**obj, "metadata": metadata}


def _bare(obj: Object) -> Object:
    """Without the metadata that nobody owns, for comparing."""
    metadata = {name: value for name, value in obj.get("metadata", {}).items() if name not in _UNOWNED_METADATA}
    return {**obj, "metadata": metadata}


def after_update(
    old: Object | None, new: Object, node: Node, writer: Writer, now: str, ignored: AbstractSet[Path] = frozenset()
) -> Object:
    """`new` with the ownership that follows from a plain write. A client that sends an empty list resets it all."""
    before = read(old) if old is not None else None
    given = new["metadata"].get("managedFields")
    if before is not None and old is not None and given in (None, old["metadata"].get("managedFields")):
        managed = before
    else:
        managed = read(new, from_client=True)
    if before is not None and not before.entries:
        return with_managed(new, managed)  # whose fields nobody has tracked until now nobody tracks, but by an apply
    empty = {"apiVersion": new["apiVersion"], "kind": new["kind"], "metadata": {}}
    try:
        compared = field_sets.compare(_bare(old or empty), _bare(new), node)
    except DuplicateItem:
        return with_managed(new, managed)
    changed = _without_prefixes(compared.added | compared.modified, ignored) - _UNOWNED
    managed.take_away(changed | compared.removed, but=writer)
    entry = managed.entries.get(writer.identity)
    after = ((entry.fields if entry else set()) - compared.removed) | changed
    if after:
        if entry is None or changed or compared.removed:
            managed.entries[writer.identity] = Entry(writer, after, now)
    else:
        managed.entries.pop(writer.identity, None)
    _cap_updaters(managed)
    return with_managed(new, managed)


def _cap_updaters(managed: Managed) -> None:
    """Writers that change their name with every write must not make the object grow without end."""
    updaters = [entry for entry in managed.entries.values() if entry.writer.operation == "Update"]
    surplus = len(updaters) - MAX_UPDATERS
    if surplus <= 0:
        return
    oldest = sorted(updaters, key=_order)[: surplus + 1]
    for version in {entry.writer.api_version for entry in oldest}:
        same = [entry for entry in oldest if entry.writer.api_version == version]
        if len(same) < 2:
            continue
        for entry in same:
            del managed.entries[entry.writer.identity]
        writer = Writer("ancient-changes", "Update", version)
        fields = set().union(*(entry.fields for entry in same))
        managed.entries[writer.identity] = Entry(writer, fields, same[-1].time)


def apply(
    live: Object, config: Object, node: Node, writer: Writer, now: str, *, force: bool, ignored: FieldSet
) -> Object:
    """Merge `config` into `live` as an apply by `writer`; Refused 409 where it would change what others own.

    `ignored` holds the parts that this endpoint does not write (status on the main resource and the reverse).
    """
    managed = read(live)
    if not managed.entries and live["metadata"].get("resourceVersion"):
        _adopt_unmanaged(live, node, managed, now)
    config = _applicable(config)
    try:
        mine = _without_prefixes(field_sets.fields_of(config, node), ignored) - _UNOWNED
        bare = _bare(live)
        merged = merge(bare, field_sets.without_fields(config, node, ignored), node)
        previous = managed.entries.get(writer.identity)
        managed.entries[writer.identity] = Entry(writer, mine, previous.time if previous else "")
        if previous is not None:
            merged = _pruned(merged, node, previous.fields, managed)
        compared = field_sets.compare(bare, merged, node)
    except DuplicateItem as error:
        raise statuses.bad_request(f"failed to apply: a list holds the key {error} more than once") from error
    changed = compared.added | compared.modified
    if changed or compared.removed:
        # An apply that changes nothing of the object has no time of its own.
        managed.entries[writer.identity] = Entry(writer, mine, now)
    if not force:
        _refuse_conflicts(managed, changed - _upgradable(live, node, writer), writer)
    managed.take_away(changed | compared.removed, but=writer)
    if not mine:
        managed.entries.pop(writer.identity, None)
    metadata = {**live["metadata"], **merged["metadata"]}
    for name in live["metadata"]:
        if name not in merged["metadata"] and name not in _UNOWNED_METADATA:
            del metadata[name]
    return with_managed({**merged, "metadata": metadata}, managed)


def _applicable(config: Object) -> Object:
    return _bare(config)


def _adopt_unmanaged(live: Object, node: Node, managed: Managed, now: str) -> None:
    """An object from before anybody tracked its fields: they belong to "before-first-apply"."""
    writer = Writer("before-first-apply", "Update", live["apiVersion"])
    empty = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": {}}
    fields = field_sets.compare(empty, _bare(live), node).added - _UNOWNED
    if fields:
        managed.entries[writer.identity] = Entry(writer, fields, now)


def _without_prefixes(fields: FieldSet, prefixes: AbstractSet[Path]) -> FieldSet:
    if not prefixes:
        return fields
    return {path for path in fields if not any(path[: len(prefix)] == prefix for prefix in prefixes)}


def _pruned(merged: Object, node: Node, before: FieldSet, managed: Managed) -> Object:
    """Without what this applier owned, says no more, and nobody else owns."""
    named = field_sets.with_named_fields
    owned = named(set().union(*(entry.fields for entry in managed.entries.values())), node)
    gone = named(before, node) - owned - _UNOWNED
    if not gone:
        return merged
    result: Object = field_sets.without_fields(merged, node, gone)
    return result


def _refuse_conflicts(managed: Managed, changed: FieldSet, writer: Writer) -> None:
    causes: list[tuple[str, str]] = []
    for entry in sorted(managed.entries.values(), key=_order):
        if entry.writer.identity != writer.identity:
            shared: Iterable[Path] = sorted(entry.fields & changed, key=_members_first)
            causes += [(f"conflict with {_described(entry)}", field_sets.shown(path)) for path in shared]
    if causes:
        raise statuses.apply_conflict(causes)


def _members_first(path: Path) -> tuple[tuple[bool, str], ...]:
    """The order in which structured-merge-diff tells a set: at each level what ends there, then what goes on."""
    return tuple((depth < len(path), element) for depth, element in enumerate(path, 1))


def _upgradable(live: Object, node: Node, writer: Writer) -> FieldSet:
    """Fields that a server-side `kubectl apply` may take from a client-side one: those that its annotation holds."""
    text = last_applied(live)
    if writer.manager != "kubectl" or not text:
        return set()
    try:
        said = msgspec.json.decode(text)
        fields = field_sets.fields_of(said, node)
        return fields - field_sets.compare(said, live, node).modified
    except (msgspec.DecodeError, DuplicateItem, AttributeError):
        return set()


def last_applied(obj: Object) -> str:
    """What client-side apply noted on the object."""
    return str((obj["metadata"].get("annotations") or {}).get(LAST_APPLIED, ""))


def _described(entry: Entry) -> str:
    text = f'"{entry.writer.manager}"'
    if entry.writer.subresource:
        text += f' with subresource "{entry.writer.subresource}"'
    if entry.writer.operation == "Update":
        text += f" using {entry.writer.api_version}"
    return text


def merge(live: Any, config: Any, node: Node) -> Any:
    """Lay `config` over `live`: structs and maps by name, associative lists by key, all else whole."""
    if isinstance(config, dict) and isinstance(live, dict) and not node.map_atomic:
        merged = dict(live)
        for name, value in config.items():
            merged[name] = merge(live.get(name), value, node.child(name))
        return merged
    if isinstance(config, list) and isinstance(live, list) and not field_sets.is_atomic_list(node):
        return _merge_lists(live, config, node)
    if config is None and _has_parts(live, node):
        return live  # null takes nothing away from those who own the parts
    return config


def _has_parts(value: Any, node: Node) -> bool:
    if isinstance(value, dict):
        return not node.map_atomic
    return isinstance(value, list) and not field_sets.is_atomic_list(node)


def _merge_lists(live: list[Any], config: list[Any], node: Node) -> list[Any]:
    """Applied items in the order that they are applied in, the others where they were among them.

    Of a live item that is applied at another place the applied place counts: it is passed over until its turn comes.
    """
    before = field_sets.items_by_element(live, node)
    applied = field_sets.items_by_element(config, node)
    waiting, shared = deque(before), deque(element for element in applied if element in before)
    result: list[Any] = []
    for element, item in applied.items():
        while waiting and waiting[0] != element and (waiting[0] not in applied or waiting[0] != shared[0]):
            passed = waiting.popleft()
            if passed not in applied:
                result.append(before[passed])
        if waiting and waiting[0] == element:
            waiting.popleft()
        if shared and shared[0] == element:
            shared.popleft()
        result.append(merge(before[element], item, node.items) if element in before else item)
    return result + [before[element] for element in waiting if element not in applied]
