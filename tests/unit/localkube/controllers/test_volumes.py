from pathlib import Path

from tests.builders.small_cluster import SmallCluster, claim, pod, small_cluster
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.controllers.volumes import LocalFolders
from klamm.localkube.objects import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES, Object


def _volume(cluster: SmallCluster, claim_name: str = "data") -> Object:
    name = cluster.get(PERSISTENT_VOLUME_CLAIMS, claim_name)["spec"]["volumeName"]
    return cluster.get(PERSISTENT_VOLUMES, name)


@in_virtual_time
async def test_a_claim_gets_a_folder_of_its_own_and_both_sides_are_bound() -> None:
    async with small_cluster() as cluster:
        cluster.apply(claim("data", "1Gi"))
        await cluster.settled()
        bound, volume = cluster.get(PERSISTENT_VOLUME_CLAIMS, "data"), _volume(cluster)
        assert bound["status"] == {
            "phase": "Bound",
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
        }
        assert bound["spec"]["storageClassName"] == "standard"
        assert bound["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
        assert volume["status"]["phase"] == "Bound"
        assert volume["spec"]["claimRef"]["uid"] == bound["metadata"]["uid"]
        assert volume["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
        assert cluster.folders.there == {Path(volume["spec"]["hostPath"]["path"])}
        assert volume["spec"]["hostPath"]["path"].startswith("/volumes/pvc-")


@in_virtual_time
async def test_a_claim_of_an_unknown_class_waits_with_an_event_until_the_class_comes() -> None:
    async with small_cluster() as cluster:
        cluster.apply(claim("data", storageClassName="gp2"))
        await cluster.settled()
        assert cluster.get(PERSISTENT_VOLUME_CLAIMS, "data")["status"]["phase"] == "Pending"
        assert cluster.events("ProvisioningFailed") == ['storageclass.storage.k8s.io "gp2" not found']
        standard = cluster.get(STORAGE_CLASSES, "standard")
        made = {k: standard[k] for k in ("apiVersion", "kind", "provisioner", "reclaimPolicy")}
        cluster.apply({**made, "metadata": {"name": "gp2"}})
        await cluster.settled()
        assert cluster.get(PERSISTENT_VOLUME_CLAIMS, "data")["status"]["phase"] == "Bound"


@in_virtual_time
async def test_a_deleted_claim_takes_its_folder_along() -> None:
    async with small_cluster() as cluster:
        cluster.apply(claim("data"))
        await cluster.settled()
        cluster.objects.delete(PERSISTENT_VOLUME_CLAIMS, "default", "data")
        await cluster.settled()
        assert cluster.find(PERSISTENT_VOLUME_CLAIMS, "data") is None
        assert cluster.names(PERSISTENT_VOLUMES) == []
        assert cluster.folders.there == set()


@in_virtual_time
async def test_retain_keeps_volume_and_folder() -> None:
    async with small_cluster() as cluster:
        cluster.apply(claim("data"))
        await cluster.settled()
        name = _volume(cluster)["metadata"]["name"]
        retain = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
        cluster.objects.patch(PERSISTENT_VOLUMES, None, name, retain)
        cluster.objects.delete(PERSISTENT_VOLUME_CLAIMS, "default", "data")
        await cluster.settled()
        assert cluster.get(PERSISTENT_VOLUMES, name)["status"]["phase"] == "Released"
        assert len(cluster.folders.there) == 1
        cluster.objects.delete(PERSISTENT_VOLUMES, None, name)
        await cluster.settled()
        assert cluster.find(PERSISTENT_VOLUMES, name) is None
        assert len(cluster.folders.there) == 1


@in_virtual_time
async def test_a_claim_in_use_stays_until_its_pod_is_gone() -> None:
    async with small_cluster() as cluster:
        cluster.apply(claim("data"))
        cluster.apply(pod("a", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]))
        await cluster.settled()
        cluster.objects.delete(PERSISTENT_VOLUME_CLAIMS, "default", "data")
        await cluster.settled()
        assert cluster.get(PERSISTENT_VOLUME_CLAIMS, "data")["metadata"]["deletionTimestamp"]
        assert len(cluster.folders.there) == 1
        cluster.objects.delete(PODS, "default", "a")
        await cluster.settled()
        assert cluster.find(PERSISTENT_VOLUME_CLAIMS, "data") is None
        assert cluster.folders.there == set()


@in_virtual_time
async def test_a_grown_claim_makes_its_volume_grow() -> None:
    async with small_cluster() as cluster:
        cluster.apply(claim("data", "1Gi"))
        await cluster.settled()
        cluster.apply(claim("data", "5Gi"))
        await cluster.settled()
        assert cluster.get(PERSISTENT_VOLUME_CLAIMS, "data")["status"]["capacity"] == {"storage": "5Gi"}
        assert _volume(cluster)["spec"]["capacity"] == {"storage": "5Gi"}


@in_virtual_time
async def test_a_claim_takes_a_free_volume_that_fits_before_a_new_one_is_made() -> None:
    async with small_cluster() as cluster:
        spec = {
            "capacity": {"storage": "2Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "standard",
            "hostPath": {"path": "/srv/mine"},
        }
        cluster.objects.create(PERSISTENT_VOLUMES, None, {"metadata": {"name": "mine"}, "spec": spec})
        await cluster.settled()
        assert cluster.get(PERSISTENT_VOLUMES, "mine")["status"]["phase"] == "Available"
        cluster.apply(claim("data", "1Gi"))
        cluster.apply(claim("large", "3Gi"))
        await cluster.settled()
        assert _volume(cluster)["metadata"]["name"] == "mine"
        assert _volume(cluster, "large")["metadata"]["name"] != "mine"
        cluster.objects.delete(PERSISTENT_VOLUME_CLAIMS, "default", "data")
        await cluster.settled()
        assert cluster.get(PERSISTENT_VOLUMES, "mine")["status"]["phase"] == "Released"


async def test_folders_on_disk_are_private_and_go_with_their_content(tmp_path: Path) -> None:
    folder = tmp_path / "pvc-1"
    folders = LocalFolders()
    folders.make(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "log").mkdir()
    (folder / "log" / "segment").write_text("x")
    await folders.remove(folder)
    assert not folder.exists()
    await folders.remove(folder)
