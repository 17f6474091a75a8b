"""Whether the whole cluster is going: then its topics go, or stay, with it, and Kafka is not touched for them.

A Kafka that may be half gone need not delete topics one by one; and whoever deletes a cluster and keeps its volumes
keeps the data, although the KafkaTopics go too.
"""

from klamm.base.together import side_by_side
from klamm.desired.entity_operator.naming import ledger_name
from klamm.kube import errors
from klamm.kube.catalogue import CONFIG_MAP_NAMES, KAFKA_NAMES
from klamm.kube.client import Client
from klamm.kube.kinds import Kind, Name
from klamm.resources.native.metadata import NativeObject

_NAMESPACES = Kind("", "v1", "namespaces", "Namespace", NativeObject, namespaced=False)


class Ending:
    """`cluster` is None for an operator without a Kafka resource; `namespace` is where the topics' resources are."""

    def __init__(self, client: Client, cluster: Name | None, namespace: str) -> None:
        self._client = client
        self._cluster = cluster
        self._namespace = namespace
        self.cluster_uid: str | None = None
        """Of the Kafka resource that was there at the start; with brokers of another origin there never is one."""
        self.namespace_uid: str | None = None
        """Of the namespace that was there at the start: one made anew has none of its KafkaTopics."""
        self._is_orphan = False
        """What a cluster operator makes was there without its Kafka resource: all that is left is about to go."""

    async def begin(self) -> None:
        """Raises a KubeError when it cannot be told whether there is a Kafka resource."""
        if self._cluster is None:
            return
        self.namespace_uid = await self._uid(_NAMESPACES, Name("", self._namespace))
        self.cluster_uid = await self._uid(KAFKA_NAMES, self._cluster)
        if self.cluster_uid is None:
            notes = Name(self._cluster.namespace, ledger_name(self._cluster.name))
            self._is_orphan = await self._uid(CONFIG_MAP_NAMES, notes) is not None

    async def _uid(self, kind: Kind[NativeObject], name: Name) -> str | None:
        try:
            found = await self._client.find(kind, name)
        except errors.Forbidden:
            return None
        return found.metadata.uid if found else None

    async def reason(self) -> str | None:
        """Why topics are left to go with their cluster, or None. Raises a KubeError where that cannot be told."""
        namespace, kafka = await side_by_side(self._client.find(_NAMESPACES, Name("", self._namespace)), self._kafka())
        if namespace is not None and namespace.metadata.deletion_timestamp:
            return f"namespace {self._namespace} is terminating"
        if self.namespace_uid is not None and (namespace is None or namespace.metadata.uid != self.namespace_uid):
            return f"namespace {self._namespace} is gone"
        if self.cluster_uid is None:
            return f"Kafka {self._cluster} was gone at the start" if self._is_orphan else None
        if kafka is None or kafka.metadata.uid != self.cluster_uid:
            return f"Kafka {self._cluster} is gone"
        return f"Kafka {self._cluster} is being deleted" if kafka.metadata.deletion_timestamp else None

    async def _kafka(self) -> NativeObject | None:
        if self._cluster is None or self.cluster_uid is None:
            return None
        return await self._client.find(KAFKA_NAMES, self._cluster)
