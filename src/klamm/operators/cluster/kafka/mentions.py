"""Which ConfigMaps people's resources refer to, so that a changed one is looked at when it changes.

A pass notes what its resource refers to before it reads it; so a ConfigMap that is not there yet is waited for, too.
"""

from collections.abc import Iterable, Iterator

from klamm.kube.kinds import Name, name_of
from klamm.planning.kafka_rules.additions import blocks_below
from klamm.resources.custom.kafka import Kafka
from klamm.resources.custom.secrets import ConfigMapValue


class Mentions:
    """ConfigMaps by the Kafka resource whose last pass read them."""

    def __init__(self) -> None:
        self._of: dict[Name, frozenset[Name]] = {}

    def note(self, resource: Name, config_maps: Iterable[Name]) -> None:
        self._of[resource] = frozenset(config_maps)

    def forget(self, resource: Name) -> None:
        self._of.pop(resource, None)

    def by(self, config_map: Name) -> Iterator[Name]:
        """The resources that refer to it."""
        return (resource for resource, mentioned in self._of.items() if config_map in mentioned)


def mentioned_config_maps(resource: Kafka) -> set[Name]:
    """Those with settings of logging and metrics, wherever in the resource."""
    namespace = name_of(resource).namespace
    values = (block for _, block in blocks_below(resource.spec, "spec") if isinstance(block, ConfigMapValue))
    references = (value.config_map_key_ref for value in values)
    return {Name(namespace, one.name) for one in references if one is not None and one.name}
