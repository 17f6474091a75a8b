"""What the registry makes of writes: the rules that HTTP clients, controllers and kubelet all meet."""

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from tests.builders.api_server import api_registry

from klamm.localkube.apiserver.local_objects import LocalObjects
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.apiserver.write_rules import WriteOptions
from klamm.localkube.objects import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICES,
    Object,
    Refused,
    Resource,
    WatchEventType,
)

FOOS = Resource("ex.io", "v1", "foos", "Foo")
FOOS_BETA = Resource("ex.io", "v1beta1", "foos", "Foo")


@pytest.fixture
def registry() -> Registry:
    return api_registry()


@pytest.fixture
def objects(registry: Registry) -> LocalObjects:
    return LocalObjects(registry, "test")


def a_pod(name: str = "p", **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "x:1"}], **spec}}


def a_service(name: str = "s", **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def a_deployment(labels: dict[str, str]) -> Object:
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    return {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}


def a_definition() -> Object:
    def version(name: str, storage: bool, extra: dict[str, Any]) -> dict[str, Any]:
        spec = {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1},
                "mode": {"type": "string", "default": "a"},
                **extra,
            },
        }
        free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        schema = {"type": "object", "properties": {"spec": spec, "status": free}}
        return {
            "name": name,
            "served": True,
            "storage": storage,
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
        }

    versions = [version("v1", True, {"new": {"type": "string"}}), version("v1beta1", False, {})]
    names = {"kind": "Foo", "plural": "foos"}
    spec = {"group": "ex.io", "names": names, "scope": "Namespaced", "versions": versions}
    return {"metadata": {"name": "foos.ex.io"}, "spec": spec}


# Creating

REFUSED: dict[str, tuple[Resource, Object, int, str]] = {
    "a name with capitals": (CONFIG_MAPS, {"metadata": {"name": "Aa"}}, 422, "metadata.name: Invalid value"),
    "no name": (CONFIG_MAPS, {"metadata": {}}, 422, "name or generateName is required"),
    "a pod without containers": (PODS, {"metadata": {"name": "p"}, "spec": {}}, 422, "spec.containers: Required"),
    "a pod with an unknown volume": (
        PODS,
        a_pod(containers=[{"name": "c", "image": "x", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]),
        422,
        'volumeMounts\\[0\\].name: Not found: "v"',
    ),
    "a memory limit that is no quantity": (
        PODS,
        a_pod(containers=[{"name": "c", "image": "x", "resources": {"limits": {"memory": "1Gb"}}}]),
        400,
        "quantities must match",
    ),
    "a number where a string should be": (
        PODS,
        a_pod(nodeName=5),
        400,
        "cannot unmarshal number into Go struct field spec.nodeName of type string",
    ),
    "a selector that does not match the template": (DEPLOYMENTS, a_deployment({"a": "c"}), 422, "does not match"),
    "a service without ports": (SERVICES, a_service(ports=[]), 422, "spec.ports: Required value"),
    "a cluster IP outside of the network": (
        SERVICES,
        a_service(clusterIP="10.1.0.1"),
        422,
        "does not match the current range",
    ),
    "the address of the cluster's DNS": (SERVICES, a_service(clusterIP="10.96.0.10"), 422, "already allocated"),
    "a node port outside of the range": (
        SERVICES,
        a_service(type="NodePort", ports=[{"port": 1, "nodePort": 80}]),
        422,
        "30000-32767",
    ),
    "a wrong apiVersion": (CONFIG_MAPS, {"apiVersion": "v2", "metadata": {"name": "a"}}, 400, "does not match"),
    "another kind": (CONFIG_MAPS, {"kind": "Secret", "metadata": {"name": "a"}}, 400, "cannot be handled as a"),
    "texts of more than 1 MiB": (
        CONFIG_MAPS,
        {"metadata": {"name": "a"}, "data": {"k": "ü" * 2**19, "l": "y"}},
        422,
        'ConfigMap "a" is invalid: \\[\\]: Too long: may not be more than 1048576 bytes',
    ),
    "a Secret of more than 1 MiB": (
        SECRETS,
        {"metadata": {"name": "a"}, "stringData": {"k": "x" * 2**20, "l": "y"}},
        422,
        'Secret "a" is invalid: data: Too long: may not be more than 1048576 bytes',
    ),
    "another namespace": (CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "b"}}, 400, "does not match"),
}


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED.keys())
def test_refused(objects: LocalObjects, row: tuple[Resource, Object, int, str]) -> None:
    resource, obj, code, message = row
    with pytest.raises(Refused, match=message) as refused:
        objects.create(resource, "default", obj)
    assert refused.value.code == code


