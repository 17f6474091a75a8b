"""The control plane of one machine: API server, controllers, scheduler and kubelet in one process.

The guardian starts it with the listening socket of the API inherited, and starts it again when it dies; pods, their
logs and their ports live in other processes (localkube/node). This is the place where localkube, which knows nothing
of Kafka, is told what image names mean, and where the cluster operator is put into the cluster.
"""

import argparse
import asyncio
import gc
import os
import signal
import socket
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from random import Random, SystemRandom

from klamm.base import logs
from klamm.base.clock import Clock, SystemClock
from klamm.base.tasks import OnFailure, Supervisor
from klamm.certificates.keys import key_from_pem
from klamm.cli.home import Home
from klamm.cli.settings import LocalSettings, read_settings
from klamm.localkube.apiserver.authentication import Authenticator, Bound, Tokens
from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.server import Server, server_context
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.apiserver.web import build_app
from klamm.localkube.controllers import all as controllers
from klamm.localkube.kubelet.kubelet import Kubelet, with_early_readiness
from klamm.localkube.kubelet.settings import KubeletSettings, NodeSettings
from klamm.localkube.kubelet.tokens import Token, TokenRequest
from klamm.localkube.node.folders import Folders
from klamm.localkube.node.runtime import NodeRuntime
from klamm.localkube.objects import PODS, SERVICE_ACCOUNTS, Refused
from klamm.programs.local_archives import Archives
from klamm.programs.local_images import LocalImages, images_of
from klamm.programs.local_installation import install_cluster_wide, operator_installation

_log = logs.room("control plane")


class PodTokens:
    """The kubelet's door to the API server's token issuer."""

    def __init__(self, objects: LocalObjects, tokens: Tokens) -> None:
        self._objects = objects
        self._tokens = tokens

    def issue(self, request: TokenRequest) -> Token:
        account = self._objects.get(SERVICE_ACCOUNTS, request.namespace, request.service_account)
        bound = Bound(
            request.namespace,
            request.service_account,
            account["metadata"]["uid"],
            request.pod,
            request.pod_uid,
        )
        value, expires_at = self._tokens.issue(bound, request.audiences, request.seconds)
        return Token(value, expires_at)


def kubelet_settings(home: Home, settings: LocalSettings, memory_folder: Path) -> KubeletSettings:
    machine = os.uname()
    cpus = str(os.cpu_count() or 1)
    memory = f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 1024}Ki"
    nodes = tuple(
        NodeSettings(
            node.name,
            labels=node.labels,
            cpus=cpus,
            memory=memory,
            kernel_version=machine.release,
            os_image=machine.sysname,
            architecture={"x86_64": "amd64", "aarch64": "arm64"}.get(machine.machine, machine.machine),
        )
        for node in settings.nodes
    )
    found = KubeletSettings(nodes, home.pods, memory_folder, home.logs / "pods", stop_wave=stop_wave)
    return with_early_readiness(found, settings.early_readiness)


def stop_wave(labels: Mapping[str, str]) -> int:
    """At `klamm down` operators go first, then brokers, which hand over through the ZooKeepers that go last.

    Brokers go before ZooKeepers also when a cluster or a namespace is deleted.
    """
    return {"kafka": 1, "zookeeper": 2}.get(labels.get("app.kubernetes.io/name", ""), 0)


def bound_exists(objects: LocalObjects, bound: Bound) -> bool:
    """Whether the account and the pod of a token are still those that it was made for."""
    account = objects.find(SERVICE_ACCOUNTS, bound.namespace, bound.account)
    if account is None or account["metadata"]["uid"] != bound.account_uid:
        return False
    if not bound.pod:
        return True
    pod = objects.find(PODS, bound.namespace, bound.pod)
    return pod is not None and pod["metadata"]["uid"] == bound.pod_uid


async def run(
    home: Home, java_home: Path | None, settings: LocalSettings, api: socket.socket, clock: Clock, random: Random
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    registry = Registry(Storage(home.database), clock, random, lambda: str(uuid.uuid4()))
    as_klamm = LocalObjects(registry, "klamm")
    install_cluster_wide(registry, as_klamm, home)
    key = key_from_pem((home.certificates / "service-accounts.key").read_bytes(), "the service accounts' key")
    tokens = Tokens(key, clock, lambda: str(uuid.uuid4()))  # type: ignore[arg-type]
    runtime = NodeRuntime(str(home.path))
    images = images_of(home.cache, java_home)
    archives = Archives(home, images, as_klamm)
    kubelet = Kubelet(
        LocalObjects(registry, "kubelet"),
        runtime,
        LocalImages(images, clock, archives.want),
        kubelet_settings(home, settings, home.memory),
        clock,
        PodTokens(as_klamm, tokens),
    )
    authenticator = Authenticator(tokens, lambda bound: bound_exists(as_klamm, bound))
    app = build_app(registry, kubelet.streams, authenticator, tokens)
    context = server_context(home.certificates / "api.crt", home.certificates / "api.key", home.certificates / "ca.crt")
    server = Server(app, [api, inside_socket(home)], context)
    around = controllers.Surroundings(
        clock=clock,
        served=lambda: [kind.resource for kind in registry.kinds() if {"list", "watch"} <= set(kind.verbs)],
        ca_certificate=(home.certificates / "ca.crt").read_text(),
        volumes=home.volumes,
        configure=runtime.configure,
        random=random,
    )
    await server.start()
    await runtime.open()
    async with Supervisor("control plane", random) as tasks:
        tasks.start("kubelet", kubelet.run, OnFailure.END)
        tasks.start(
            "controllers",
            lambda: controllers.run(LocalObjects(registry, "kube-controller-manager"), around),
            OnFailure.END,
        )
        tasks.start("operator's installation", operator_installation(as_klamm, settings).run)
        tasks.start("class archives", archives.run)
        gc.freeze()
        await stop.wait()
    await server.stop()
    await runtime.close()


def inside_socket(home: Home) -> socket.socket:
    """What the relay leads https://10.96.0.1 to: only processes of this user can open it."""
    path = Folders(str(home.path)).api_socket
    Path(path).unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    os.chmod(path, 0o600)
    listening.listen(512)
    return listening


def main() -> None:
    import uvloop

    parser = argparse.ArgumentParser(prog="klamm-control-plane")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--java-home", type=Path)
    parser.add_argument("--api-fd", type=int, required=True)
    arguments = parser.parse_args()
    logs.set_up()
    home = Home(arguments.home, arguments.cache)
    settings = read_settings(home.settings)
    if settings is None:
        sys.exit(f"{home.settings} is missing: `klamm up` writes it")
    api = socket.socket(fileno=arguments.api_fd)
    try:
        uvloop.run(run(home, arguments.java_home, settings, api, SystemClock(), SystemRandom()))
    except Refused as refused:
        sys.exit(f"the control plane cannot start: {refused.message}")


if __name__ == "__main__":
    main()
