"""The few fields of Kubernetes objects that the console tells of: what a type has not, a cache never keeps.

Of Secrets only names and the ends of certificates are kept, see `certificate_ends`.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from klamm.kube.kinds import Kind
from klamm.resources.native.metadata import ObjectMeta, ObjectReference

_GROUP, _VERSION = "kafka.strimzi.io", "v1beta2"

CLUSTER = "strimzi.io/cluster"
MANAGED = "strimzi.io/managed"
_LARGE = ("kubectl.kubernetes.io/last-applied-configuration",)
"""Annotations that are as large as all the rest, and that nobody asks for."""


class _Part(msgspec.Struct, rename="camel", omit_defaults=True):
    pass


class Condition(_Part):
    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: str | None = None


class Listener(_Part):
    name: str | None = None
    type: str | None = None
    bootstrap_servers: str | None = None


class Status(_Part):
    observed_generation: int | None = None
    conditions: list[Condition] = []
    listeners: list[Listener] = []
    cluster_id: str | None = None
    kafka_version: str | None = None
    topic_name: str | None = None
    topic_id: str | None = None
    username: str | None = None
    node_ids: list[int] = []
    roles: list[str] = []
    ready_pods: int | None = None
    pods: int | None = None


class _Seen(_Part):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    status: Status | None = None


class SecretAndKey(_Part):
    secret_name: str = ""
    certificate: str = ""


class ListenerConfiguration(_Part):
    broker_cert_chain_and_key: SecretAndKey | None = None


class ListenerSpec(_Part):
    name: str = ""
    configuration: ListenerConfiguration | None = None


class KafkaPart(_Part):
    replicas: int | None = None
    version: str | None = None
    listeners: list[ListenerSpec] = []


class Watching(_Part):
    watched_namespace: str | None = None


class EntityOperator(_Part):
    topic_operator: Watching | None = None
    user_operator: Watching | None = None


class KafkaSpec(_Part):
    kafka: KafkaPart = msgspec.field(default_factory=KafkaPart)
    entity_operator: EntityOperator | None = None


class Kafka(_Seen):
    spec: KafkaSpec = msgspec.field(default_factory=KafkaSpec)


class PoolSpec(_Part):
    replicas: int | None = None
    roles: list[str] = []


class Pool(_Seen):
    spec: PoolSpec = msgspec.field(default_factory=PoolSpec)


class TopicSpec(_Part):
    topic_name: str | None = None
    partitions: int | None = None
    replicas: int | None = None
    config: dict[str, Any] = {}


class Topic(_Seen):
    spec: TopicSpec = msgspec.field(default_factory=TopicSpec)


class OfType(_Part):
    type: str | None = None


class UserSpec(_Part):
    authentication: OfType | None = None
    authorization: OfType | None = None


class User(_Seen):
    spec: UserSpec = msgspec.field(default_factory=UserSpec)


class PodSetPod(_Part):
    """A pod as it is written in its set: its name, and what it is made from."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class PodSetSpec(_Part):
    pods: list[PodSetPod] = []


class PodSet(_Seen):
    spec: PodSetSpec = msgspec.field(default_factory=PodSetSpec)


class Ended(_Part):
    reason: str | None = None
    message: str | None = None
    exit_code: int | None = None
    finished_at: str | None = None


class ContainerState(_Part):
    waiting: Ended | None = None
    terminated: Ended | None = None


class Container(_Part):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState | None = None
    last_state: ContainerState | None = None


class PodSpec(_Part):
    node_name: str | None = None


class PodStatus(_Part):
    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    start_time: str | None = None
    conditions: list[Condition] = []
    container_statuses: list[Container] = []
    init_container_statuses: list[Container] = []


class Pod(_Part):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus | None = None


class Event(_Part):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    involved_object: ObjectReference = msgspec.field(default_factory=ObjectReference)
    type: str | None = None
    reason: str | None = None
    message: str | None = None
    count: int | None = None
    event_time: str | None = None
    last_timestamp: str | None = None

    @property
    def last(self) -> str:
        return self.last_timestamp or self.event_time or self.metadata.creation_timestamp or ""


class Secret(_Part):
    """Read, its certificates' ends taken, and dropped: never kept."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    data: dict[str, str] = {}


KAFKAS = Kind(_GROUP, _VERSION, "kafkas", "Kafka", Kafka)
POOLS = Kind(_GROUP, _VERSION, "kafkanodepools", "KafkaNodePool", Pool)
TOPICS = Kind(_GROUP, _VERSION, "kafkatopics", "KafkaTopic", Topic)
USERS = Kind(_GROUP, _VERSION, "kafkausers", "KafkaUser", User)
POD_SETS = Kind("core.strimzi.io", _VERSION, "strimzipodsets", "StrimziPodSet", PodSet)
PODS = Kind("", "v1", "pods", "Pod", Pod)
EVENTS = Kind("", "v1", "events", "Event", Event)
SECRETS = Kind("", "v1", "secrets", "Secret", Secret)


T = TypeVar("T", Kafka, Pool, Topic, User, PodSet, Pod)


def trimmed(obj: T) -> T:
    """Without what is large and never shown."""
    meta = obj.metadata
    annotations = {name: value for name, value in meta.annotations.items() if name not in _LARGE}
    lean = msgspec.structs.replace(meta, annotations=annotations, owner_references=[], finalizers=[])
    return msgspec.structs.replace(obj, metadata=lean)


@dataclass(frozen=True, slots=True)
class CertificateEnd:
    """`key`: of the Secret; a bundle counts with the certificate that ends first."""

    secret: str
    key: str
    common_name: str
    ends: datetime


def certificate_ends(name: str, data: Mapping[str, str]) -> tuple[CertificateEnd, ...]:
    """Of the certificates in a Secret's base64 `data`; keys, passwords and stores are not even decoded."""
    # Here, for it imports cryptography, which a console without Kubernetes does not need.
    from klamm.certificates.read import UnreadableCertificate, read_certificate, split_pem

    found = []
    for key, content in sorted(data.items()):
        if not key.endswith((".crt", ".pem", ".cer")) or "key" in key.lower():
            continue
        try:
            read = [read_certificate(pem, f"Secret {name}") for pem in split_pem(base64.b64decode(content))]
        except (UnreadableCertificate, binascii.Error):
            continue
        if read:
            first = min(read, key=lambda one: one.not_after)
            found.append(CertificateEnd(name, key, first.common_name, first.not_after))
    return tuple(found)