def test_values_of_1_mib_are_taken_in_any_form(objects: LocalObjects) -> None:
    encoded = b64encode(b"x" * 2**20).decode()
    objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}, "data": {"k": "ü" * 2**19}})
    objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "b"}, "binaryData": {"k": encoded}})
    objects.create(SECRETS, "default", {"metadata": {"name": "a"}, "data": {"k": encoded}})


def test_a_new_pod_gets_what_a_cluster_gives_it(objects: LocalObjects) -> None:
    pod = objects.create(PODS, "default", a_pod())
    spec, metadata = pod["spec"], pod["metadata"]
    assert (spec["serviceAccountName"], spec["restartPolicy"], spec["dnsPolicy"]) == (
        "default",
        "Always",
        "ClusterFirst",
    )
    assert spec["containers"][0]["volumeMounts"][0]["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    assert pod["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert metadata["generation"] == 1
    assert metadata["uid"]


def test_names_are_generated(objects: LocalObjects) -> None:
    made = objects.create(CONFIG_MAPS, "default", {"metadata": {"generateName": "a-"}})
    assert made["metadata"]["name"].startswith("a-")
    assert len(made["metadata"]["name"]) == 7


def test_a_name_is_there_once(objects: LocalObjects) -> None:
    objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})
    with pytest.raises(Refused, match='configmaps "a" already exists'):
        objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})


def test_a_missing_namespace_refuses(objects: LocalObjects) -> None:
    with pytest.raises(Refused, match='namespaces "gone" not found'):
        objects.create(CONFIG_MAPS, "gone", {"metadata": {"name": "a"}})


def test_a_terminating_namespace_takes_nothing_new(objects: LocalObjects) -> None:
    made = objects.create(NAMESPACES, None, {"metadata": {"name": "n"}})
    replaced = objects.update(NAMESPACES, {"metadata": {"name": "n", "labels": {"a": "b"}}})
    assert replaced["spec"] == made["spec"] == {"finalizers": ["kubernetes"]}
    objects.delete(NAMESPACES, None, "n")
    with pytest.raises(Refused, match="because it is being terminated"):
        objects.create(CONFIG_MAPS, "n", {"metadata": {"name": "a"}})
    ending = objects.get(NAMESPACES, None, "n")
    assert ending["status"]["phase"] == "Terminating"
    objects.update(NAMESPACES, {**ending, "spec": {"finalizers": []}}, subresource="finalize")
    assert objects.find(NAMESPACES, None, "n") is None


def test_node_ports_are_kept_and_not_given_twice(objects: LocalObjects) -> None:
    first = objects.create(SERVICES, "default", a_service(type="NodePort"))
    port = first["spec"]["ports"][0]["nodePort"]
    changed = objects.patch(SERVICES, "default", "s", {"metadata": {"labels": {"a": "b"}}})
    assert changed["spec"] == first["spec"]
    taken = a_service("other", type="NodePort", ports=[{"port": 1, "nodePort": port}])
    with pytest.raises(Refused, match="provided port is already allocated"):
        objects.create(SERVICES, "default", taken)


# Updating


def test_an_old_version_conflicts(objects: LocalObjects) -> None:
    old = objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})
    objects.update(CONFIG_MAPS, {**old, "data": {"a": "1"}})
    with pytest.raises(Refused, match="the object has been modified") as refused:
        objects.update(CONFIG_MAPS, {**old, "data": {"a": "2"}})
    assert refused.value.code == 409


def test_a_write_that_changes_nothing_writes_nothing(objects: LocalObjects) -> None:
    old = objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}, "data": {"a": "1"}})
    assert objects.update(CONFIG_MAPS, old) == old
    assert objects.patch(CONFIG_MAPS, "default", "a", {"data": {"a": "1"}}) == old


def test_status_and_spec_are_apart(objects: LocalObjects) -> None:
    objects.create(DEPLOYMENTS, "default", a_deployment({"a": "b"}))
    change = {"spec": {"replicas": 3}, "status": {"replicas": 3}}
    by_status = objects.patch(DEPLOYMENTS, "default", "d", change, subresource="status")
    assert (by_status["spec"]["replicas"], by_status["status"]["replicas"]) == (1, 3)
    assert by_status["metadata"]["generation"] == 1
    by_main = objects.patch(DEPLOYMENTS, "default", "d", {"spec": {"replicas": 2}, "status": {"replicas": 9}})
    assert (by_main["spec"]["replicas"], by_main["status"]["replicas"]) == (2, 3)
    assert by_main["metadata"]["generation"] == 2


