"""Each call as the complete request that it becomes."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from klamm.kube import requests
from klamm.kube.catalogue import CONFIG_MAP_NAMES
from klamm.kube.kinds import Kind, Name, owner_reference
from klamm.kube.native import CONFIG_MAPS, NAMESPACES, NODES, PODS
from klamm.kube.requests import Request
from klamm.resources.native.cluster import Node
from klamm.resources.native.configuration import ConfigMap
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.native.pod import Pod

A = Name("kafka", "a")
MAP = ConfigMap(metadata=ObjectMeta(name="a", namespace="kafka", resource_version="7", uid="u"), data={"k": "v"})
MAPS = "/api/v1/namespaces/kafka/configmaps"

TABLE: list[tuple[str, Request, str, bool]] = [
    ("read one", requests.get(PODS, A), "GET /api/v1/namespaces/kafka/pods/a", True),
    ("read one of the cluster", requests.get(NODES, Name("", "n")), "GET /api/v1/nodes/n", True),
    ("names are escaped", requests.get(PODS, Name("a/b", "..?")), "GET /api/v1/namespaces/a%2Fb/pods/..%3F", True),
    ("list everywhere", requests.list_page(PODS, None, None, 500), "GET /api/v1/pods?limit=500", True),
    (
        "the next page by labels",
        requests.list_page(PODS, "kafka", {"b": "2", "a": "1"}, 500, "t/="),
        "GET /api/v1/namespaces/kafka/pods?labelSelector=a%3D1%2Cb%3D2&limit=500&continue=t%2F%3D",
        True,
    ),
    (
        "watch",
        requests.watch(PODS, "kafka", None, "7", 300),
        "GET /api/v1/namespaces/kafka/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300",
        True,
    ),
    ("create", requests.create(CONFIG_MAPS, MAP, "me"), f"POST {MAPS}?fieldManager=me", False),
    ("replace", requests.replace(CONFIG_MAPS, MAP, "me"), f"PUT {MAPS}/a?fieldManager=me", False),
    (
        "apply in a rehearsal",
        requests.apply(CONFIG_MAPS, MAP, "me", force=False, dry_run=True),
        f"PATCH {MAPS}/a?fieldManager=me&dryRun=All&force=false",
        True,
    ),
    ("patch", requests.merge_patch(CONFIG_MAPS, A, {}, "me"), f"PATCH {MAPS}/a?fieldManager=me", False),
    (
        "patch a subresource",
        requests.json_patch(CONFIG_MAPS, A, [], "me", subresource="status"),
        f"PATCH {MAPS}/a/status?fieldManager=me",
        False,
    ),
    ("delete by name", requests.delete(CONFIG_MAPS, A), f"DELETE {MAPS}/a", False),
    ("delete what was looked at", requests.delete(CONFIG_MAPS, A, uid="u"), f"DELETE {MAPS}/a", True),
    (
        "delete many",
        requests.delete_collection(CONFIG_MAPS, "kafka", "a=1", "Orphan"),
        f"DELETE {MAPS}?labelSelector=a%3D1&propagationPolicy=Orphan",
        False,
    ),
    (
        "a group of its own",
        requests.get(Kind("kafka.strimzi.io", "v1beta2", "kafkas", "Kafka", Pod), A),
        "GET /apis/kafka.strimzi.io/v1beta2/namespaces/kafka/kafkas/a",
        True,
    ),
]


@pytest.mark.parametrize(("case", "request_", "line", "idempotent"), TABLE, ids=[row[0] for row in TABLE])
def test_requests(case: str, request_: Request, line: str, idempotent: bool) -> None:
    assert f"{request_.method} {request_.target}" == line
    assert request_.idempotent is idempotent


def _body(request: Request) -> Mapping[str, Any]:
    body: Mapping[str, Any] = msgspec.json.decode(request.body or b"")
    return body


def test_an_apply_holds_what_we_want_and_no_bookkeeping() -> None:
    assert _body(requests.apply(CONFIG_MAPS, MAP, "me")) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "kafka"},
        "data": {"k": "v"},
    }


def test_a_deletion_names_its_conditions_only_when_given() -> None:
    assert _body(requests.delete(PODS, A)) == {"apiVersion": "v1", "kind": "DeleteOptions"}
    given = _body(requests.delete(PODS, A, uid="u", version="7", propagation="Foreground", grace_seconds=0))
    assert given["preconditions"] == {"uid": "u", "resourceVersion": "7"}
    assert (given["propagationPolicy"], given["gracePeriodSeconds"]) == ("Foreground", 0)


def test_deleting_everything_without_a_selector_is_refused() -> None:
    with pytest.raises(ValueError, match="delete all pods in kafka: give a label selector"):
        requests.delete_collection(PODS, "kafka", {})


def test_bodies_do_not_show_in_representations() -> None:
    assert "'k'" not in repr(requests.create(CONFIG_MAPS, MAP, "me"))
    assert "data" not in repr(requests.create(CONFIG_MAPS, MAP, "me"))


def test_an_owner_reference_names_kind_and_uid() -> None:
    owner = Node(metadata=ObjectMeta(name="n", uid="u"))
    reference = owner_reference(NODES, owner)
    assert (reference.kind, reference.name, reference.uid, reference.controller) == ("Node", "n", "u", True)
    assert NAMESPACES.path(None, "kafka") == "/api/v1/namespaces/kafka"


def test_of_kinds_that_are_followed_by_their_metadata_no_more_is_asked() -> None:
    asked = [
        requests.list_page(CONFIG_MAP_NAMES, None, None, 500),
        requests.watch(CONFIG_MAP_NAMES, None, None, "7", 300),
        requests.list_page(CONFIG_MAPS, None, None, 500),
    ]
    assert [one.accept for one in asked] == [
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        "application/json",
    ]
