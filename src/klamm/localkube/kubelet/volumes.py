"""A pod's volumes as folders of this machine, and the mounts of its containers.

`prepare` makes every volume, or raises `VolumeBlocked` with what is missing; the worker tries again when an object
that the pod refers to changes. `refresh` renders again what may have changed; `refresh_at` says when a token wants
renewal. Everything lies below `<pods>/<uid>` (and `<memory>/<uid>`), whose parents are 0700: the modes inside are
those that the pod asks for, yet nobody else of this machine gets at the files.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from klamm.base.clock import Clock
from klamm.localkube.kubelet import atomic_folder
from klamm.localkube.kubelet.downward import UnknownField
from klamm.localkube.kubelet.environment import MissingSource
from klamm.localkube.kubelet.expansion import expand
from klamm.localkube.kubelet.facts import PodKey
from klamm.localkube.kubelet.host_volumes import VolumeBlocked, claimed_folder, host_path
from klamm.localkube.kubelet.payloads import PayloadInputs, payload
from klamm.localkube.kubelet.references import claim_name
from klamm.localkube.kubelet.sources import ObjectSources
from klamm.localkube.kubelet.tokens import Token, TokenRequest, TokenSource
from klamm.localkube.objects import Mount, Object, Objects, Refused

DEFAULT_TOKEN_SECONDS = 3600
RENEW_AFTER = 0.8
"""Part of a token's life after which a new one is put into place, as in Kubernetes."""


