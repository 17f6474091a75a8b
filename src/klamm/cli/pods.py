"""From what people type (`my-pod`, `ds/myclient`, `deploy/x`, `svc/y`) to one pod and one of its containers."""

from typing import Any

from klamm.cli.applying import Discovery, Object, Served, list_objects, read
from klamm.cli.context import Context
from klamm.cli.errors import Mistake, NotFound
from klamm.kube.client import Client

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
PODS = Served("v1", "Pod", "pods", True, ("po",), "pod")


async def find_pod(client: Client, typed: str, namespace: str) -> Object:
    """Of several pods behind one name, one that runs; Ready ones first."""
    word, slash, name = typed.partition("/")
    if not slash:
        return await read(client, PODS, namespace, typed)
    served = await Discovery(client).by_word(word)
    if served.kind == "Pod":
        return await read(client, PODS, namespace, name)
    owner = await read(client, served, namespace, name)
    labels = selector_of(owner)
    if not labels:
        raise Mistake(f"{served.kind} {name} selects no pods; name a pod, or a Deployment, DaemonSet or Service")
    pods = await list_objects(client, PODS, namespace, labels)
    if not pods:
        raise NotFound(f"{served.kind} {name} has no pods in {namespace} ({labels})")
    return min(
        pods, key=lambda pod: (not is_ready(pod), pod["status"].get("phase") != "Running", pod["metadata"]["name"])
    )


def selector_of(owner: Object) -> str:
    """The label selector by which a workload, a Service or a Strimzi resource finds its pods; "" when it has none."""
    if owner["apiVersion"].startswith("kafka.strimzi.io/"):
        name, kind = owner["metadata"]["name"], owner["kind"]
        # Of a Kafka resource's pods people mean the brokers, not ZooKeeper's or the entity operator's.
        return (
            f"strimzi.io/name={name}-kafka" if kind == "Kafka" else f"strimzi.io/cluster={name},strimzi.io/kind={kind}"
        )
    selector: dict[str, Any] = (owner.get("spec") or {}).get("selector") or {}
    labels = selector if owner["kind"] == "Service" else selector.get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def container_of(context: Context, pod: Object, wanted: str | None) -> str:
    """The one that was asked for, else the pod's default, else its first (with a word about the others)."""
    main = [one["name"] for one in pod["spec"]["containers"]]
    every = [*main, *(one["name"] for one in pod["spec"].get("initContainers") or ())]
    name = pod["metadata"]["name"]
    if wanted:
        if wanted not in every:
            raise NotFound(f"pod {name} has no container {wanted}; it has {', '.join(every)}")
        return wanted
    annotated = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER)
    if annotated in main:
        return str(annotated)
    if len(main) > 1:
        context.say(f"container {main[0]} of {name}; with -c also: {', '.join(main[1:])}")
    return str(main[0])
