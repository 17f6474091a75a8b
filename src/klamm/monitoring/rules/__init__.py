"""All alerts, in the groups that people know."""

from collections.abc import Sequence

from klamm.monitoring.alerts import DEFAULT, Group, Pace
from klamm.monitoring.rules.exporter import exporter
from klamm.monitoring.rules.kafka import kafka
from klamm.monitoring.rules.operators import certificates, cluster_operator, entity_operator, resources
from klamm.monitoring.rules.zookeeper import zookeeper


def groups(pace: Pace = DEFAULT) -> Sequence[Group]:
    return (
        kafka(pace),
        zookeeper(pace),
        entity_operator(pace),
        cluster_operator(pace),
        certificates(pace),
        exporter(pace),
        resources(pace),
    )
