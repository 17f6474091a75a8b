"""Requests that no sound client sends: paths, options, headers, bodies and objects, each wrong in some way."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from yarl import URL

_AT = "namespaces/default/"
_KINDS = {
    f"/api/v1/{_AT}configmaps": ("v1", "ConfigMap"),
    f"/api/v1/{_AT}pods": ("v1", "Pod"),
    f"/api/v1/{_AT}services": ("v1", "Service"),
    f"/api/v1/{_AT}secrets": ("v1", "Secret"),
    f"/api/v1/{_AT}serviceaccounts": ("v1", "ServiceAccount"),
    f"/api/v1/{_AT}persistentvolumeclaims": ("v1", "PersistentVolumeClaim"),
    f"/apis/apps/v1/{_AT}deployments": ("apps/v1", "Deployment"),
    f"/apis/apps/v1/{_AT}statefulsets": ("apps/v1", "StatefulSet"),
    f"/apis/batch/v1/{_AT}jobs": ("batch/v1", "Job"),
    f"/apis/policy/v1/{_AT}poddisruptionbudgets": ("policy/v1", "PodDisruptionBudget"),
    f"/apis/networking.k8s.io/v1/{_AT}networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy"),
    f"/apis/rbac.authorization.k8s.io/v1/{_AT}roles": ("rbac.authorization.k8s.io/v1", "Role"),
    f"/apis/kafka.strimzi.io/v1beta2/{_AT}kafkas": ("kafka.strimzi.io/v1beta2", "Kafka"),
    f"/apis/kafka.strimzi.io/v1/{_AT}kafkatopics": ("kafka.strimzi.io/v1", "KafkaTopic"),
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    f"/apis/coordination.k8s.io/v1/{_AT}leases": ("coordination.k8s.io/v1", "Lease"),
    "/api/v1/namespaces": ("v1", "Namespace"),
    "/api/v1/nodes": ("v1", "Node"),
    "/openapi/v3": ("v1", "x"),
    "/apis": ("v1", "y"),
}
_ENDS = (
    "",
    "/a",
    "/a/status",
    "/a/scale",
    "/a/log",
    "/a/exec",
    "/a/attach",
    "/a/portforward",
    "/a/eviction",
    "/a/token",
)
_ODD = ("/..%2f..", "/%00", "//", "/a/b/c/d", "/" + "x" * 3000, "/a%0d%0aX:%20y", "/ä", "/a/../../b", "/%ff%fe")
_OPTIONS = (
    "limit=-1&continue=%7B",
    "limit=99999999999999999999",
    "resourceVersion=x&watch=1",
    "watch=true&timeoutSeconds=-5&resourceVersion=0",
    "labelSelector=%21%21a+in+%28",
    "fieldSelector=metadata.name%3D%3D%3D",
    "fieldManager=" + "m" * 500,
    "dryRun=Some",
    "fieldValidation=Never",
    "resourceVersionMatch=Exact",
    "sendInitialEvents=true&watch=1",
    "force=perhaps",
    "propagationPolicy=Upwards&gracePeriodSeconds=x",
    "container=%00&tailLines=z&command=",
    "pretty=%F0%9F%92%A9",
)
_FORMS = (
    "application/json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "text/plain;charset=utf-9",
    "nonsense",
    "",
)
_ACCEPTED = (
    "*/*",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v9;g=x",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/vnd.kubernetes.protobuf",
    "image/png",
    ";;;,q=",
)
_LEAVES: tuple[Any, ...] = (
    *(None, True, -1, 1e308, 10**30, "", "a", "x" * 5000, "\u0000", "💩", "2020-13-45T99:99:99Z", "10Gi", "$(x)"),
    *([], {}, [[]], [None], {"": ""}, {"a": {"b": {"c": None}}}, ["a", 1, {}], [{"name": "a"}, {"name": "a"}]),
    *({"$patch": "delete"}, {"$retainKeys": 3}, {"x-kubernetes-preserve-unknown-fields": "y"}),
)
_BYTES = (
    *(b"", b"{", b"\xff\xfe\x00", b"[" * 50_000, b'{"a":' * 20_000, b"k8s\x00\x0a\xff\xff", b"\x00" * 1000),
    *(
        b"a: &x [*x]",
        b"a: !!python/x y",
        b'{"metadata":{"name":"a"},"metadata":{"name":"b"}}',
        b"null",
        b"1",
        b'"text"',
    ),
)


@dataclass(frozen=True)
class Request:
    method: str
    path: URL
    body: bytes | None
    headers: Mapping[str, str]

    def shown(self) -> str:
        return f"{self.method} {str(self.path)[:300]} {dict(self.headers)} {(self.body or b'')[:1500]!r}"


class Nonsense:
    def __init__(self, random: Random) -> None:
        self._random = random

    def request(self) -> Request:
        pick = self._random.choice
        collection = pick(tuple(_KINDS))
        path = collection + (pick(_ENDS) if self._random.random() < 0.85 else pick(_ODD))
        if self._random.random() < 0.5:
            path += "?" + "&".join(self._random.sample(_OPTIONS, self._random.randint(1, 3)))
        headers = {"Content-Type": pick(_FORMS), "Accept": pick(_ACCEPTED)}
        method = pick(("GET", "POST", "PUT", "PATCH", "PATCH", "DELETE", "OPTIONS", "BREW"))
        return Request(method, URL(path, encoded=True), None if method == "GET" else self._body(collection), headers)

    def _body(self, collection: str) -> bytes:
        chance = self._random.random()
        if chance < 0.25:
            return self._random.choice(_BYTES)
        if chance < 0.45:
            return json.dumps([self._operation() for _ in range(self._random.randint(0, 4))]).encode()
        return json.dumps(self._object(*_KINDS[collection])).encode()

    def _operation(self) -> Any:
        pick = self._random.choice
        made = {
            "op": pick(("add", "remove", "replace", "move", "copy", "test", "x", 3)),
            "path": pick(("", "/", "/metadata", "/metadata/labels/a~1b~2", "/data/-", "/spec/containers/0", "x", None)),
            "from": pick(("/metadata", "/", "/nowhere", 1)),
            "value": pick(_LEAVES),
        }
        return {key: value for key, value in made.items() if self._random.random() < 0.9}

    def _object(self, api_version: str, kind: str) -> Any:
        """A sound object in which some places hold what does not belong there."""
        made: dict[str, Any] = {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {
                "name": self._random.choice(("a", "a", "b", "as.x.example.com")),
                "labels": {"a": "b"},
                "annotations": {},
                "finalizers": [],
                "ownerReferences": [],
            },
            "data": {"k": "v"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
                "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 1}], "env": [{"name": "A"}]}],
                "ports": [{"port": 80}],
                "group": "x.example.com",
                "names": {"plural": "as", "kind": "A"},
                "scope": "Namespaced",
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {}}}],
            },
        }
        for _ in range(self._random.randint(0, 3)):
            self._spoil(made)
        return made

    def _spoil(self, made: dict[str, Any]) -> None:
        at: Any = made
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                return
            key = self._random.choice(keys)
            if isinstance(at[key], dict | list) and at[key] and self._random.random() < 0.7:
                at = at[key]
                continue
            at[key] = deepcopy(self._random.choice(_LEAVES))
            return
