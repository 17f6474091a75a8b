"""A container's environment: pure, over a `Sources` that looks ConfigMaps and Secrets up.

Later ones win: the image's defaults, the namespace's services, envFrom, env. `HOSTNAME` is what a container runtime
sets. A reference that cannot be resolved raises `MissingSource`, which becomes CreateContainerConfigError.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from klamm.localkube.kubelet import downward
from klamm.localkube.kubelet.expansion import expand
from klamm.localkube.objects import Object

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class MissingSource(Exception):
    """A ConfigMap, a Secret or a key of one is not there (yet)."""


class Sources(Protocol):
    """ConfigMaps and Secrets of the pod's namespace, with decoded values; None when there is no such object."""

    def config_map(self, name: str) -> Mapping[str, bytes] | None: ...

    def secret(self, name: str) -> Mapping[str, bytes] | None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the environment takes from outside the container's spec."""

    hostname: str
    pod_ip: str
    host_ip: str
    capacity: Mapping[str, str]
    """Of the node."""
    services: Mapping[str, str]
    """Service variables, see `service_links`."""


def environment(
    pod: Object,
    container: Mapping[str, Any],
    image: Mapping[str, str],
    around: Surroundings,
    sources: Sources,
    root: bool = True,
) -> dict[str, str]:
    variables = {"PATH": DEFAULT_PATH, "HOSTNAME": around.hostname, "HOME": "/root" if root else "/"}
    variables |= image
    variables |= around.services
    for source in container.get("envFrom") or ():
        variables |= _all_of(source, sources)
    for entry in container.get("env") or ():
        value = _value(pod, container["name"], entry, variables, around, sources)
        if value is not None:
            variables[entry["name"]] = value
    return variables


def _all_of(source: Mapping[str, Any], sources: Sources) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    if (reference := source.get("configMapRef")) is not None:
        found, kind = sources.config_map(reference["name"]), "configmap"
    elif (reference := source.get("secretRef")) is not None:
        found, kind = sources.secret(reference["name"]), "secret"
    else:
        return {}
    if found is None:
        if reference.get("optional"):
            return {}
        raise MissingSource(f'{kind} "{reference["name"]}" not found')
    return {prefix + key: _text(value) for key, value in found.items()}


def _value(
    pod: Object,
    container: str,
    entry: Mapping[str, Any],
    before: Mapping[str, str],
    around: Surroundings,
    sources: Sources,
) -> str | None:
    """None when an optional reference leads nowhere."""
    origin = entry.get("valueFrom")
    if not origin:
        return expand(entry.get("value") or "", before)
    if reference := origin.get("fieldRef"):
        return downward.field(pod, reference["fieldPath"], pod_ip=around.pod_ip, host_ip=around.host_ip)
    if reference := origin.get("resourceFieldRef"):
        return downward.resource_field(pod, reference, container, around.capacity)
    if reference := origin.get("configMapKeyRef"):
        return _key(reference, sources.config_map(reference["name"]), "configmap")
    if reference := origin.get("secretKeyRef"):
        return _key(reference, sources.secret(reference["name"]), "secret")
    return None


def _key(reference: Mapping[str, Any], found: Mapping[str, bytes] | None, kind: str) -> str | None:
    name, key = reference["name"], reference["key"]
    if found is not None and key in found:
        return _text(found[key])
    if reference.get("optional"):
        return None
    if found is None:
        raise MissingSource(f'{kind} "{name}" not found')
    raise MissingSource(f'couldn\'t find key {key} in {kind} "{name}"')


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def command_line(
    container: Mapping[str, Any],
    entrypoint: Iterable[str],
    arguments: Iterable[str],
    variables: Mapping[str, str],
) -> tuple[str, ...]:
    """argv by Kubernetes' rule: `command` replaces entrypoint and the image's arguments, `args` the arguments only."""
    command = tuple(expand(word, variables) for word in container.get("command") or ())
    args = tuple(expand(word, variables) for word in container.get("args") or ())
    if command:
        return command + args
    return (*entrypoint, *(args or arguments))
