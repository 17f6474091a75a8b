"""Everything a pass over one Kafka resource knows before it decides: one frozen value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from klamm.kube import errors, requests
from klamm.kube.catalogue import KAFKAS
from klamm.kube.kinds import Name, name_of
from klamm.kube.native import SECRETS
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.pod_sets import BY_POD_SET
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.native.configuration import Secret
from klamm.resources.native.pod import Pod
from klamm.resources.native.workloads import Deployment
from klamm.resources.reading import Reading, read
from klamm.resources.structure import decode

_ENVELOPE = ("apiVersion", "kind", "metadata", "status")


@dataclass(frozen=True, slots=True)
class Observed:
    """`pods`: by pod set's name and pod's name. `secrets`: the cluster's, by name."""

    resource: Kafka
    secrets: Mapping[str, Secret]
    pods: Mapping[str, Mapping[str, Pod]]
    pod_sets: Mapping[str, StrimziPodSet]
    all_pods: Sequence[Pod]
    """Of the whole cluster, those of its Deployments too."""
    entity_operator: Deployment | None
    kafka_exporter: Deployment | None

    def pods_of(self, pod_set: str) -> Mapping[str, Pod]:
        return self.pods.get(pod_set, {})

    def size_of(self, pod_set: str, secret: str) -> int:
        """How many pods a component has had until now; 0 for a new one.

        Told by the pod set and by the Secret with a leaf for each pod: a pod that is just being made anew may be
        missing in the first, and either may have been deleted by somebody.
        """
        pods, leaves = self.pod_sets.get(pod_set), self.secrets.get(secret)
        issued = sum(name.endswith(".crt") for name in leaves.data) if leaves else 0
        return max(issued, len(pods.spec.pods) if pods else 0)


async def read_resource(hands: Hands, name: Name) -> tuple[Kafka, Reading] | None:
    """The resource as the API has it now, and what is to be said of its fields; None when it is gone.

    When its values cannot be read (`Reading.problems`), only its metadata and status are what they are.
    """
    try:
        body = await hands.client.raw(requests.get(KAFKAS, name))
    except errors.NotFound:
        return None
    reading = read(Kafka, msgspec.json.decode(body))
    if reading.problems:
        return decode(Kafka, {key: reading.cleaned[key] for key in _ENVELOPE if key in reading.cleaned}), reading
    return decode(Kafka, reading.cleaned), reading


async def gather(hands: Hands, resource: Kafka) -> Observed:
    """Read what is not in a cache: the Secrets (never cached: they are secrets)."""
    namespace, name = name_of(resource)
    labels = {"strimzi.io/cluster": name, "strimzi.io/kind": "Kafka"}
    secrets = await hands.client.list(SECRETS, namespace, labels)
    names = [f"{name}-kafka", f"{name}-zookeeper"]
    own = [pod for pod in hands.pods.all() if _belongs_to(pod, namespace, name)]
    return Observed(
        resource=resource,
        secrets={secret.metadata.name or "": secret for secret in secrets.items},
        pods={one: _pods(hands, Name(namespace, one)) for one in names},
        all_pods=own,
        pod_sets={one: found for one in names if (found := hands.pod_sets.get(Name(namespace, one)))},
        entity_operator=hands.deployments.get(Name(namespace, f"{name}-entity-operator")),
        kafka_exporter=hands.deployments.get(Name(namespace, f"{name}-kafka-exporter")),
    )


def _belongs_to(pod: Pod, namespace: str, cluster: str) -> bool:
    return pod.metadata.namespace == namespace and pod.metadata.labels.get("strimzi.io/cluster") == cluster


def _pods(hands: Hands, pod_set: Name) -> dict[str, Pod]:
    return {pod.metadata.name or "": pod for pod in hands.pods.under(BY_POD_SET, str(pod_set))}
