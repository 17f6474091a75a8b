"""How to reach what runs: addresses of listeners as the operator reports them, and the commands to try next."""

from collections.abc import Iterable
from dataclasses import dataclass

from klamm.cli.columns import aligned
from klamm.cli.seen import Resource

LOOPBACK = ("127.0.0.1:", "localhost:")


@dataclass(frozen=True, slots=True)
class Address:
    """A listener's bootstrap servers, by where they can be reached from."""

    listener: str
    inside: str = ""
    outside: str = ""


def addresses(resource: Resource) -> list[Address]:
    listeners = resource.status.listeners if resource.status else []
    return [Address(one.name or one.type, *_sides(one.bootstrap_servers)) for one in listeners if one.bootstrap_servers]


def _sides(servers: str) -> tuple[str, str]:
    """Node ports lie on this machine's loopback; everything else is a Service's name, for pods."""
    return ("", servers) if servers.startswith(LOOPBACK) else (servers, "")


def how_to_connect(resources: Iterable[Resource], *, kubeconfig_command: str = "klamm kubeconfig") -> list[str]:
    """Lines for the end of `klamm up` and for `klamm status`."""
    clusters = [one for one in resources if one.kind == "Kafka" and addresses(one)]
    lines: list[str] = []
    for cluster in clusters:
        rows = [["LISTENER", "FROM PODS", "FROM THIS MACHINE"]]
        rows += [[one.listener, one.inside or "-", one.outside or "-"] for one in addresses(cluster)]
        lines += [f"Kafka {cluster.metadata.name}", *(f"  {line}" for line in aligned(rows)), ""]
    lines += _commands(clusters, kubeconfig_command)
    return lines


def _commands(clusters: list[Resource], kubeconfig_command: str) -> list[str]:
    rows = [["kubectl", f"export KUBECONFIG=$({kubeconfig_command}); kubectl get kafka,pods"]]
    for cluster in clusters[:1]:
        name, namespace = cluster.metadata.name, cluster.metadata.namespace
        inside = next((one.inside for one in addresses(cluster) if one.inside), "")
        execute = f"klamm exec -it -n {namespace} kafka/{name} --"
        rows.append(["a shell", f"{execute} bash"])
        if inside:
            # Within the namespace a Service's first name does.
            host, _, port = inside.partition(":")
            near = f"{host.partition('.')[0]}:{port}"
            rows.append(["a client", f"{execute} kafka-topics.sh --bootstrap-server {near} --list"])
    return aligned(rows)
