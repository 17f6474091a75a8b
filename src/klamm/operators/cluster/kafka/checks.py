"""What is wrong with a Kafka resource, and which storage is used: the rules, applied once at the begin of a pass."""

from dataclasses import dataclass

from klamm.control.remarks import remarks as remarks_about_fields
from klamm.control.status import warning
from klamm.kube.kinds import Name
from klamm.operators.cluster.hands import Hands
from klamm.operators.cluster.pod_sets import BY_POD_SET
from klamm.planning.kafka_rules import cluster as rules
from klamm.planning.kafka_rules.cluster import SupportedVersions
from klamm.planning.storage import StorageDecision, decide_storage, remembered_storage, storage_remark
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.status import Condition
from klamm.resources.custom.storage import Storage
from klamm.resources.reading import Problem, Reading


@dataclass(frozen=True, slots=True)
class Checked:
    """`problems` stop the pass; `warnings` become conditions. Storage is the one to use."""

    problems: tuple[Problem, ...]
    warnings: tuple[Condition, ...]
    kafka_storage: Storage
    zookeeper_storage: Storage


def check(hands: Hands, resource: Kafka, reading: Reading) -> Checked:
    """`reading`: what was found when the resource was read (unknown and deprecated fields)."""
    spec = resource.spec
    kafka = _storage(hands, resource, "kafka", spec.kafka.storage)
    zookeeper = _storage(hands, resource, "zookeeper", spec.zookeeper.storage if spec.zookeeper else None)
    versions = supported_versions(hands)
    remarks = [
        *rules.remarks(resource, versions),
        storage_remark("KafkaStorage", kafka),
        storage_remark("ZooKeeperStorage", zookeeper),
    ]
    return Checked(
        problems=tuple(rules.problems(resource, versions)),
        warnings=(
            *remarks_about_fields(reading),
            *(warning(remark.reason, remark.message) for remark in remarks if remark is not None),
        ),
        kafka_storage=kafka.use,
        zookeeper_storage=zookeeper.use,
    )


def supported_versions(hands: Hands) -> SupportedVersions:
    """Those that klamm knows and this operator has images for (STRIMZI_KAFKA_IMAGES)."""
    images, known = hands.surroundings.kafka_images, rules.RELEASED
    return SupportedVersions(
        default=hands.surroundings.default_version,
        with_zookeeper=tuple(version for version in known.with_zookeeper if version in images),
        with_kraft=known.with_kraft,
    )


def _storage(hands: Hands, resource: Kafka, part: str, wanted: Storage | None) -> StorageDecision:
    """The wanted storage against the one that the pod set remembers."""
    name = Name(resource.metadata.namespace or "", f"{resource.metadata.name}-{part}")
    pod_set = hands.pod_sets.get(name)
    old = remembered_storage(pod_set.metadata.annotations) if pod_set else None
    existing = len(hands.pods.under(BY_POD_SET, str(name)))
    return decide_storage(f"spec.{part}.storage", old, wanted or Storage(type="ephemeral"), existing)
