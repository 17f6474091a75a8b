"""The files of configMap, secret, downwardAPI and projected volumes: pure, over `Sources` and a token issuer.

A payload maps paths below the volume to content and mode. `MissingSource` is raised for what is referred to, not
optional, and not there.
"""

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from klamm.localkube.kubelet import downward
from klamm.localkube.kubelet.environment import MissingSource, Sources
from klamm.localkube.objects import Object

DEFAULT_MODE = 0o644


@dataclass(frozen=True, slots=True)
class VolumeFile:
    content: bytes = field(repr=False)
    mode: int = DEFAULT_MODE


Payload = dict[str, VolumeFile]


@dataclass(frozen=True, slots=True)
class PayloadInputs:
    pod: Object
    sources: Sources
    token: Callable[[Mapping[str, Any]], str]
    """A serviceAccountToken projection → a token that is valid for some time."""
    pod_ip: str = ""
    host_ip: str = ""
    capacity: Mapping[str, str] = field(default_factory=dict)


def payload(volume: Mapping[str, Any], given: PayloadInputs) -> Payload | None:
    """None: the volume is of a kind that holds no rendered files."""
    if (source := volume.get("configMap")) is not None:
        return _from_object("configmap", source, given.sources.config_map(source["name"]), _mode(source))
    if (source := volume.get("secret")) is not None:
        return _from_object("secret", source, given.sources.secret(source["secretName"]), _mode(source), "secretName")
    if (source := volume.get("downwardAPI")) is not None:
        return _downward(source, given, _mode(source))
    if (source := volume.get("projected")) is not None:
        files: Payload = {}
        for part in source.get("sources") or ():
            files |= _projection(part, given, _mode(source))
        return files
    return None


def _mode(source: Mapping[str, Any]) -> int:
    mode = source.get("defaultMode")
    return DEFAULT_MODE if mode is None else int(mode)


def _projection(part: Mapping[str, Any], given: PayloadInputs, mode: int) -> Payload:
    if (source := part.get("configMap")) is not None:
        return _from_object("configmap", source, given.sources.config_map(source["name"]), mode)
    if (source := part.get("secret")) is not None:
        return _from_object("secret", source, given.sources.secret(source["name"]), mode)
    if (source := part.get("downwardAPI")) is not None:
        return _downward(source, given, mode)
    if (source := part.get("serviceAccountToken")) is not None:
        # Kubernetes: with an fsGroup a token is its owner's and the group's only, whatever the default mode says.
        has_group = (given.pod["spec"].get("securityContext") or {}).get("fsGroup") is not None
        return {_inside(source["path"]): VolumeFile(given.token(source).encode(), 0o600 if has_group else mode)}
    return {}


def _from_object(
    kind: str, source: Mapping[str, Any], found: Mapping[str, bytes] | None, mode: int, name: str = "name"
) -> Payload:
    optional = bool(source.get("optional"))
    if found is None:
        if optional:
            return {}
        raise MissingSource(f'{kind} "{source[name]}" not found')
    items: Iterable[Mapping[str, Any]] | None = source.get("items")
    if not items:
        return {_inside(key): VolumeFile(content, mode) for key, content in found.items()}
    files: Payload = {}
    for item in items:
        if item["key"] in found:
            files[_inside(item["path"])] = VolumeFile(found[item["key"]], _item_mode(item, mode))
        elif not optional:
            raise MissingSource(f'{kind} "{source[name]}" has no key "{item["key"]}", which the volume refers to')
    return files


def _item_mode(item: Mapping[str, Any], default: int) -> int:
    mode = item.get("mode")
    return default if mode is None else int(mode)


def _downward(source: Mapping[str, Any], given: PayloadInputs, mode: int) -> Payload:
    files: Payload = {}
    for item in source.get("items") or ():
        if reference := item.get("fieldRef"):
            path = reference["fieldPath"]
            text = downward.field(given.pod, path, pod_ip=given.pod_ip, host_ip=given.host_ip)
        else:
            text = downward.resource_field(given.pod, item["resourceFieldRef"], "", given.capacity)
        files[_inside(item["path"])] = VolumeFile(text.encode(), _item_mode(item, mode))
    return files


def _inside(path: str) -> str:
    """The API refuses such paths; checked here too, because the files are written with the owner's rights."""
    normal = posixpath.normpath(path)
    if posixpath.isabs(normal) or normal == "." or ".." in normal.split("/") or normal.startswith(".."):
        raise MissingSource(f'path "{path}" of a volume item leads out of its volume: write a relative path')
    return normal
