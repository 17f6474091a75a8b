"""Which objects of its namespace a pod stands on: changes of these wake its worker. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from klamm.localkube.kubelet.facts import containers_of
from klamm.localkube.objects import (
    CONFIG_MAPS,
    PERSISTENT_VOLUME_CLAIMS,
    SECRETS,
    Object,
    Resource,
)

Reference = tuple[Resource, str]


def references(pod: Object) -> frozenset[Reference]:
    found: set[Reference] = set()
    for volume in pod["spec"].get("volumes") or ():
        found.update(_of_volume(pod["metadata"]["name"], volume))
    for _, container in containers_of(pod):
        found.update(_of_container(container))
    return frozenset(found)


def _of_volume(pod: str, volume: Mapping[str, Any]) -> Iterator[Reference]:
    yield from _of_source(volume, secret_name="secretName")
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield from _of_source(source, secret_name="name")
    if claim := claim_name(pod, volume):
        yield PERSISTENT_VOLUME_CLAIMS, claim


def _of_source(source: Mapping[str, Any], secret_name: str) -> Iterator[Reference]:
    if secret := source.get("secret"):
        yield SECRETS, secret[secret_name]
    if config_map := source.get("configMap"):
        yield CONFIG_MAPS, config_map["name"]


def claim_name(pod: str, volume: Mapping[str, Any]) -> str | None:
    """A generic ephemeral volume has a claim of its own, named after pod and volume."""
    if claim := volume.get("persistentVolumeClaim"):
        return str(claim["claimName"])
    return f"{pod}-{volume['name']}" if volume.get("ephemeral") else None


def _of_container(container: Mapping[str, Any]) -> Iterator[Reference]:
    for source in container.get("envFrom") or ():
        for kind, resource in (("configMapRef", CONFIG_MAPS), ("secretRef", SECRETS)):
            if kind in source:
                yield resource, source[kind]["name"]
    for entry in container.get("env") or ():
        origin = entry.get("valueFrom") or {}
        for kind, resource in (("configMapKeyRef", CONFIG_MAPS), ("secretKeyRef", SECRETS)):
            if kind in origin:
                yield resource, origin[kind]["name"]
