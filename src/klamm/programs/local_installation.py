"""What klamm puts into a local cluster: the custom resources' definitions, and the cluster operator itself.

The operator is a Deployment like any other, in the namespace that the user works in: it is put there as soon as that
namespace exists, also when it is made anew after a deletion. A newer klamm brings its own definitions and Deployment.

It makes room for a Helm release of the operator: its objects carry the marks by which `helm install kafka-operator`
takes them over instead of refusing, what the release does not take is removed, and as long as there is a release,
klamm puts nothing of its own into the cluster.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import klamm
from klamm import __version__
from klamm.cli.home import Home
from klamm.cli.settings import LocalSettings
from klamm.desired.cluster_operator.installation import Installation, installation_objects
from klamm.desired.cluster_operator.naming import NAME
from klamm.distribution.images import kafka_image, operator_image
from klamm.kube.catalogue import kind_of
from klamm.kube.kinds import Kind
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.objects import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    NAMESPACES,
    SECRETS,
    SERVICES,
    Object,
    Objects,
    Refused,
    Resource,
    WatchEventType,
)
from klamm.releases.versions import versions_with_zookeeper
from klamm.resources.structure import Block, encode

_OURS = "klamm.dev/local"
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


RELEASE = "kafka-operator"
"""The name of the Helm release that may take our objects over; another one needs `--take-ownership`."""

_HELM_ENDS_WITHIN = 60.0
_Wanted = tuple[Resource, str | None, Object]


@dataclass(frozen=True)
class OperatorInstallation:
    """Keeps the operator in its namespace, unless a Helm release brings one. `run` goes on for ever."""

    objects: Objects
    namespace: str
    wanted: Sequence[_Wanted]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_namespace())
            tasks.create_task(self._make_room())

    async def _follow_namespace(self) -> None:
        async for event in self.objects.watch(NAMESPACES):
            metadata = event.object["metadata"]
            if metadata["name"] != self.namespace or event.type is not WatchEventType.ADDED:
                continue
            if _made_by_helm(event.object):
                await self._first_release_ended()
            self._install()

    def _install(self) -> None:
        namespace = self.objects.find(NAMESPACES, None, self.namespace)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return
        if any(map(_is_released_operator, self.objects.list(DEPLOYMENTS))):
            return
        for resource, where, obj in self.wanted:
            ensure(self.objects, resource, where, obj)

    async def _first_release_ended(self) -> None:
        """`helm install --create-namespace` looks for objects in its way, then makes the namespace, then its objects:
        were ours there by then, it would fail. So it goes first."""
        try:
            async with asyncio.timeout(_HELM_ENDS_WITHIN):
                async for event in self.objects.watch(SECRETS, self.namespace):
                    labels = event.object["metadata"].get("labels") or {}
                    if labels.get("owner") == "helm" and not labels.get("status", "").startswith("pending"):
                        return
        except TimeoutError:
            return

    async def _make_room(self) -> None:
        """Helm writes a release's Deployment after everything that it needs: what it left until then is not its own."""
        async for event in self.objects.watch(DEPLOYMENTS):
            if event.type is not WatchEventType.DELETED and _is_released_operator(event.object):
                for resource, namespace, obj in self.wanted:
                    found = self.objects.find(resource, namespace, obj["metadata"]["name"])
                    if found is not None and _is_ours(found):
                        self.objects.delete(resource, namespace, obj["metadata"]["name"])


def operator_installation(objects: Objects, settings: LocalSettings) -> OperatorInstallation:
    wanted = [
        (resource_of(kind_of(block)), block.metadata.namespace or None, _for_helm(encode(block), settings))  # type: ignore[attr-defined]
        for block in operator_objects(settings)
    ]
    return OperatorInstallation(objects, settings.operator_namespace, wanted)


def _for_helm(obj: Object, settings: LocalSettings) -> Object:
    """Without these marks Helm refuses to install over an object."""
    marks = {"meta.helm.sh/release-name": RELEASE, "meta.helm.sh/release-namespace": settings.operator_namespace}
    metadata = obj["metadata"]
    labels = {**metadata["labels"], "app.kubernetes.io/managed-by": "Helm", _OURS: "true"}
    return {
        **obj,
        "metadata": {**metadata, "labels": labels, "annotations": {**metadata.get("annotations", {}), **marks}},
    }


def _made_by_helm(namespace: Object) -> bool:
    return any(str(each.get("manager")).startswith("helm") for each in namespace["metadata"].get("managedFields", ()))


def _is_released_operator(deployment: Object) -> bool:
    return deployment["metadata"]["name"] == NAME and _labels(deployment).get("heritage") == "Helm"


def _is_ours(obj: Object) -> bool:
    """Written by us, and taken by no release since."""
    return _OURS in _labels(obj) and "heritage" not in _labels(obj)


def _labels(obj: Object) -> dict[str, str]:
    labels: dict[str, str] = obj["metadata"].get("labels") or {}
    return labels


def operator_objects(settings: LocalSettings) -> list[Block]:
    return installation_objects(
        Installation(
            namespace=settings.operator_namespace,
            operator_image=operator_image(__version__),
            kafka_images={version: kafka_image(_OF_THIS_MACHINE, version) for version in versions_with_zookeeper()},
            settings={
                "STRIMZI_DEFAULT_KAFKA_INIT_IMAGE": operator_image(_OF_THIS_MACHINE),
                "KLAMM_GIVES_WAY": "true",  # to a release's, which starts before this one is ended
            },
            leader_election=False,
            run_as_non_root=True if others_may_read(Path(klamm.__file__).parent) else None,
        )
    )


def others_may_read(folder: Path) -> bool:
    """Who works as root with umask 077 has a checkout that no other user can read, the operator's neither."""
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, Path(sys.prefix)))


def ensure(objects: Objects, resource: Resource, namespace: str | None, wanted: Object) -> None:
    """Create it, or bring spec, data, rules, labels and annotations of what is there to what is wanted."""
    name = wanted["metadata"]["name"]
    found = objects.find(resource, namespace, name)
    try:
        if found is None:
            objects.create(resource, namespace, wanted)
        elif change := _change(found, wanted):
            objects.patch(resource, namespace, name, change)
    except Refused as refused:
        if refused.reason != "AlreadyExists":
            raise


def _change(found: Object, wanted: Object) -> dict[str, Any]:
    others = ("apiVersion", "kind", "metadata", "status")
    content = {key: value for key, value in wanted.items() if key not in others and found.get(key) != value}
    marks = {
        key: wanted["metadata"][key]
        for key in ("labels", "annotations")
        if not wanted["metadata"].get(key, {}).items() <= (found["metadata"].get(key) or {}).items()
    }
    return {**content, **({"metadata": marks} if marks else {})}


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
