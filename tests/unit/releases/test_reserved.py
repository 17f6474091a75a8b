"""Which settings users may set."""

import pytest

from klamm.releases import reserved
from klamm.releases.reserved import Reserved

FACTS: list[tuple[str, Reserved, str, str | None]] = [
    ("addresses are the operator's", reserved.KAFKA, "advertised.listeners", "advertised."),
    ("replication is the user's", reserved.KAFKA, "min.insync.replicas", None),
    ("the protocol version is the user's", reserved.KAFKA, "inter.broker.protocol.version", None),
    ("folders are the operator's", reserved.KAFKA, "log.dirs", "log.dir"),
    ("retention only looks like a folder", reserved.KAFKA, "log.retention.ms", None),
    ("TLS is the operator's", reserved.KAFKA, "ssl.keystore.location", "ssl."),
    ("cipher suites are an exception", reserved.KAFKA, "ssl.cipher.suites", None),
    ("an exception holds for the whole key", reserved.KAFKA, "ssl.protocol.x", "ssl."),
    ("capitals do not open a door", reserved.KAFKA, "Zookeeper.ClientCnxnSocket", "zookeeper.clientCnxnSocket"),
    ("capitals do not open a door of ZooKeeper", reserved.ZOOKEEPER, "dataDir", "dataDir"),
    ("ZooKeeper's clock is the user's", reserved.ZOOKEEPER, "tickTime", None),
    ("the group is a setting in v1beta2", reserved.CONNECT_V1BETA2, "group.id", None),
    ("the group is a field in v1", reserved.CONNECT_V1, "group.id", "group.id"),
    ("a connector's class is a field", reserved.CONNECTOR, "connector.class", "connector.class"),
    ("the bridge's consumers choose no group", reserved.BRIDGE_CONSUMER, "group.id", "group.id"),
    ("Cruise Control may allow web pages", reserved.CRUISE_CONTROL, "webserver.http.cors.origin", None),
]


@pytest.mark.parametrize(("fact", "component", "key", "prefix"), FACTS, ids=[fact for fact, *_ in FACTS])
def test_reserved(fact: str, component: Reserved, key: str, prefix: str | None) -> None:
    assert component.prefix_of(key) == prefix


def test_what_is_ignored_is_told() -> None:
    used, ignored = reserved.KAFKA.split({"min.insync.replicas": 2, "listeners": "x"})
    assert used == {"min.insync.replicas": 2}
    assert [str(setting) for setting in ignored] == [
        "config option listeners is ignored: the operator sets what begins with listeners"
    ]


def test_limits_of_single_listeners_are_the_users() -> None:
    key = "listener.name.plain-9092.max.connections"
    assert reserved.KAFKA.prefix_of(key) == "listener."
    assert reserved.KAFKA.with_listeners(["plain-9092"]).prefix_of(key) is None
    assert reserved.KAFKA.with_listeners(["tls-9093"]).prefix_of(key) == "listener."
