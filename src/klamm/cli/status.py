"""`klamm status`: what runs here, what is wrong, and how to reach it.

Exit code 0 when all is ready, 4 when something is not (yet), 6 when nothing runs.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from klamm import __version__
from klamm.cli.applying import Discovery, Served
from klamm.cli.columns import aligned, span
from klamm.cli.connecting import addresses, how_to_connect
from klamm.cli.context import Context
from klamm.cli.errors import NotRunning, Unfinished
from klamm.cli.readiness import Readiness, pod_state, readiness
from klamm.cli.seen import STRIMZI, Pod, Resource
from klamm.cli.settings import LocalSettings, read_settings
from klamm.kube.client import Client
from klamm.kube.requests import Request
from klamm.localkube.node.client import GuardianClient, GuardianError

_T = TypeVar("_T")

_POD_LIST = "/api/v1/pods"


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that the command tells, at one moment."""

    guardian: dict[str, Any]
    settings: LocalSettings
    resources: Sequence[Resource]
    pods: Sequence[Pod]
    now: datetime

    @property
    def states(self) -> list[tuple[Resource, Readiness]]:
        return [(resource, readiness(resource)) for resource in self.resources]

    @property
    def problems(self) -> list[str]:
        """A sentence each; empty when all is well."""
        found = _of_processes(self.guardian)
        for pod in self.pods:
            state = pod_state(pod)
            if state.is_trouble:
                found.append(f"pod {pod.metadata.namespace}/{pod.metadata.name}: {state}")
        for resource, is_ in self.states:
            place = f"{resource.metadata.namespace}/{resource.metadata.name}"
            found.extend(f"{resource.kind} {place}: warning: {warning}" for warning in is_.warnings)
        return found

    @property
    def is_well(self) -> bool:
        ready = all(is_.is_settled for _, is_ in self.states)
        return ready and all(pod_state(pod).is_ready for pod in self.pods)


def _of_processes(guardian: dict[str, Any]) -> list[str]:
    found = []
    for name, what in (("control_plane", "the control plane"), ("node", "the node")):
        process = guardian[name]
        if process["restarts"]:
            times = "once" if process["restarts"] == 1 else f"{process['restarts']} times"
            found.append(f"{what} was started again {times}; its last end: {process['last_end']}")
        if not process["pid"]:
            found.append(f"{what} is not running")
    return found


def run(context: Context, arguments: argparse.Namespace) -> int:
    settings = read_settings(context.home.settings)
    try:
        guardian = GuardianClient(str(context.home.path)).status()
    except GuardianError as error:
        if context.for_programs:
            context.give({"home": str(context.home.path), "running": False})
        if settings is None:
            raise NotRunning(f"there is no cluster in {context.home.path} yet: start one with `klamm up`") from error
        raise NotRunning(
            f"the cluster of {context.home.path} is down; its data is there, and `klamm up` starts it again"
        ) from error
    scene = asyncio.run(_look(context, guardian, settings or LocalSettings()))
    if context.for_programs:
        context.give(_for_programs(context, scene))
    else:
        for line in _for_people(context, scene):
            context.put(line)
    return 0 if scene.is_well else Unfinished.exit_code


async def _look(context: Context, guardian: dict[str, Any], settings: LocalSettings) -> Scene:
    async with context.client() as client:
        kinds = await Discovery(client).of_version(f"{STRIMZI}/v1beta2")
        resources = [one for kind in kinds for one in await _resources(client, kind)]
        pods = await _list(client, _POD_LIST, "list pods", Pod)
    return Scene(guardian, settings, resources, pods, context.clock.now())


async def _resources(client: Client, kind: Served) -> list[Resource]:
    found = await _list(client, kind.path(None), f"list {kind.plural}", Resource)
    for one in found:
        one.api_version, one.kind = kind.api_version, kind.kind
    return found


class _Items(msgspec.Struct):
    items: list[msgspec.Raw] | None = None


async def _list(client: Client, path: str, doing: str, type_: type[_T]) -> list[_T]:
    listed = msgspec.json.decode(await client.raw(Request("GET", path, doing, idempotent=True)), type=_Items)
    return [msgspec.json.decode(item, type=type_) for item in listed.items or ()]


