"""The kinds that are served: the native ones, and those of CustomResourceDefinitions, from their coming to their end.

A definition is accepted and established in the same write: there is no second server to wait for. Its end waits for
that of its objects, by the finalizer `customresourcecleanup.apiextensions.k8s.io`.
"""

from collections.abc import Callable

from klamm.localkube.apiserver import custom_kinds, ownership
from klamm.localkube.apiserver.kinds import Kind, table
from klamm.localkube.apiserver.schema import Node
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.objects import CUSTOM_RESOURCE_DEFINITIONS, Object, Refused, Resource

_STATUS_WRITER = ownership.Writer("kube-apiserver", "Update", CUSTOM_RESOURCE_DEFINITIONS.api_version, "status")
Address = tuple[str, str, str]
"""(group, version, plural)"""


class ServedKinds:
    def __init__(self, storage: Storage, now: Callable[[], str]) -> None:
        """`now` gives the moment as objects carry it."""
        self._storage = storage
        self._now = now
        self._native = {_address(kind.resource): kind for kind in table().kinds}
        self._custom: dict[Address, Kind] = {}
        self._storage_nodes: dict[str, Node] = {}
        of_definitions = self._native[_address(CUSTOM_RESOURCE_DEFINITIONS)]
        self._definitions, self._node = of_definitions.storage_key, of_definitions.node
        self.changes = 0
        """Grows whenever a definition comes, changes or goes."""
        self.load()

    def all(self) -> list[Kind]:
        return [*self._native.values(), *self._custom.values()]

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        address = (group, version, plural)
        return self._native.get(address) or self._custom.get(address)

    def of(self, resource: Resource) -> Kind:
        kind = self.find(resource.group, resource.version, resource.plural)
        if kind is None:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        return kind

    def storage_node(self, kind: Kind) -> Node:
        """The type in which the kind's objects are kept."""
        return self._storage_nodes.get(kind.storage_key, kind.node)

    def load(self) -> None:
        self._custom.clear()
        self._storage_nodes.clear()
        for stored in self._storage.all(self._definitions):
            definition = self._storage.decode(stored)
            if _established(definition):
                for kind in custom_kinds.kinds_of(definition):
                    self._custom[_address(kind.resource)] = kind
                    self._storage_nodes[kind.storage_key] = custom_kinds.storage_node(definition)
        self.changes += 1

    def settle(self, name: str) -> None:
        """The definition was made or changed: accept its names and establish its kinds, or say what is in the way."""
        stored = self._storage.find(self._definitions, "", name)
        assert stored is not None
        definition = self._storage.decode(stored)
        settled = custom_kinds.with_status(definition, self._now(), self._name_taken(definition))
        if settled.get("status") != definition.get("status"):
            owned = ownership.after_update(definition, settled, self._node, _STATUS_WRITER, self._now())
            self._storage.put(self._definitions, "", name, owned)
        self.load()

    def _name_taken(self, definition: Object) -> str | None:
        spec = definition["spec"]
        for kind in self.all():
            same_group = kind.resource.group == spec["group"]
            other = kind.resource.plural != spec["names"]["plural"]
            if same_group and other and kind.resource.kind == spec["names"]["kind"]:
                return f'"{kind.resource.kind}" is already in use'
        return None

    def blocking(self, definition: Object) -> Kind | None:
        """The kind whose objects must go before the definition may."""
        own = next(custom_kinds.kinds_of(definition), None)
        return own if own is not None and self._storage.count(own.storage_key) else None

    def emptied(self, name: str) -> None:
        """A definition has no objects any more: it may go now, if it only waited for that."""
        stored = self._storage.find(self._definitions, "", name)
        if stored is None:
            return
        definition = self._storage.decode(stored)
        finalizers = definition["metadata"].get("finalizers") or []
        if not definition["metadata"].get("deletionTimestamp") or custom_kinds.CLEANUP not in finalizers:
            return
        rest = [each for each in finalizers if each != custom_kinds.CLEANUP]
        changed = {**definition, "metadata": {**definition["metadata"], "finalizers": rest}}
        if rest:
            self._storage.put(self._definitions, "", name, changed)
        else:
            del changed["metadata"]["finalizers"]
            self._storage.remove(self._definitions, "", name, changed)
            self.load()


def _address(resource: Resource) -> Address:
    return (resource.group, resource.version, resource.plural)


def _established(definition: Object) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
