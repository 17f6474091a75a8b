"""What all parts of a cluster have in common: the Kafka resource that asks for them, and whose their objects are."""

from dataclasses import dataclass
from functools import cached_property

from klamm.desired.ownership import owner_reference
from klamm.desired.surroundings import Surroundings
from klamm.resources.custom.kafka import Kafka
from klamm.resources.native.metadata import OwnerReference


@dataclass(frozen=True)
class ClusterPart:
    """`cluster` is the name of the Kafka resource, which the names of all its objects begin with."""

    resource: Kafka
    surroundings: Surroundings

    @property
    def cluster(self) -> str:
        return self.resource.metadata.name or ""

    @property
    def namespace(self) -> str:
        return self.resource.metadata.namespace or ""

    @cached_property
    def owner(self) -> OwnerReference:
        return owner_reference(self.resource.api_version, self.resource.kind, self.resource.metadata)
