"""The exporter of one cluster as the builders of its objects see it: its names, and what the resource says of it."""

from dataclasses import dataclass
from functools import cached_property

from klamm.desired.cluster_part import ClusterPart
from klamm.desired.labels import Component
from klamm.resources.custom.kafka_exporter import KafkaExporterSpec, KafkaExporterTemplate


@dataclass(frozen=True)
class KafkaExporter(ClusterPart):
    """Also of a cluster whose resource asks for none: its names are needed to take away what is left."""

    @property
    def is_wanted(self) -> bool:
        return self.resource.spec.kafka_exporter is not None

    @property
    def name(self) -> str:
        """Of its objects and its container; also the common name of its certificate, hence its principal in Kafka."""
        return f"{self.cluster}-kafka-exporter"

    @property
    def secret(self) -> str:
        return f"{self.name}-certs"

    @cached_property
    def spec(self) -> KafkaExporterSpec:
        return self.resource.spec.kafka_exporter or KafkaExporterSpec()

    @cached_property
    def template(self) -> KafkaExporterTemplate:
        return self.spec.template or KafkaExporterTemplate()

    @cached_property
    def component(self) -> Component:
        return Component(self.cluster, self.name, "kafka-exporter", inherited=self.resource.metadata.labels)

    @property
    def image(self) -> str:
        """A program of the operator's image, if neither the resource nor the operator's settings say otherwise."""
        around = self.surroundings
        return self.spec.image or around.kafka_exporter_image or around.operator_image