def test_a_selector_cannot_change(objects: LocalObjects) -> None:
    objects.create(DEPLOYMENTS, "default", a_deployment({"a": "b", "c": "d"}))
    change = {"spec": {"selector": {"matchLabels": {"c": "d"}}}}
    with pytest.raises(Refused, match=r"spec.selector: Invalid value: .*: field is immutable"):
        objects.patch(DEPLOYMENTS, "default", "d", change)


# Deleting


def test_a_pod_does_not_lose_its_containers(objects: LocalObjects) -> None:
    pod = objects.create(PODS, "default", a_pod())
    nothing: tuple[list[Object] | None, ...] = ([], None)
    for none in nothing:
        with pytest.raises(Refused, match=r"spec\.containers: Required"):
            objects.update(PODS, {**pod, "spec": {**pod["spec"], "containers": none}})


def test_a_bound_pod_goes_gracefully(objects: LocalObjects) -> None:
    objects.create(PODS, "default", a_pod(nodeName="n", terminationGracePeriodSeconds=7))
    objects.delete(PODS, "default", "p")
    ending = objects.get(PODS, "default", "p")
    assert ending["metadata"]["deletionGracePeriodSeconds"] == 7
    objects.delete(PODS, "default", "p", grace_seconds=0)
    assert objects.find(PODS, "default", "p") is None


def test_finalizers_hold_an_object(objects: LocalObjects) -> None:
    objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a", "finalizers": ["ex.io/hold"]}})
    objects.delete(CONFIG_MAPS, "default", "a")
    assert objects.get(CONFIG_MAPS, "default", "a")["metadata"]["deletionTimestamp"]
    with pytest.raises(Refused, match="no new finalizers can be added"):
        objects.patch(CONFIG_MAPS, "default", "a", {"metadata": {"finalizers": ["ex.io/hold", "ex.io/more"]}})
    objects.patch(CONFIG_MAPS, "default", "a", {"metadata": {"finalizers": None}})
    assert objects.find(CONFIG_MAPS, "default", "a") is None


def test_policies_leave_their_finalizers(objects: LocalObjects) -> None:
    objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})
    objects.delete(CONFIG_MAPS, "default", "a", propagation="Foreground")
    assert objects.get(CONFIG_MAPS, "default", "a")["metadata"]["finalizers"] == ["foregroundDeletion"]


def test_a_uid_must_match(objects: LocalObjects) -> None:
    objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})
    with pytest.raises(Refused, match="the UID in the precondition"):
        objects.delete(CONFIG_MAPS, "default", "a", uid="another")


# Custom resources


@pytest.fixture
def foos(objects: LocalObjects) -> LocalObjects:
    objects.create(CUSTOM_RESOURCE_DEFINITIONS, None, a_definition())
    return objects


def test_a_definition_is_established_at_once(foos: LocalObjects) -> None:
    status = foos.get(CUSTOM_RESOURCE_DEFINITIONS, None, "foos.ex.io")["status"]
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "NamesAccepted": "True",
        "Established": "True",
    }


def test_custom_objects_are_pruned_and_defaulted(foos: LocalObjects) -> None:
    obj = {"metadata": {"name": "f"}, "spec": {"size": 1, "odd": 1}, "odd": 2}
    made = foos.create(FOOS, "default", obj)
    assert (made["spec"], "odd" in made) == ({"size": 1, "mode": "a"}, False)


def test_custom_objects_are_validated(foos: LocalObjects) -> None:
    with pytest.raises(Refused, match=r'Foo.ex.io "f" is invalid: spec.size: Invalid value: 0'):
        foos.create(FOOS, "default", {"metadata": {"name": "f"}, "spec": {"size": 0}})
    with pytest.raises(Refused, match=r"spec.size: Required value"):
        foos.create(FOOS, "default", {"metadata": {"name": "f"}, "spec": {}})


def test_versions_share_one_stored_form(foos: LocalObjects) -> None:
    foos.create(FOOS, "default", {"metadata": {"name": "f"}, "spec": {"size": 1, "new": "x"}})
    older = foos.get(FOOS_BETA, "default", "f")
    assert (older["apiVersion"], older["spec"]) == ("ex.io/v1beta1", {"size": 1, "mode": "a"})


