"""A KafkaTopic as decisions see it, and what the cache keeps of one."""

from collections.abc import Iterable

import msgspec

from klamm.control.status import PAUSE, is_paused
from klamm.planning.topics import Standing, Wanted, config_texts
from klamm.resources.custom.topic import KafkaTopic

MANAGED = "strimzi.io/managed"

BY_TOPIC = "topic"
"""The cache's index: resources by the topic that they claim."""

_KEPT = (MANAGED, PAUSE)


def trimmed(resource: KafkaTopic) -> KafkaTopic:
    """Without labels, owners and others' annotations: kubectl's alone is as large as all the rest."""
    metadata = resource.metadata
    annotations = {key: metadata.annotations[key] for key in _KEPT if key in metadata.annotations}
    lean = msgspec.structs.replace(metadata, annotations=annotations, labels={}, owner_references=[])
    return msgspec.structs.replace(resource, metadata=lean)


def is_managed(resource: KafkaTopic) -> bool:
    return resource.metadata.annotations.get(MANAGED, "true").lower() != "false"


def claimed(resource: KafkaTopic) -> str:
    """The topic that it has had, else the one that it names."""
    return (resource.status and resource.status.topic_name) or named(resource)


def has_had_one(resource: KafkaTopic) -> bool:
    """A topic of its own: it was ready once."""
    return bool(resource.status and resource.status.topic_name)


def named(resource: KafkaTopic) -> str:
    return resource.spec.topic_name or resource.metadata.name or ""


def topic_key(resource: KafkaTopic) -> Iterable[str]:
    return (claimed(resource),)


def standing(resource: KafkaTopic) -> Standing:
    metadata = resource.metadata
    return Standing(
        resource=metadata.name or "",
        created=metadata.creation_timestamp or "",
        topic=claimed(resource),
        named=named(resource),
        leaving=metadata.deletion_timestamp is not None,
        managed=is_managed(resource),
        paused=is_paused(resource),
    )


def wanted(resource: KafkaTopic) -> Wanted:
    spec = resource.spec
    return Wanted(claimed(resource), spec.partitions, spec.replicas, config_texts(spec.config))


def never_ready(resource: KafkaTopic) -> bool:
    """No condition tells anything of it yet."""
    return resource.status is None or not resource.status.conditions
