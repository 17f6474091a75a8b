"""What klamm puts into a local cluster: the custom resources' definitions, and the cluster operator itself.

The operator is a Deployment like any other, in the namespace that the user works in: it is put there as soon as that
namespace exists, also when it is made anew after a deletion. A newer klamm brings its own definitions and Deployment.
"""

from typing import Any

from klamm import __version__
from klamm.cli.home import Home
from klamm.cli.settings import LocalSettings
from klamm.desired.cluster_operator.installation import Installation, installation_objects
from klamm.distribution.artifacts import releases
from klamm.distribution.images import kafka_image, operator_image
from klamm.kube.catalogue import kind_of
from klamm.kube.kinds import Kind
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.objects import (
    CUSTOM_RESOURCE_DEFINITIONS,
    NAMESPACES,
    SERVICES,
    Object,
    Objects,
    Refused,
    Resource,
    WatchEventType,
)
from klamm.resources.structure import Block, encode

_VERSION = "klamm.dev/version"
_OF_THIS_MACHINE = "local"
"""In place of klamm's version in the images of brokers and ZooKeepers: a newer klamm must not restart them all."""


def install_cluster_wide(registry: Registry, objects: Objects, home: Home) -> None:
    """Definitions (once for each version of klamm) and the API's own Service."""
    ensure(objects, SERVICES, "default", _KUBERNETES_SERVICE)
    ensure(objects, SERVICES, "kube-system", _DNS_SERVICE)
    marker = home.run / "definitions"
    if marker.exists() and marker.read_text() == __version__ and registry.kind("kafka.strimzi.io", "v1", "kafkas"):
        return
    from klamm.resources.crds import all_definitions

    for definition in all_definitions():
        ensure(objects, CUSTOM_RESOURCE_DEFINITIONS, None, definition)
    marker.write_text(__version__)


async def keep_operator_installed(objects: Objects, settings: LocalSettings) -> None:
    """For ever: whenever the namespace appears, bring the operator into it."""
    wanted = [
        (resource_of(kind_of(block)), block.metadata.namespace or None, encode(block))  # type: ignore[attr-defined]
        for block in operator_objects(settings)
    ]
    async for event in objects.watch(NAMESPACES):
        if event.object["metadata"]["name"] != settings.operator_namespace:
            continue
        if event.type is WatchEventType.DELETED or event.object["metadata"].get("deletionTimestamp"):
            continue
        for resource, namespace, obj in wanted:
            ensure(objects, resource, namespace, obj)


def operator_objects(settings: LocalSettings) -> list[Block]:
    versions = [version for version in releases() if not version.startswith("4.")]
    return installation_objects(
        Installation(
            namespace=settings.operator_namespace,
            operator_image=operator_image(__version__),
            kafka_images={version: kafka_image(_OF_THIS_MACHINE, version) for version in versions},
            settings={"STRIMZI_DEFAULT_KAFKA_INIT_IMAGE": operator_image(_OF_THIS_MACHINE)},
            leader_election=False,
        )
    )


def ensure(objects: Objects, resource: Resource, namespace: str | None, wanted: Object) -> None:
    """Create it, or bring spec, data, rules and labels of what is there to what is wanted."""
    name = wanted["metadata"]["name"]
    found = objects.find(resource, namespace, name)
    try:
        if found is None:
            objects.create(resource, namespace, wanted)
        elif change := {key: value for key, value in _content(wanted).items() if found.get(key) != value}:
            objects.patch(resource, namespace, name, change)
    except Refused as refused:
        if refused.reason != "AlreadyExists":
            raise


def _content(obj: Object) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")}


def resource_of(kind: Kind[Any]) -> Resource:
    return Resource(kind.group, kind.version, kind.plural, kind.kind, kind.namespaced)


_KUBERNETES_SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
    "spec": {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.1",
        "ports": [{"name": "https", "port": 443, "targetPort": 6443, "protocol": "TCP"}],
    },
}

_DNS_SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "kube-dns", "labels": {"k8s-app": "kube-dns", "kubernetes.io/name": "KlammDNS"}},
    "spec": {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.10",
        "ports": [
            {"name": "dns", "port": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
        ],
    },
}
