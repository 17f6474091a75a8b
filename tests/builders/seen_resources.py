"""Resources and pods as the console keeps them: ready by default, change what the test is about."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from klamm.console.kubernetes import seen
from klamm.console.kubernetes.watching import Certificates, Resources

READY = {"type": "Ready", "status": "True"}
CLUSTER, NAMESPACE = "my-cluster", "kafka"
_LABELS = {seen.CLUSTER: CLUSTER}


def a_kafka(
    *conditions: Mapping[str, str],
    name: str = CLUSTER,
    namespace: str = NAMESPACE,
    looked_at: int = 1,
    generation: int = 1,
    **status: Any,
) -> seen.Kafka:
    return msgspec.convert(
        {
            "metadata": {"name": name, "namespace": namespace, "generation": generation},
            "status": {"observedGeneration": looked_at, "conditions": list(conditions or (READY,)), **status},
        },
        seen.Kafka,
    )


def a_topic_resource(
    name: str,
    spec: Mapping[str, Any] | None = None,
    conditions: Sequence[Mapping[str, str]] = (READY,),
    created: str = "2026-01-01T00:00:00Z",
    leaving: bool = False,
    annotations: Mapping[str, str] | None = None,
    had: str | None = None,
) -> seen.Topic:
    metadata = {
        "name": name,
        "namespace": NAMESPACE,
        "generation": 1,
        "labels": _LABELS,
        "creationTimestamp": created,
        "annotations": dict(annotations or {}),
        **({"deletionTimestamp": created} if leaving else {}),
    }
    status = {"observedGeneration": 1, "conditions": list(conditions), **({"topicName": had} if had else {})}
    return msgspec.convert({"metadata": metadata, "spec": dict(spec or {}), "status": status}, seen.Topic)


def a_pod(
    name: str = "my-cluster-kafka-0",
    *,
    ready: bool = True,
    waiting: str = "",
    unscheduled: str = "",
    restarts: int = 0,
    ended: tuple[str, int] | None = None,
    at: str = "2026-05-01T11:00:00Z",
    leaving: bool = False,
    annotations: Mapping[str, str] | None = None,
    uid: str = "",
) -> seen.Pod:
    is_ready = ready and not waiting and not unscheduled
    conditions = [{"type": "Ready", "status": "True" if is_ready else "False"}]
    if unscheduled:
        conditions.append({"type": "PodScheduled", "status": "False", "message": unscheduled})
    container: dict[str, Any] = {"name": "kafka", "ready": is_ready, "restartCount": restarts}
    if waiting:
        container["state"] = {"waiting": {"reason": waiting}}
    if ended:
        container["lastState"] = {"terminated": {"reason": ended[0], "exitCode": ended[1], "finishedAt": at}}
    metadata = {
        "name": name,
        "uid": uid or f"uid of {name}",
        "namespace": NAMESPACE,
        "labels": _LABELS,
        "annotations": dict(annotations or {}),
        **({"deletionTimestamp": at} if leaving else {}),
    }
    status = {"phase": "Running", "conditions": conditions, "containerStatuses": [container]}
    return msgspec.convert({"metadata": metadata, "spec": {"nodeName": "n"}, "status": status}, seen.Pod)


def a_pod_set(pods: Mapping[str, Mapping[str, str]], name: str = "my-cluster-kafka") -> seen.PodSet:
    written = [{"metadata": {"name": pod, "annotations": dict(of)}} for pod, of in pods.items()]
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _LABELS}
    return msgspec.convert({"metadata": metadata, "spec": {"pods": written}}, seen.PodSet)


def some_resources(**changed: Any) -> Resources:
    values: dict[str, Any] = {
        "kafka": a_kafka(READY),
        "pools": (),
        "topics": (),
        "users": (),
        "pod_sets": (),
        "pods": (a_pod(),),
        "certificates": Certificates((), (), 0.0),
        "stale": (),
    }
    return Resources(**{**values, **changed})