def test_deleting_a_definition_deletes_its_objects(foos: LocalObjects) -> None:
    foos.create(FOOS, "default", {"metadata": {"name": "f", "finalizers": ["ex.io/hold"]}, "spec": {"size": 1}})
    foos.delete(CUSTOM_RESOURCE_DEFINITIONS, None, "foos.ex.io")
    assert foos.get(FOOS, "default", "f")["metadata"]["deletionTimestamp"]
    foos.patch(FOOS, "default", "f", {"metadata": {"finalizers": None}})
    assert foos.find(CUSTOM_RESOURCE_DEFINITIONS, None, "foos.ex.io") is None
    with pytest.raises(Refused, match="could not find the requested resource"):
        foos.list(FOOS)


def test_unknown_fields_are_told_or_refused(registry: Registry) -> None:
    kind = registry.kind_of(CONFIG_MAPS)
    obj = {"metadata": {"name": "a"}, "dat": {}}
    warned = WriteOptions(field_validation="Warn", dry_run=True)
    registry.create(kind, "default", dict(obj), warned)
    assert warned.warnings == ['unknown field "dat"']
    with pytest.raises(Refused, match='strict decoding error: unknown field "dat"'):
        registry.create(kind, "default", obj, WriteOptions(field_validation="Strict"))


# Watching and storage


async def test_a_watch_tells_what_is_and_what_comes(objects: LocalObjects) -> None:
    objects.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})
    watch = objects.watch(CONFIG_MAPS, "default")
    seen = [await anext(watch)]
    objects.patch(CONFIG_MAPS, "default", "a", {"data": {"a": "1"}})
    objects.create(CONFIG_MAPS, "kube-system", {"metadata": {"name": "elsewhere"}})
    objects.delete(CONFIG_MAPS, "default", "a")
    async with asyncio.timeout(60):
        seen += [await anext(watch), await anext(watch)]
    assert [event.type for event in seen] == [WatchEventType.ADDED, WatchEventType.MODIFIED, WatchEventType.DELETED]
    assert int(seen[2].object["metadata"]["resourceVersion"]) > int(seen[1].object["metadata"]["resourceVersion"])


def test_everything_is_there_again_after_a_restart(tmp_path: Path) -> None:
    first = LocalObjects(api_registry(tmp_path / "objects.db"), "test")
    kept = first.create(CONFIG_MAPS, "default", {"metadata": {"name": "a"}})
    last = first.create(CONFIG_MAPS, "default", {"metadata": {"name": "b"}})
    first.delete(CONFIG_MAPS, "default", "b")
    # The first one is not closed: as after kill -9.
    second = LocalObjects(api_registry(tmp_path / "objects.db"), "test")
    assert [each["metadata"]["name"] for each in second.list(CONFIG_MAPS, "default")] == ["a"]
    assert second.get(CONFIG_MAPS, "default", "a") == kept
    fresh = second.create(CONFIG_MAPS, "default", {"metadata": {"name": "c"}})
    assert int(fresh["metadata"]["resourceVersion"]) > int(last["metadata"]["resourceVersion"]) + 1


def test_the_window_of_changes_ends(tmp_path: Path) -> None:
    storage = Storage(":memory:", window=2)
    for number in range(4):
        storage.put("/things", "", str(number), {"metadata": {"name": str(number)}})
    assert [change.after.name for change in storage.changes_since("/things", storage.version - 2)] == ["2", "3"]
    with pytest.raises(Refused, match="too old resource version") as refused:
        storage.changes_since("/things", storage.version - 3)
    assert refused.value.code == 410
    assert [stored.name for stored in storage.all_at("/things", None, storage.version - 2)] == ["0", "1"]


def test_large_changes_make_the_window_shorter_but_never_empty() -> None:
    storage = Storage(":memory:", window_bytes=1000)
    for number in range(6):
        storage.put("/things", "", str(number), {"metadata": {"name": str(number)}, "data": "x" * 300})
    kept = storage.changes_since("/things", storage.version - 2)
    assert [change.after.name for change in kept] == ["4", "5"]
    with pytest.raises(Refused, match="too old resource version"):
        storage.changes_since("/things", storage.version - 3)
    storage.put("/things", "", "large", {"metadata": {"name": "large"}, "data": "x" * 3000})
    assert [change.after.name for change in storage.changes_since("/things", storage.version - 1)] == ["large"]
