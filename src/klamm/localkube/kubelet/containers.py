"""From the pod's container to what the node runs: `SandboxSpec` and `ContainerSpec`. Pure."""

from collections.abc import Mapping
from typing import Any

from klamm.localkube.kubelet.environment import command_line
from klamm.localkube.kubelet.facts import PodKey, container_id
from klamm.localkube.kubelet.runtime import ContainerSpec, SandboxSpec
from klamm.localkube.objects import Image, Mount, Object

UNPRIVILEGED_USER = 1001
"""For runAsNonRoot without runAsUser: on a cluster the image's USER answers, and images in a table have none."""


def hostname(pod: Object) -> str:
    name: str = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return name[:63].rstrip("-.")


def sandbox_spec(pod: Object, cluster_domain: str, stop_wave: int = 0) -> SandboxSpec:
    key, spec = PodKey.of(pod), pod["spec"]
    subdomain = spec.get("subdomain")
    aliases = spec.get("hostAliases") or ()
    return SandboxSpec(
        id=key.uid,
        namespace=key.namespace,
        pod=key.name,
        hostname=hostname(pod),
        domain=f"{subdomain}.{key.namespace}.svc.{cluster_domain}" if subdomain else "",
        dns_search=_searches(spec, key.namespace, cluster_domain),
        host_aliases=tuple((alias["ip"], tuple(alias.get("hostnames") or ())) for alias in aliases),
        stop_wave=stop_wave,
        grace_seconds=float(spec.get("terminationGracePeriodSeconds", 30)),
    )


def _searches(spec: Mapping[str, Any], namespace: str, domain: str) -> tuple[str, ...]:
    own = tuple((spec.get("dnsConfig") or {}).get("searches") or ())
    if (spec.get("dnsPolicy") or "ClusterFirst") not in ("ClusterFirst", "ClusterFirstWithHostNet"):
        return own
    return (f"{namespace}.svc.{domain}", f"svc.{domain}", domain, *own)


def security(pod: Object, container: Mapping[str, Any], name: str) -> Any:
    """A field of the container's securityContext, else of the pod's."""
    own = (container.get("securityContext") or {}).get(name)
    return own if own is not None else (pod["spec"].get("securityContext") or {}).get(name)


def user_of(pod: Object, container: Mapping[str, Any]) -> int | None:
    user = security(pod, container, "runAsUser")
    if user is None:
        return UNPRIVILEGED_USER if security(pod, container, "runAsNonRoot") else None
    return int(user)


def container_spec(
    pod: Object,
    container: Mapping[str, Any],
    attempt: int,
    image: Image,
    variables: Mapping[str, str],
    mounts: tuple[Mount, ...],
    log_path: str,
) -> ContainerSpec:
    uid = pod["metadata"]["uid"]
    group = security(pod, container, "runAsGroup")
    terminal = bool(container.get("tty"))
    return ContainerSpec(
        id=container_id(uid, container["name"], attempt),
        sandbox_id=uid,
        command=command_line(container, image.entrypoint, image.arguments, variables),
        environment={"TERM": "xterm", **variables} if terminal else variables,
        working_directory=container.get("workingDir") or image.working_directory or "/",
        root=image.mounts,
        mounts=mounts,
        log_path=log_path,
        user=user_of(pod, container),
        group=None if group is None else int(group),
        tty=terminal,
        stdin=bool(container.get("stdin")),
        read_only_root=bool((container.get("securityContext") or {}).get("readOnlyRootFilesystem")),
        termination_message_path=container.get("terminationMessagePath") or "/dev/termination-log",
    )
