"""StrimziPodSets and their pods, for Kafka and ZooKeeper alike.

Pods are written out in full, because each differs (claims, ConfigMaps, certificates). A pod carries the fingerprint of
its own description as `strimzi.io/revision`; the pod set controller never changes a running pod, so a pod whose
revision differs from its description's waits for the roller.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from klamm.desired.fingerprints import fingerprint_of
from klamm.desired.labels import (
    CONTROLLER,
    CONTROLLER_NAME,
    POD_NAME,
    STATEFUL_SET_POD_NAME,
    Component,
)
from klamm.desired.templates import metadata
from klamm.resources.custom.pod_set import StrimziPodSet, StrimziPodSetSpec
from klamm.resources.custom.template import ResourceTemplate
from klamm.resources.native.metadata import LabelSelector, OwnerReference
from klamm.resources.native.pod import Pod, PodSpec
from klamm.resources.structure import encode

REVISION = "strimzi.io/revision"
CLUSTER_CA_CERT_GENERATION = "strimzi.io/cluster-ca-cert-generation"
CLUSTER_CA_KEY_GENERATION = "strimzi.io/cluster-ca-key-generation"
OLD_CLUSTER_CA = "strimzi.io/trusts-old-cluster-ca"
"""On pods that were started while certificates of an old cluster authority were trusted beside the current one."""
CLIENTS_CA_CERT_GENERATION = "strimzi.io/clients-ca-cert-generation"
SERVER_CERTIFICATE = "strimzi.io/server-cert-hash"
CUSTOM_CERTIFICATES = "strimzi.io/custom-listener-cert-thumbprints"


def pod(
    component: Component,
    name: str,
    namespace: str,
    spec: PodSpec,
    template: ResourceTemplate | None,
    *,
    pod_set: str,
    service: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
) -> Pod:
    """One pod of a pod set, named under the headless Service; its owner is set when it is made."""
    spec.hostname, spec.subdomain = name, service
    own_labels = {
        POD_NAME: name,
        STATEFUL_SET_POD_NAME: name,
        CONTROLLER: "strimzipodset",
        CONTROLLER_NAME: pod_set,
        **labels,
    }
    place = metadata(component, name, namespace, None, template, labels=own_labels, annotations=annotations)
    made = Pod(metadata=place, spec=spec)
    made.metadata.annotations = made.metadata.annotations | {REVISION: fingerprint_of(encode(made))}
    return made


def pod_set(
    component: Component,
    name: str,
    namespace: str,
    owner: OwnerReference,
    pods: Sequence[Pod],
    template: ResourceTemplate | None,
    annotations: Mapping[str, str],
) -> StrimziPodSet:
    """The set that keeps these pods alive."""
    return StrimziPodSet(
        metadata=metadata(component, name, namespace, owner, template, annotations=annotations),
        spec=StrimziPodSetSpec(
            selector=LabelSelector(match_labels=component.selector()), pods=[encode(made) for made in pods]
        ),
    )


def wanted_annotations(wanted: StrimziPodSet) -> dict[str, dict[str, str]]:
    """Pod name -> the annotations that it would carry if it were made now: what the roller compares."""
    found: dict[str, dict[str, str]] = {}
    for made in wanted.spec.pods:
        meta: dict[str, Any] = made.get("metadata", {})
        found[meta["name"]] = meta.get("annotations", {})
    return found
