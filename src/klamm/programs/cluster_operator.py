"""The cluster operator: Kafka resources and StrimziPodSets, of one, several or all namespaces.

Settings come from the environment under the names that Strimzi's users know (its ClusterOperatorConfig).
"""

import asyncio
import gc
import os
import secrets
import signal
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Any

from klamm.base import logs
from klamm.base.backoff import BackOff
from klamm.base.clock import SystemClock
from klamm.base.tasks import OnFailure, Supervisor
from klamm.certificates.keys import KeyAlgorithm
from klamm.control.controller import FAILED_PASSES, Controller, Settings
from klamm.control.health import Health
from klamm.desired.surroundings import Surroundings
from klamm.kafka.admin import Admin
from klamm.kube.catalogue import KAFKA_NAMES, POD_SETS
from klamm.kube.client import Client, connect
from klamm.kube.connection import in_cluster
from klamm.kube.events import Recorder
from klamm.kube.kinds import Name
from klamm.kube.native import DEPLOYMENTS, PODS
from klamm.kube.watching import CUT_WATCHES, RELIST, Watched
from klamm.operations.applying import Applier
from klamm.operators.cluster.hands import Hands, OpenAdmin, ZooKeeperMode
from klamm.operators.cluster.kafka.departure import farewell
from klamm.operators.cluster.kafka.four_letters import zookeeper_mode
from klamm.operators.cluster.kafka.reconcile import KafkaReconciler
from klamm.operators.cluster.pod_sets import BY_POD_SET, PodSetReconciler, pod_set_key, pod_set_of
from klamm.resources.native.pod import Pod, PodSpec

MANAGER = "klamm-cluster-operator"

DEPARTURE = 10.0
"""Seconds for the last deed at the end; a pod is given 30."""

_TELLING = frozenset({"Ready", "PodScheduled"})
_PASSWORD_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    surroundings: Surroundings
    resync: float
    port: int
    key_algorithm: KeyAlgorithm
    instance: str