def _for_people(context: Context, scene: Scene) -> list[str]:
    port = scene.guardian["api_port"]
    nodes = ", ".join(node.name for node in scene.settings.nodes)
    lines = [
        f"klamm {__version__} runs the cluster of {context.home.path}",
        f"API https://127.0.0.1:{port}   nodes {nodes}",
    ]
    if scene.resources:
        lines += ["", *aligned(_resource_rows(scene))]
    if scene.pods:
        lines += ["", *aligned(_pod_rows(scene))]
    if scene.problems:
        lines += ["", "Look at:", *(f"  {problem}" for problem in scene.problems)]
    return [*lines, "", *how_to_connect(scene.resources)]


_MOST_TOPICS = 12


def _resource_rows(scene: Scene) -> list[list[str]]:
    """Of many ready topics or users only their number: what is not ready stands out."""
    rows = [["RESOURCE", "NAMESPACE", "NAME", "STATE", "FOR", "WHY"]]
    by_kind: dict[str, list[tuple[Resource, Readiness]]] = {}
    for resource, is_ in scene.states:
        by_kind.setdefault(resource.kind, []).append((resource, is_))
    for kind, members in by_kind.items():
        shown = members
        if len(members) > _MOST_TOPICS:
            shown = [one for one in members if not one[1].is_ready]
            rows.append([kind, "", f"({len(members) - len(shown)} others)", "Ready", "", ""])
        for resource, is_ in shown:
            why = " ".join(is_.why.split())
            name, namespace = resource.metadata.name or "", resource.metadata.namespace or ""
            rows.append([kind, namespace, name, is_.state.value, _ago(is_.since, scene.now), why])
    return rows


def _pod_rows(scene: Scene) -> list[list[str]]:
    rows = [["POD", "NAMESPACE", "STATE", "RESTARTS", "AGE"]]
    for pod in sorted(scene.pods, key=lambda one: (one.metadata.namespace or "", one.metadata.name or "")):
        restarts = sum(one.restart_count for one in pod.status.container_statuses) if pod.status else 0
        age = _ago(pod.metadata.creation_timestamp, scene.now)
        rows.append([pod.metadata.name or "", pod.metadata.namespace or "", pod_state(pod).word, str(restarts), age])
    return rows


def _ago(stamp: str | None, now: datetime) -> str:
    if not stamp:
        return ""
    return span((now - datetime.fromisoformat(stamp)).total_seconds())


def _for_programs(context: Context, scene: Scene) -> dict[str, Any]:
    return {
        "home": str(context.home.path),
        "running": True,
        "ready": scene.is_well,
        "version": __version__,
        "api": f"https://127.0.0.1:{scene.guardian['api_port']}",
        "kubeconfig": str(context.home.kubeconfig),
        "nodes": [node.name for node in scene.settings.nodes],
        "nodePorts": scene.guardian["node_ports"],
        "processes": {
            "guardian": scene.guardian["pid"],
            "controlPlane": scene.guardian["control_plane"]["pid"],
            "node": scene.guardian["node"]["pid"],
        },
        "resources": [_resource_for_programs(resource, is_) for resource, is_ in scene.states],
        "pods": [
            {
                "namespace": pod.metadata.namespace,
                "name": pod.metadata.name,
                "state": pod_state(pod).word,
                "why": pod_state(pod).why,
                "ready": pod_state(pod).is_ready,
            }
            for pod in scene.pods
        ],
        "problems": scene.problems,
    }


def _resource_for_programs(resource: Resource, is_: Readiness) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": resource.kind,
        "namespace": resource.metadata.namespace,
        "name": resource.metadata.name,
        "state": is_.state.value,
        "why": is_.why,
        "reason": is_.reason,
        "since": is_.since,
        "warnings": list(is_.warnings),
    }
    found = addresses(resource)
    if found:
        shown["listeners"] = [{"name": one.listener, "bootstrapServers": one.inside or one.outside} for one in found]
    return shown
