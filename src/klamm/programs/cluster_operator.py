"""The cluster operator: Kafka resources and StrimziPodSets, of one, several or all namespaces.

Of several operators one leads (`kube/leases.py`); the others have the same caches, are healthy and ready, and act on
nothing. The one of a single machine leads without a Lease until somebody holds it (`kube/giving_way.py`). Settings come
from the environment (`operator_settings.py`).
"""

import asyncio
import gc
import os
import secrets
import string
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from random import Random, SystemRandom
from typing import Any

from klamm.base import logs
from klamm.base.backoff import BackOff
from klamm.base.clock import BootClock, SystemClock
from klamm.base.metrics import Metrics
from klamm.base.tasks import OnFailure, Supervisor, TaskFailed
from klamm.control.controller import FAILED_PASSES, Settings
from klamm.control.health import Health
from klamm.kafka.admin import Admin
from klamm.kube.client import Client, connect
from klamm.kube.events import Recorder
from klamm.kube.giving_way import GivingWay
from klamm.kube.leases import Election, LeadershipLost
from klamm.kube.watching import CUT_WATCHES, RELIST, Watched
from klamm.operations.applying import Applier
from klamm.operators.cluster.area import Caches, caches_of, kafka_controller, pod_set_controller
from klamm.operators.cluster.hands import Hands, OpenAdmin, ZooKeeperMode
from klamm.operators.cluster.kafka.four_letters import zookeeper_mode
from klamm.operators.cluster.measures import ClusterMeasures
from klamm.programs import process
from klamm.programs.operator_settings import OperatorSettings, read_settings, remarks
from klamm.programs.process import BadSetting

MANAGER = "klamm-cluster-operator"

STOPPING = 2.0
"""Seconds for passes to end, while a standby waits. Calls to the API take less, and questions to Kafka are cut."""

_PASSWORD_LETTERS = string.ascii_letters + string.digits
_log = logs.room("cluster operator")

Lead = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
"""Runs what it is given while this process leads: `Election.lead`."""


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
    stopping: float = STOPPING


def new_password(length: int = 12) -> str:
    """Letters and digits only: it stands in shell commands and property files of users."""
    return "".join(secrets.choice(_PASSWORD_LETTERS) for _ in range(length))


async def at_once(work: Callable[[], Awaitable[None]]) -> None:
    """There is nobody to compete with."""
    await work()


async def run(
    settings: OperatorSettings,
    client: Client,
    random: Random,
    stop: asyncio.Event,
    outside: Outside = Outside(),
    pace: Pace = Pace(),
    lead: Lead = at_once,
) -> None:
    """Work until `stop`; passes that run end their waits and finish. `LeadershipLost` (in `TaskFailed`) ends it too."""
    recorder = Recorder(client, "strimzi.io/cluster-operator", settings.instance, SystemClock())
    seen = [
        caches_of(namespace, client, random, settings.selector, pace.cut_watches, pace.relist)
        for namespace in settings.namespaces or (None,)
    ]
    caches = [cache for area in seen for cache in area.all()]
    measures = ClusterMeasures(process.own_metrics(), leads=False)
    areas = _areas(settings, seen, client, outside, recorder, measures)
    loop = Settings(resync=settings.resync, stopping=pace.stopping, back_off=pace.failed_passes)
    kinds = (pod_set_controller,) if settings.pod_sets_only else (kafka_controller, pod_set_controller)
    controllers = [make(area, random, loop) for area in areas for make in kinds]

    async def work() -> None:
        """Only the leader's. What is cut here was told to stop, or has lost the Lease (then it may do nothing more)."""
        measures.leads = True
        try:
            async with Supervisor("controllers", random) as acting:
                for controller in controllers:
                    acting.start(f"{controller.name} controller", controller.run, OnFailure.END)
                await asyncio.Event().wait()
        finally:
            measures.leads = False

    async with Supervisor("cluster operator", random) as tasks:
        for cache in caches:
            tasks.start(f"watch of {cache.kind.plural}", cache.run)
        tasks.start("events", recorder.run)
        tasks.start("leadership", lambda: lead(work), OnFailure.END)
        tasks.start("health", lambda: _health(caches, measures.metrics).serve(None, settings.port), OnFailure.END)
        await stop.wait()


def _areas(
    settings: OperatorSettings,
    seen: Sequence[Caches],
    client: Client,
    outside: Outside,
    recorder: Recorder,
    measures: ClusterMeasures,
) -> list[Hands]:
    """Hands for each watched namespace, or for all of them: they differ in their caches only."""
    clock = SystemClock()
    hands = partial(
        Hands,
        client=client,
        applier=Applier(client, clock),
        events=recorder,
        clock=clock,
        surroundings=settings.surroundings,
        new_password=new_password,
        open_admin=outside.open_admin,
        key_algorithm=settings.key_algorithm,
        zookeeper_mode=outside.zookeeper_mode,
        selector=settings.selector,
        operation=settings.operation,
        measures=measures,
    )
    return [
        hands(
            kafkas=area.kafkas,
            pod_sets=area.pod_sets,
            pods=area.pods,
            deployments=area.deployments,
            config_maps=area.config_maps,
        )
        for area in seen
    ]


def _health(caches: Sequence[Watched[Any]], metrics: Metrics) -> Health:
    """Whether we lead or not: a standby whose caches are fresh is as ready as one can be."""
    return Health(
        healthy={},
        ready={
            f"{cache.kind.plural} in {cache.namespace}" if cache.namespace else cache.kind.plural: (
                lambda cache=cache: cache.reason_not_fresh  # type: ignore[misc]
            )
            for cache in caches
        },
        metrics=metrics.text,
    )


def _lead(permit: Election | GivingWay | None, client: Client) -> Lead:
    match permit:
        case Election():
            return permit.lead
        case GivingWay():
            return partial(permit.lead, client)
    return at_once


async def _main(environment: Mapping[str, str]) -> None:
    settings, random, stop = read_settings(environment), SystemRandom(), process.told_to_stop()
    for remark in remarks(environment):
        _log.info(remark)
    connection = process.api_connection(environment)
    async with AsyncExitStack() as open_, Supervisor("process", random) as tasks:
        permit: Election | GivingWay | None = None
        if (ours := settings.leadership) is not None:
            # A client of its own: the Lease is written while everything else is held.
            own = await open_.enter_async_context(connect(connection, MANAGER, random))
            permit = Election(own, ours.lease, ours.identity, BootClock(), random, ours.times)
        elif settings.gives_way_to is not None:
            permit = GivingWay(settings.gives_way_to, BootClock(), random)
        client = await open_.enter_async_context(connect(connection, MANAGER, random, permit=permit))
        tasks.start("log level", lambda: process.follow_log_level(environment))
        gc.freeze()
        await run(settings, client, random, stop, lead=_lead(permit, client))


def main() -> None:
    environment = dict(os.environ)  # noqa: TID251
    process.set_up_logs(environment)
    try:
        asyncio.run(_main(environment))
    except BadSetting as error:
        sys.exit(f"cluster operator: {error}")
    except TaskFailed as failure:
        if not isinstance(failure.__cause__, LeadershipLost):
            raise
        # Started again as a standby by whoever looks after us; nothing of what we still held may go on.
        _log.warning(f"ends, because {failure.__cause__}")
        sys.exit(1)


if __name__ == "__main__":
    main()