@dataclass(frozen=True, slots=True)
class Outside:
    """What the operator reaches beside the Kubernetes API: brokers and ZooKeepers. The seam for tests without them."""

    open_admin: OpenAdmin = Admin.connect
    zookeeper_mode: ZooKeeperMode = zookeeper_mode


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon is tried again what failed. Tests that let hundreds of things fail have no minutes for it."""

    failed_passes: BackOff = field(default_factory=lambda: FAILED_PASSES)
    cut_watches: BackOff = field(default_factory=lambda: CUT_WATCHES)
    relist: float = RELIST
    stopping: float = Settings().stopping


def read_settings(environment: Mapping[str, str]) -> OperatorSettings:
    namespace = environment.get("STRIMZI_OPERATOR_NAMESPACE", "default")
    return OperatorSettings(
        surroundings=Surroundings(
            operator_namespace=namespace,
            operator_image=environment.get("STRIMZI_DEFAULT_TOPIC_OPERATOR_IMAGE", ""),
            kafka_init_image=environment.get("STRIMZI_DEFAULT_KAFKA_INIT_IMAGE", ""),
            kafka_images=image_table(environment.get("STRIMZI_KAFKA_IMAGES", "")),
            default_version=environment.get("KLAMM_DEFAULT_KAFKA_VERSION", "3.6.0"),
            operator_namespace_labels=_pairs(environment.get("STRIMZI_OPERATOR_NAMESPACE_LABELS", "")),
            dns_domain=environment.get("KUBERNETES_SERVICE_DNS_DOMAIN", "cluster.local"),
            image_pull_policy=environment.get("STRIMZI_IMAGE_PULL_POLICY") or None,
        ),
        resync=int(environment.get("STRIMZI_FULL_RECONCILIATION_INTERVAL_MS", "120000")) / 1000,
        port=int(environment.get("KLAMM_HEALTH_PORT", "8080")),
        key_algorithm=KeyAlgorithm(environment.get("KLAMM_KEY_ALGORITHM", KeyAlgorithm.EC_P256)),
        instance=environment.get("HOSTNAME", "strimzi-cluster-operator"),
    )


def image_table(text: str) -> dict[str, str]:
    """Lines of `version=image`, as STRIMZI_KAFKA_IMAGES holds them."""
    return _pairs(text.replace("\n", ","))


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.strip().split("=", 1) for pair in text.split(",") if "=" in pair)


def new_password(length: int = 12) -> str:
    """Letters and digits only: it stands in shell commands and property files of users."""
    return "".join(secrets.choice(_PASSWORD_LETTERS) for _ in range(length))


def trimmed(pod: Pod) -> Pod:
    """What the operator needs to remember of a pod: who it is, where it runs, how it stands."""
    return Pod(metadata=pod.metadata, spec=PodSpec(node_name=pod.spec.node_name), status=pod.status)


def what_passes_see(pod: Pod) -> object:
    """What of a pod a pass decides on: which one it is, how it stands, what it was made from."""
    status = pod.status
    waiting = (
        [each.state.waiting.reason for each in status.container_statuses if each.state and each.state.waiting]
        if status
        else ()
    )
    conditions = [(each.type, each.status) for each in status.conditions if each.type in _TELLING] if status else ()
    phase = status.phase if status else None
    meta = pod.metadata
    return meta.uid, meta.deletion_timestamp, meta.annotations, meta.owner_references, phase, conditions, waiting


def cluster_of(obj: Pod) -> Name | None:
    name = obj.metadata.labels.get("strimzi.io/cluster")
    return Name(obj.metadata.namespace or "", name) if name else None


async def run(
    settings: OperatorSettings,
    client: Client,
    random: Random,
    stop: asyncio.Event,
    outside: Outside = Outside(),
    pace: Pace = Pace(),
) -> None:
    """Work until `stop`; passes that run end their waits and finish."""
    clock = SystemClock()
    of_clusters = {"strimzi.io/kind": "Kafka"}
    again: Any = {"back_off": pace.cut_watches, "relist": pace.relist}
    kafkas = Watched(client, KAFKA_NAMES, random, **again)
    pod_sets = Watched(client, POD_SETS, random, **again)
    by_set = {BY_POD_SET: pod_set_key}
    pods = Watched(client, PODS, random, labels=of_clusters, trim=trimmed, indexes=by_set, **again)
    deployments = Watched(client, DEPLOYMENTS, random, labels=of_clusters, **again)
    recorder = Recorder(client, "strimzi.io/cluster-operator", settings.instance, clock)
    hands = Hands(
        client=client,
        applier=Applier(client, clock),
        events=recorder,
        clock=clock,
        surroundings=settings.surroundings,
        new_password=new_password,
        open_admin=outside.open_admin,
        kafkas=kafkas,
        pod_sets=pod_sets,
        pods=pods,
        deployments=deployments,
        key_algorithm=settings.key_algorithm,
        zookeeper_mode=outside.zookeeper_mode,
    )
    loop_settings = Settings(resync=settings.resync, stopping=pace.stopping, back_off=pace.failed_passes)
    clusters = Controller("Kafka", KafkaReconciler(hands).reconcile, clock, random, loop_settings)
    clusters.follow(kafkas)
    clusters.follow_others(pods, cluster_of, says=what_passes_see)
    clusters.follow_others(deployments, cluster_of)  # type: ignore[arg-type]
    sets = Controller("StrimziPodSet", PodSetReconciler(client, pod_sets, pods).reconcile, clock, random, loop_settings)
    sets.follow(pod_sets)
    sets.follow_others(pods, pod_set_of, settle=0.0, says=what_passes_see)
    caches = (kafkas, pod_sets, pods, deployments)
    health = Health(
        healthy={},
        ready={cache.kind.plural: lambda cache=cache: cache.reason_not_fresh for cache in caches},  # type: ignore[misc]
    )
    async with Supervisor("cluster operator", random) as tasks:
        for cache in caches:
            tasks.start(f"watch of {cache.kind.plural}", cache.run)
        tasks.start("events", recorder.run)
        tasks.start("Kafka controller", clusters.run, OnFailure.END)
        tasks.start("StrimziPodSet controller", sets.run, OnFailure.END)
        tasks.start("health", lambda: health.serve(None, settings.port), OnFailure.END)
        await stop.wait()
    await farewell(hands, DEPARTURE)


async def _main(environment: Mapping[str, str]) -> None:
    random = SystemRandom()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    connection = in_cluster(environment["KUBERNETES_SERVICE_HOST"], environment["KUBERNETES_SERVICE_PORT"])
    async with connect(connection, MANAGER, random) as client:
        gc.freeze()
        await run(read_settings(environment), client, random, stop)


def main() -> None:
    environment = dict(os.environ)  # noqa: TID251
    logs.set_up(form="json" if environment.get("KLAMM_LOG_FORM") == "json" else "text")
    asyncio.run(_main(environment))


if __name__ == "__main__":
    main()
