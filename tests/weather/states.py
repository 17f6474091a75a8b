"""The state of a namespace in a form that can be compared: everything that the operator answers for, nothing of chance.

Left out is what the API server makes up (uids, versions, times, addresses, node ports) and what other controllers
do on their own. Keys and certificates count by their presence, fingerprints of certificates as such; owners by whether
they exist; a pod's revision by whether it is the one that its pod set wants.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from klamm.base.together import side_by_side
from klamm.desired.pod_sets import REVISION, SERVER_CERTIFICATE
from klamm.kube.client import Client
from klamm.kube.requests import Request

Objects = Mapping[str, Any]
"""By "kind/name"."""

_KINDS = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?labelSelector=strimzi.io/cluster",
    "Kafka": "/apis/kafka.strimzi.io/v1beta2/namespaces/{}/kafkas",
    "StrimziPodSet": "/apis/core.strimzi.io/v1beta2/namespaces/{}/strimzipodsets",
}
_KUBERNETES_OWN = frozenset({"ServiceAccount/default", "ConfigMap/kube-root-ca.crt"})
_BOOKKEEPING = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "generateName")
_BY_CONTROLLERS = ("deployment.kubernetes.io/revision",)
_WITHOUT_STATUS = frozenset({"Service", "Deployment", "PodDisruptionBudget", "Ingress"})
_OF_CHANCE = (SERVER_CERTIFICATE, "strimzi.io/broker-configuration-hash")
"""Fingerprints of what has node ports or keys in it. Whether a pod has the newest is told by its revision."""
_TOKEN_VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")
_AUTHORITY_KEY = re.compile(r"-ca$")


@dataclass(frozen=True)
class State:
    """`lasting`: what must outlive every change: identities of claims and keys of authorities."""

    objects: Objects
    lasting: Mapping[str, str]


async def state_of(client: Client, namespace: str) -> State:
    kinds = await side_by_side(*(_listed(client, kind, path, namespace) for kind, path in _KINDS.items()))
    found = {
        f"{kind}/{one['metadata']['name']}": one for kind, items in zip(_KINDS, kinds, strict=True) for one in items
    }
    found = {name: one for name, one in found.items() if name not in _KUBERNETES_OWN}
    reading = _Reading(namespace, found)
    return State(dict(sorted(reading.objects())), dict(_lasting(found)))


async def _listed(client: Client, kind: str, path: str, namespace: str) -> list[dict[str, Any]]:
    bare, _, query = path.format(namespace).partition("?")
    pairs = (tuple(query.split("=", 1)),) if query else ()
    body = await client.raw(Request("GET", bare, f"look at every {kind}", pairs))  # type: ignore[arg-type]
    items: list[dict[str, Any]] = msgspec.json.decode(body)["items"]
    if kind == "ClusterRoleBinding":
        return [one for one in items if f"-{namespace}-" in one["metadata"]["name"]]
    return items


def _lasting(found: Objects) -> Iterator[tuple[str, str]]:
    for name, one in found.items():
        if name.startswith("PersistentVolumeClaim/"):
            yield name, one["metadata"]["uid"]
        elif name.startswith("Secret/") and _AUTHORITY_KEY.search(name):
            yield name, str(one.get("data"))


class _Reading:
    def __init__(self, namespace: str, found: Objects) -> None:
        self._namespace = namespace
        self._found = found
        self._owners = {one["metadata"]["uid"]: name for name, one in found.items()}
        self._ports = {str(number): f"<node port of {name}>" for name, number in _node_ports(found)}
        self._wanted = {
            pod["metadata"]["name"]: pod["metadata"]["annotations"].get(REVISION)
            for name, one in found.items()
            if name.startswith("StrimziPodSet/")
            for pod in one["spec"]["pods"]
        }

    def objects(self) -> Iterator[tuple[str, Any]]:
        """Pods of Deployments have names of chance; they are numbered."""
        numbers = itertools.count(1)
        for name, one in self._found.items():
            kind, label = name.split("/")[0], name.replace(self._namespace, "NAMESPACE")
            if kind == "Pod" and one["metadata"].get("generateName"):
                label = f"{'-'.join(name.split('-')[:-2])}-{next(numbers)}"
                one["metadata"]["name"] = label.removeprefix("Pod/")
            yield label, self._object(kind, one)

    def _object(self, kind: str, one: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in one.items() if key not in ("apiVersion", "kind", "metadata", "status")}
        if kind == "Secret":
            kept["data"] = {key: bool(value) for key, value in one.get("data", {}).items()}
        seen = self._plain(kept)
        seen["metadata"] = self._metadata(one["metadata"])
        if kind not in _WITHOUT_STATUS and "status" in one:
            seen["status"] = self._status(kind, one)
        return dict(seen)

    def _metadata(self, metadata: dict[str, Any]) -> Any:
        kept = {key: value for key, value in metadata.items() if key not in (*_BOOKKEEPING, "ownerReferences")}
        kept["annotations"] = self._annotations(metadata)
        kept["ownerReferences"] = [
            {**owner, "uid": self._owners.get(owner["uid"], "nobody")}
            for owner in metadata.get("ownerReferences", ())
            if owner["kind"] != "ReplicaSet"
        ]
        if "labels" in kept:
            kept["labels"] = {name: value for name, value in kept["labels"].items() if name != "pod-template-hash"}
        if "deletionTimestamp" in kept:
            kept["deletionTimestamp"] = "leaving"
        return self._plain(kept)

    def _annotations(self, metadata: dict[str, Any]) -> dict[str, Any]:
        given = {k: v for k, v in metadata.get("annotations", {}).items() if k not in _BY_CONTROLLERS}
        wanted = self._wanted.get(metadata["name"])
        if REVISION in given:
            given[REVISION] = "as wanted" if given[REVISION] == wanted else "not as wanted"
        return given

    def _status(self, kind: str, one: dict[str, Any]) -> Any:
        status = one["status"]
        if kind == "Pod":
            ready = [c["status"] for c in status.get("conditions", ()) if c["type"] == "Ready"]
            return {"phase": status.get("phase"), "ready": ready}
        if kind == "PersistentVolumeClaim":
            return {"phase": status.get("phase")}
        seen = {**status, "conditions": [_timeless(each) for each in status.get("conditions", ())]}
        if "observedGeneration" in seen:
            seen["observedGeneration"] = seen["observedGeneration"] == one["metadata"].get("generation")
        return self._plain(seen)

    def _plain(self, value: Any, key: str = "") -> Any:
        match value:
            case dict():
                return {name: self._plain(each, name) for name, each in sorted(value.items())}
            case list():
                if key == "listeners":
                    return [self._listener(each) for each in value]
                return [self._plain(each, key) for each in value]
            case _ if key in ("nodeName", "clusterIP", "clusterIPs", "nodePort", *_OF_CHANCE):
                return "None" if value == "None" else f"<{key}>"
            case str() if key == REVISION and len(value) == 16:
                return "<revision>"
            case str():
                return self._text(value)
        return value

    def _text(self, value: str) -> str:
        value = _TOKEN_VOLUME.sub("kube-api-access", value).replace(self._namespace, "NAMESPACE")
        for number, name in self._ports.items():
            value = re.sub(rf"\b{number}\b", name, value)
        return value

    def _listener(self, listener: Any) -> Any:
        """Of the status: a node port's addresses are those of whatever nodes the pods came to."""
        if "bootstrapServers" not in listener:
            return self._plain(listener)
        told = listener["bootstrapServers"]
        addresses = "<of nodes>" if any(number in told for number in self._ports) else self._text(told)
        return {"name": listener["name"], "addresses": addresses, "certificates": len(listener.get("certificates", ()))}


def _node_ports(found: Objects) -> Iterator[tuple[str, int]]:
    for name, one in found.items():
        if name.startswith("Service/"):
            for port in one["spec"].get("ports", ()):
                if port.get("nodePort"):
                    yield f"{name.removeprefix('Service/')}", port["nodePort"]


def _timeless(condition: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in condition.items() if not key.startswith("last")}


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """One line for each place that is not as wanted."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in sorted({*wanted, *found}):
            place = f"{path}.{key}" if path else key
            if key not in found:
                yield f"{place} is missing"
            elif key not in wanted:
                yield f"{place} is left over"
            else:
                yield from differences(wanted[key], found[key], place)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif wanted != found:
        yield f"{path} is {found!r} and not {wanted!r}"
