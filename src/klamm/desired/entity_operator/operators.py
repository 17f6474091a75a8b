"""The entity operator as the builders of its objects see it: which operators run, and their names."""

from dataclasses import dataclass
from functools import cached_property

from klamm.desired.cluster_part import ClusterPart
from klamm.desired.labels import Component
from klamm.resources.custom.entity_operator import (
    EntityOperatorSpec,
    EntityOperatorTemplate,
    TopicOperatorSpec,
    UserOperatorSpec,
)
from klamm.resources.custom.process import Logging

TOPIC, USER = "topic", "user"


@dataclass(frozen=True)
class Part:
    """One of the two operators. `kind` is "topic" or "user"."""

    kind: str
    cluster: str
    namespace: str
    spec: TopicOperatorSpec | UserOperatorSpec
    component: Component

    @property
    def name(self) -> str:
        """Also the common name of its certificate, hence its principal in Kafka."""
        return f"{self.cluster}-entity-{self.kind}-operator"

    @property
    def container(self) -> str:
        return f"{self.kind}-operator"

    @property
    def config_map(self) -> str:
        return f"{self.name}-config"

    @property
    def secret(self) -> str:
        return f"{self.name}-certs"

    @property
    def role_binding(self) -> str:
        return f"{self.name}-role"

    @property
    def port(self) -> int:
        return 8080 if self.kind == TOPIC else 8081

    @property
    def port_name(self) -> str:
        """Both have this name, by which people's PodMonitors find them (Strimzi 0.38): names are a container's own."""
        return "healthcheck"

    @property
    def watched_namespace(self) -> str:
        return self.spec.watched_namespace or self.namespace

    @property
    def logging(self) -> Logging | None:
        return self.spec.logging

    @property
    def interval_ms(self) -> int:
        """Milliseconds between full passes: the field of either API version, or two minutes."""
        if self.spec.reconciliation_interval_ms is not None:
            return self.spec.reconciliation_interval_ms
        return 1000 * (self.spec.reconciliation_interval_seconds or 120)


@dataclass(frozen=True)
class EntityOperator(ClusterPart):
    """`parts` is empty when the resource asks for neither operator."""

    @property
    def name(self) -> str:
        return f"{self.cluster}-entity-operator"

    @cached_property
    def spec(self) -> EntityOperatorSpec:
        return self.resource.spec.entity_operator or EntityOperatorSpec()

    @cached_property
    def template(self) -> EntityOperatorTemplate:
        return self.spec.template or EntityOperatorTemplate()

    @cached_property
    def component(self) -> Component:
        return Component(self.cluster, self.name, "entity-operator", inherited=self.resource.metadata.labels)

    @cached_property
    def parts(self) -> list[Part]:
        wanted = ((TOPIC, self.spec.topic_operator), (USER, self.spec.user_operator))
        return [self._part(kind, spec) for kind, spec in wanted if spec is not None]

    def part(self, kind: str) -> Part:
        """One of the two, whether it is asked for or not: its names."""
        return next((part for part in self.parts if part.kind == kind), None) or self._part(kind, UserOperatorSpec())

    def _part(self, kind: str, spec: TopicOperatorSpec | UserOperatorSpec) -> Part:
        name = f"{self.cluster}-entity-{kind}-operator"
        component = Component(self.cluster, name, f"entity-{kind}-operator", inherited=self.resource.metadata.labels)
        return Part(kind, self.cluster, self.namespace, spec, component)
