"""Storage of this machine: PersistentVolumes, and the folders that they are.

Rules (Kubernetes docs, "Persistent Volumes"):
- While a volume is used by a claim, a finalizer keeps it.
- When its claim is gone a volume is Released; with the policy Delete the folder and the volume go,
  with Retain both stay.
How claims come to their volumes: `claims`.
"""

import shutil
from asyncio import to_thread
from pathlib import Path
from typing import Final, Protocol

from klamm.base.clock import Clock
from klamm.localkube.controllers.informers import Change, Informers
from klamm.localkube.controllers.ownership import is_deleting
from klamm.localkube.controllers.workqueue import WorkQueue
from klamm.localkube.events import Events
from klamm.localkube.objects import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, Object, Resource

PROVISIONER: Final = "klamm.dev/local"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
VOLUME_FINALIZER: Final = "kubernetes.io/pv-protection"


class Folders(Protocol):
    """The hands: the only part of this module that touches the disk. Raises OSError."""

    def make(self, path: Path) -> None:
        """Make the folder (0700), or accept the one that is there."""
        ...

    async def remove(self, path: Path) -> None:
        """Remove the folder and what is in it; that it is gone already is no error."""
        ...


class LocalFolders:
    def make(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def remove(self, path: Path) -> None:
        await to_thread(_remove, path)  # a broker's folder may hold many files


def _remove(path: Path) -> None:
    if path.exists() and not path.is_symlink():
        shutil.rmtree(path)


class Volumes:
    """PersistentVolumes: phases, protection, and what happens when the claim is gone."""

    name = "volumes"

    def __init__(self, informers: Informers, clock: Clock, volumes: Path, folders: Folders) -> None:
        self._informers = informers
        self._events = Events(informers.objects, clock, f"{PROVISIONER}-provisioner")
        self._root = volumes
        self._folders = folders
        self._claims = informers.cache(PERSISTENT_VOLUME_CLAIMS)
        self._volumes = informers.cache(PERSISTENT_VOLUMES)

    def watch(self, queue: WorkQueue[str]) -> None:
        def claim_changed(change: Change) -> None:
            for state in change.states:
                if name := state["spec"].get("volumeName"):
                    queue.add(name)

        self._informers.subscribe(PERSISTENT_VOLUMES, lambda change: queue.add(change.key.name))
        self._informers.subscribe(PERSISTENT_VOLUME_CLAIMS, claim_changed)

    async def reconcile(self, key: str) -> None:
        volume = self._volumes.get(None, key)
        if volume is None:
            return
        if not is_deleting(volume):
            volume = protect(self._informers, PERSISTENT_VOLUMES, volume, VOLUME_FINALIZER)
        phase = self._phase(volume)
        if phase != volume.get("status", {}).get("phase"):
            volume = self._informers.patch(
                PERSISTENT_VOLUMES, volume, {"status": {"phase": phase}}, subresource="status"
            )
        if phase == "Released":
            await self._reclaim(volume)
        elif phase == "Available" and is_deleting(volume):
            self._let_go(volume)

    def _phase(self, volume: Object) -> str:
        reference = volume["spec"].get("claimRef")
        if not reference or not reference.get("uid"):
            return "Available"
        # The newest state counts: a claim must not be taken for gone because its event is still under way.
        claim = self._informers.objects.find(PERSISTENT_VOLUME_CLAIMS, reference["namespace"], reference["name"])
        return "Bound" if claim is not None and claim["metadata"]["uid"] == reference["uid"] else "Released"

    async def _reclaim(self, volume: Object) -> None:
        ours = volume["metadata"].get("annotations", {}).get(PROVISIONED_BY) == PROVISIONER
        if ours and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            path = Path(volume["spec"]["hostPath"]["path"])
            if path.parent != self._root:
                message = f"{path} is not in {self._root}: the folder is left alone; remove it by hand"
                self._events.warning(PERSISTENT_VOLUMES, volume, "VolumeFailedDelete", message)
                return
            try:
                await self._folders.remove(path)
            except OSError as error:
                self._events.warning(PERSISTENT_VOLUMES, volume, "VolumeFailedDelete", f"cannot remove {path}: {error}")
                raise
            self._informers.delete(PERSISTENT_VOLUMES, volume)
            newest = self._informers.objects.find(PERSISTENT_VOLUMES, None, volume["metadata"]["name"])
            if newest is not None and newest["metadata"]["uid"] == volume["metadata"]["uid"]:
                self._let_go(newest)
        elif is_deleting(volume):
            self._let_go(volume)

    def _let_go(self, volume: Object) -> None:
        let_go(self._informers, PERSISTENT_VOLUMES, volume, VOLUME_FINALIZER)


def protect(informers: Informers, resource: Resource, obj: Object, finalizer: str) -> Object:
    """The object with this finalizer; written when it lacked it."""
    finalizers = obj["metadata"].get("finalizers") or ()
    if finalizer in finalizers:
        return obj
    return informers.patch(resource, obj, {"metadata": {"finalizers": [*finalizers, finalizer]}})


def let_go(informers: Informers, resource: Resource, obj: Object, finalizer: str) -> None:
    """Take the finalizer off, if it is there."""
    finalizers = obj["metadata"].get("finalizers") or ()
    if finalizer in finalizers:
        left = [each for each in finalizers if each != finalizer]
        informers.patch(resource, obj, {"metadata": {"finalizers": left or None}})
