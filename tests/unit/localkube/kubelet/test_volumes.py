"""Volumes as real folders, below a kubelet in virtual time."""

import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import pytest
from tests.builders.kubelets import NAMESPACE, World, container, pod
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.kubelet import atomic_folder
from klamm.localkube.kubelet.payloads import VolumeFile
from klamm.localkube.objects import CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, SECRETS, Object


def config_map(name: str = "settings", **data: str) -> Object:
    return {"metadata": {"name": name}, "data": data}


def secret(name: str = "keys", **data: bytes) -> Object:
    return {"metadata": {"name": name}, "data": {key: base64.b64encode(value).decode() for key, value in data.items()}}


def mounting(volume: dict[str, Any], **mount: Any) -> Object:
    """A pod with that one volume "it" at /it."""
    mounts = [{"name": "it", "mountPath": "/it"} | mount]
    return pod("web-0", container(volumeMounts=mounts), volumes=[{"name": "it"} | volume])


def source(world: World) -> Path:
    """The folder that is mounted at /it."""
    spec = list(world.node.specs.values())[-1]
    return Path(next(mount.source for mount in spec.mounts if mount.target == "/it"))


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))


@in_virtual_time
async def test_a_missing_secret_holds_the_pod_until_it_appears(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(mounting({"secret": {"secretName": "keys", "defaultMode": 0o440}}))
        await world.until(lambda: world.events("FailedMount"), 1)
        assert world.events("FailedMount")[0]["message"] == (
            'MountVolume.SetUp failed for volume "it" : secret "keys" not found'
        )
        assert world.waits_because() == "ContainerCreating"
        world.objects.create(SECRETS, NAMESPACE, secret(key=b"geheim"))
        await world.until(world.is_ready, 1)
    file = source(world) / "key"
    assert file.read_bytes() == b"geheim"
    assert file.stat().st_mode & 0o777 == 0o440
    assert (tmp_path / "pods").stat().st_mode & 0o777 == 0o700
    assert next(iter(world.node.specs.values())).mounts[0].read_only


@in_virtual_time
async def test_a_changed_config_map_reaches_the_running_pod_at_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.objects.create(CONFIG_MAPS, NAMESPACE, config_map(a="1", b="2"))
    async with world.running():
        world.apply(mounting({"configMap": {"name": "settings"}}))
        await world.until(world.is_ready)
        world.objects.patch(CONFIG_MAPS, NAMESPACE, "settings", {"data": {"a": "3", "b": None}})
        await world.until(lambda: (source(world) / "a").read_text() == "3", 1)
    assert not (source(world) / "b").exists()
    assert os.readlink(source(world) / "a") == "..data/a"


@in_virtual_time
async def test_items_choose_keys_paths_and_modes(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.objects.create(CONFIG_MAPS, NAMESPACE, config_map(a="1", b="2"))
    async with world.running():
        items = [{"key": "a", "path": "sub/x.conf", "mode": 0o600}]
        world.apply(mounting({"configMap": {"name": "settings", "items": items}}))
        await world.until(world.is_ready)
    assert (source(world) / "sub/x.conf").stat().st_mode & 0o777 == 0o600
    assert not (source(world) / "b").exists()


@in_virtual_time
async def test_a_projected_volume_holds_token_certificate_and_namespace(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.objects.create(CONFIG_MAPS, NAMESPACE, config_map("kube-root-ca.crt", **{"ca.crt": "PEM"}))
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 1000}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    async with world.running():
        world.apply(mounting({"projected": {"sources": sources}}))
        await world.until(world.is_ready)
        folder = source(world)
        assert (folder / "token").read_text() == "token-1"
        # As in a cluster: whoever the container runs as can read it, unless the pod has an fsGroup.
        assert (folder / "token").stat().st_mode & 0o777 == 0o644
        assert (folder / "ca.crt").read_text() == "PEM"
        assert (folder / "namespace").read_text() == NAMESPACE
        await asyncio.sleep(790)
        assert (folder / "token").read_text() == "token-1"
        await asyncio.sleep(20)
        assert (folder / "token").read_text() == "token-2"


@in_virtual_time
async def test_with_an_fs_group_a_token_is_the_groups_only(tmp_path: Path) -> None:
    world = World(tmp_path)
    wanted = mounting({"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}})
    wanted["spec"]["securityContext"] = {"fsGroup": os.getgid()}
    async with world.running():
        world.apply(wanted)
        await world.until(world.is_ready)
        assert (source(world) / "token").stat().st_mode & 0o777 == 0o640


@in_virtual_time
async def test_labels_in_a_downward_volume_follow_the_pod(tmp_path: Path) -> None:
    from klamm.localkube.objects import PODS

    world = World(tmp_path)
    items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    async with world.running():
        world.apply(mounting({"downwardAPI": {"items": items}}))
        await world.until(world.is_ready)
        world.objects.patch(PODS, NAMESPACE, "web-0", {"metadata": {"labels": {"app": "web"}}})
        await world.until(lambda: (source(world) / "labels").read_text() == 'app="web"', 1)


@in_virtual_time
async def test_a_claim_is_mounted_when_it_is_bound_and_outlives_the_pod(tmp_path: Path) -> None:
    from klamm.localkube.objects import PODS

    world = World(tmp_path)
    data = tmp_path / "data"
    async with world.running():
        world.apply(mounting({"persistentVolumeClaim": {"claimName": "data-0"}}))
        await world.until(lambda: world.events("FailedMount"), 1)
        world.objects.create(
            PERSISTENT_VOLUMES, None, {"metadata": {"name": "pv"}, "spec": {"hostPath": {"path": str(data)}}}
        )
        claim = {"metadata": {"name": "data-0"}, "spec": {"volumeName": "pv"}, "status": {"phase": "Bound"}}
        world.objects.create(PERSISTENT_VOLUME_CLAIMS, NAMESPACE, claim)
        await world.until(world.is_ready, 1)
        assert source(world) == data
        (data / "record").write_text("kept")
        world.objects.delete(PODS, NAMESPACE, "web-0")
        await world.until(lambda: not world.exists())
        await asyncio.sleep(1)
    assert (data / "record").read_text() == "kept"


@in_virtual_time
async def test_empty_dirs_lie_on_disk_or_in_memory(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(mounting({"emptyDir": {"medium": "Memory", "sizeLimit": "5Mi"}}))
        await world.until(world.is_ready)
    assert source(world) == tmp_path / "memory" / "uid-web-0" / "it"
    assert not next(iter(world.node.specs.values())).mounts[0].read_only


@in_virtual_time
async def test_a_sub_path_that_leads_out_of_its_volume_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(mounting({"emptyDir": {}}, subPath="../../../etc"))
        await world.until(lambda: world.waits_because() == "CreateContainerConfigError", 1)
    assert "leads out of the volume" in world.container()["state"]["waiting"]["message"]


@in_virtual_time
async def test_an_unsupported_volume_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with world.running():
        world.apply(mounting({"nfs": {"server": "x", "path": "/"}}))
        await world.until(lambda: world.events("FailedMount"), 1)
    assert "volumes of the kind nfs do not exist on one machine" in world.events("FailedMount")[0]["message"]


@in_virtual_time
async def test_folders_of_pods_that_are_gone_are_swept_at_the_start(tmp_path: Path) -> None:
    world = World(tmp_path)
    for folder in ("pods/uid-gone", "memory/uid-gone", "logs/kafka_gone_uid-gone"):
        (tmp_path / folder).mkdir(parents=True)
    world.apply(pod())
    (tmp_path / "logs/kafka_web-0_uid-web-0").mkdir()
    async with world.running():
        await world.until(world.is_ready)
        left = below(tmp_path)
    assert left == ["logs/kafka_web-0_uid-web-0", "pods/uid-web-0"]


def test_the_same_files_again_change_nothing(tmp_path: Path) -> None:
    files = {"a": VolumeFile(b"1"), "d/b": VolumeFile(b"2", 0o400)}
    assert atomic_folder.write(tmp_path / "v", files)
    assert not atomic_folder.write(tmp_path / "v", files)
    assert atomic_folder.write(tmp_path / "v", {"a": VolumeFile(b"1", 0o600)})
    assert sorted(entry.name for entry in (tmp_path / "v").iterdir() if not entry.name.startswith("..")) == ["a"]
    assert len(list((tmp_path / "v").iterdir())) == 3


def test_containers_with_users_of_their_own_can_go_into_the_folders(tmp_path: Path) -> None:
    """The control plane runs with umask 077."""
    before = os.umask(0o077)
    try:
        atomic_folder.write(tmp_path / "v", {"d/e/f": VolumeFile(b"1")})
    finally:
        os.umask(before)
    folders = (tmp_path / "v", tmp_path / "v/..data", tmp_path / "v/d", tmp_path / "v/d/e")
    assert [oct(folder.stat().st_mode & 0o777) for folder in folders] == ["0o755"] * 4


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "."])
def test_item_paths_stay_inside(path: str) -> None:
    from klamm.localkube.kubelet.environment import MissingSource
    from klamm.localkube.kubelet.payloads import _inside

    with pytest.raises(MissingSource, match="leads out of its volume"):
        _inside(path)
