"""What every namespace has: the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`.

Kubernetes docs, "Managing Service Accounts": both are made anew when they are deleted; the ConfigMap's `ca.crt`
is what pods trust to reach the API, so a changed one is put right.
"""

from klamm.localkube.controllers.informers import Change, Informers, only_metadata
from klamm.localkube.controllers.ownership import is_deleting
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.objects import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS, Object, Refused, Resource

ROOT_CA = "kube-root-ca.crt"


class ServiceAccounts:
    name = "service accounts"

    def __init__(self, informers: Informers, ca_certificate: str) -> None:
        """`ca_certificate`: PEM of the authority that signs the API server's certificate."""
        self._informers = informers
        self._ca = ca_certificate
        self._namespaces = informers.cache(NAMESPACES)
        self._accounts = informers.cache(SERVICE_ACCOUNTS)
        self._config_maps = informers.cache(CONFIG_MAPS, _only_ours)

    def watch(self, queue: WorkQueue[str]) -> None:
        self._informers.subscribe(NAMESPACES, lambda change: queue.add(change.key.name))
        self._informers.subscribe(SERVICE_ACCOUNTS, lambda change: _queue_named(queue, "default", change))
        self._informers.subscribe(CONFIG_MAPS, lambda change: _queue_named(queue, ROOT_CA, change))

    async def reconcile(self, key: str) -> None:
        namespace = self._namespaces.get(None, key)
        if namespace is None or is_deleting(namespace):
            return
        if self._accounts.get(key, "default") is None:
            self._create(SERVICE_ACCOUNTS, key, {"metadata": {"name": "default"}})
        data = {"ca.crt": self._ca}
        config_map = self._config_maps.get(key, ROOT_CA)
        if config_map is None:
            self._create(CONFIG_MAPS, key, {"metadata": {"name": ROOT_CA}, "data": data})
        elif config_map.get("data") != data:
            self._informers.update(CONFIG_MAPS, {**config_map, "data": data})

    def _create(self, resource: Resource, namespace: str, obj: Object) -> None:
        full = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        full["metadata"] = {**obj["metadata"], "namespace": namespace}
        try:
            self._informers.create(resource, namespace, full)
        except Refused as refused:
            if refused.reason != "AlreadyExists":
                raise


def _only_ours(config_map: Object) -> Object:
    """Other people's ConfigMaps may be large, and only their metadata is of use to anyone here."""
    return config_map if config_map["metadata"]["name"] == ROOT_CA else only_metadata(config_map)


def _queue_named(queue: WorkQueue[str], name: str, change: Change) -> None:
    if change.key.name == name:
        queue.add(change.key.namespace)
