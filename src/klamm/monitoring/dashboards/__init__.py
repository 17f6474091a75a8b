"""All dashboards, under the uids and titles that people know."""

from collections.abc import Sequence

from klamm.monitoring.dashboards.board import Board
from klamm.monitoring.dashboards.exporter import exporter
from klamm.monitoring.dashboards.kafka import kafka
from klamm.monitoring.dashboards.kraft import kraft
from klamm.monitoring.dashboards.operators import operators
from klamm.monitoring.dashboards.zookeeper import zookeeper


def boards() -> Sequence[Board]:
    return (kafka(), zookeeper(), kraft(), exporter(), operators())
