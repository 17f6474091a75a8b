"""The controllers of localkube: a table of contents, and the loop that runs them all.

They share one set of watches (`Informers`) and one event loop. One that fails is logged and started again after a
back-off, the others go on (`Supervisor`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from klamm.base.clock import Clock
from klamm.base.tasks import Supervisor
from klamm.localkube.controllers.claims import Claims, StorageClasses
from klamm.localkube.controllers.controller import Controller, Loop
from klamm.localkube.controllers.daemonsets import DaemonSets
from klamm.localkube.controllers.deployments import Deployments
from klamm.localkube.controllers.disruption import DisruptionBudgets
from klamm.localkube.controllers.endpoints import EndpointsController
from klamm.localkube.controllers.garbage import GarbageCollector
from klamm.localkube.controllers.informers import Informers
from klamm.localkube.controllers.jobs import Jobs
from klamm.localkube.controllers.namespaces import Namespaces, Served
from klamm.localkube.controllers.network import NetworkController
from klamm.localkube.controllers.replicasets import ReplicaSets
from klamm.localkube.controllers.scheduling import Scheduler
from klamm.localkube.controllers.serviceaccounts import ServiceAccounts
from klamm.localkube.controllers.statefulsets import StatefulSets
from klamm.localkube.controllers.volumes import Folders, LocalFolders, Volumes
from klamm.localkube.kubelet.runtime import Network
from klamm.localkube.objects import Objects


@dataclass(frozen=True)
class Surroundings:
    """What the controllers need beside the objects."""

    clock: Clock
    served: Served
    """All resources that can be listed, watched and deleted (one or all versions), read anew at each use."""
    ca_certificate: str
    """PEM; becomes kube-root-ca.crt in each namespace."""
    volumes: Path
    """The folder in which each provisioned volume has its own."""
    configure: Callable[[Network], Awaitable[Mapping[int, str]]]
    """As `Runtime.configure`: the newest configuration for the node's relay and DNS; raises when it did not arrive."""
    random: Random
    folders: Folders = field(default_factory=LocalFolders)


def all_controllers(informers: Informers, around: Surroundings) -> list[Controller]:
    """Every controller once, in the order of a pod's way into the world."""
    clock = around.clock
    namespaces = Namespaces(informers, clock, around.served)
    return [
        namespaces,
        ServiceAccounts(informers, around.ca_certificate),
        StorageClasses(informers),
        Deployments(informers, clock),
        ReplicaSets(informers, clock),
        DaemonSets(informers, clock),
        StatefulSets(informers, clock),
        Jobs(informers, clock),
        Claims(informers, clock, around.volumes, around.folders),
        Volumes(informers, clock, around.volumes, around.folders),
        Scheduler(informers, clock),
        EndpointsController(informers),
        NetworkController(informers, clock, around.configure),
        DisruptionBudgets(informers, clock),
        # Last: it takes what watches there are, and of all other resources only metadata.
        GarbageCollector(informers, around.served, heard=[namespaces.heard]),
    ]


async def run(objects: Objects, around: Surroundings) -> None:
    """Run all controllers until cancelled."""
    informers = Informers(objects)
    loops = [Loop(controller, around.clock) for controller in all_controllers(informers, around)]
    async with Supervisor("controllers", around.random) as tasks:
        for loop in loops:
            loop.watch()
        tasks.start("watches", informers.run)
        await informers.filled()
        for loop in loops:
            tasks.start(loop.controller.name, loop.run)
        await asyncio.Event().wait()