class PodVolumes:
    def __init__(
        self, key: PodKey, pods: Path, memory: Path, objects: Objects, tokens: TokenSource, clock: Clock
    ) -> None:
        self._key = key
        self._disk = pods / key.uid
        self._memory = memory / key.uid
        self._objects = objects
        self._issue = tokens.issue
        self._clock = clock
        self._tokens: dict[tuple[str, str], tuple[Token, float]] = {}
        self._folders: dict[str, Path] = {}
        self._read_only: set[str] = set()

    def prepare(self, pod: Object, addresses: Mapping[str, str], capacity: Mapping[str, str]) -> None:
        """Idempotent. `addresses`: "pod" and "host", as far as known. Raises `VolumeBlocked`."""
        self._disk.mkdir(parents=True, exist_ok=True, mode=0o700)
        for volume in pod["spec"].get("volumes") or ():
            self._prepare_one(pod, volume, addresses, capacity)

    def refresh(self, pod: Object, addresses: Mapping[str, str], capacity: Mapping[str, str]) -> None:
        """Render again. What has gone missing meanwhile keeps its old files, as in Kubernetes."""
        for volume in pod["spec"].get("volumes") or ():
            with suppress(VolumeBlocked):
                self._render(pod, volume, addresses, capacity)

    @property
    def refresh_at(self) -> float:
        """Seconds since the epoch; inf without tokens."""
        return min((renew for _, renew in self._tokens.values()), default=float("inf"))

    def mounts(self, container: Mapping[str, Any], variables: Mapping[str, str]) -> tuple[Mount, ...]:
        """The container's volumeMounts. Raises `VolumeBlocked` when a subPath leads out of its volume."""
        return tuple(self._mount(mount, variables) for mount in container.get("volumeMounts") or ())

    def remove(self) -> None:
        """Take the pod's own folders away. What claims and host paths point to stays."""
        for folder in (self._disk, self._memory):
            shutil.rmtree(folder, ignore_errors=True)

    def _prepare_one(
        self, pod: Object, volume: Mapping[str, Any], addresses: Mapping[str, str], capacity: Mapping[str, str]
    ) -> None:
        name = volume["name"]
        if self._render(pod, volume, addresses, capacity):
            return
        if (empty := volume.get("emptyDir")) is not None:
            self._folders[name] = self._empty(pod, name, empty)
        elif (host := volume.get("hostPath")) is not None:
            self._folders[name] = host_path(name, host["path"], host.get("type") or "")
        elif claim := claim_name(pod["metadata"]["name"], volume):
            self._folders[name] = claimed_folder(self._objects, self._key.namespace, name, claim)
            if (volume.get("persistentVolumeClaim") or {}).get("readOnly"):
                self._read_only.add(name)
        else:
            kinds = ", ".join(kind for kind in volume if kind != "name") or "nothing"
            raise VolumeBlocked(name, f"volumes of the kind {kinds} do not exist on one machine")

    def _empty(self, pod: Object, name: str, source: Mapping[str, Any]) -> Path:
        parent = self._memory if source.get("medium") == "Memory" else self._disk
        folder = parent / name
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True)
        group = fs_group(pod)
        atomic_folder.give_to_group(folder, group)
        with suppress(PermissionError):
            folder.chmod(0o2777 if group is not None else 0o777)
        return folder

    def _render(
        self, pod: Object, volume: Mapping[str, Any], addresses: Mapping[str, str], capacity: Mapping[str, str]
    ) -> bool:
        """False: this kind of volume holds no rendered files."""
        name = volume["name"]
        given = PayloadInputs(
            pod,
            ObjectSources(self._objects, self._key.namespace),
            self._token_for(pod, name),
            addresses.get("pod", ""),
            addresses.get("host", ""),
            capacity,
        )
        try:
            files = payload(volume, given)
        except (MissingSource, UnknownField) as missing:
            raise VolumeBlocked(name, str(missing)) from missing
        except Refused as refused:
            raise VolumeBlocked(name, f"no token for the service account: {refused.message}") from refused
        if files is None:
            return False
        folder = self._disk / name
        atomic_folder.write(folder, files, fs_group(pod))
        self._folders[name] = folder
        self._read_only.add(name)
        return True

    def _token_for(self, pod: Object, volume: str) -> Callable[[Mapping[str, Any]], str]:
        def token(source: Mapping[str, Any]) -> str:
            at = (volume, str(source["path"]))
            now = self._clock.now().timestamp()
            known = self._tokens.get(at)
            if known is None or now >= known[1]:
                issued = self._issue(self._request(pod, source))
                known = issued, now + (issued.expires_at - now) * RENEW_AFTER
                self._tokens[at] = known
            return known[0].value

        return token

    def _request(self, pod: Object, source: Mapping[str, Any]) -> TokenRequest:
        audience = source.get("audience")
        return TokenRequest(
            namespace=self._key.namespace,
            service_account=pod["spec"].get("serviceAccountName") or "default",
            audiences=(audience,) if audience else (),
            seconds=int(source.get("expirationSeconds") or DEFAULT_TOKEN_SECONDS),
            pod=self._key.name,
            pod_uid=self._key.uid,
        )

    def _mount(self, mount: Mapping[str, Any], variables: Mapping[str, str]) -> Mount:
        name = mount["name"]
        folder = self._folders.get(name)
        if folder is None:
            raise VolumeBlocked(name, f'volumeMount "{mount["mountPath"]}" names a volume that the pod does not have')
        below = mount.get("subPath") or expand(mount.get("subPathExpr") or "", variables)
        read_only = bool(mount.get("readOnly")) or name in self._read_only
        source = _below(name, folder, below, make=name not in self._read_only) if below else folder
        return Mount(str(source), mount["mountPath"], read_only)


def fs_group(pod: Object) -> int | None:
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    return None if group is None else int(group)


def _below(volume: str, folder: Path, path: str, *, make: bool) -> Path:
    """A subPath with its links followed: a container could have planted a link that leads out."""
    root = Path(os.path.realpath(folder))
    target = Path(os.path.realpath(root / path.lstrip("/")))
    if not target.is_relative_to(root):
        raise VolumeBlocked(volume, f'subPath "{path}" leads out of the volume')
    if not target.exists():
        if not make:
            raise VolumeBlocked(volume, f'subPath "{path}" does not exist in the volume')
        target.mkdir(parents=True)
    return target
