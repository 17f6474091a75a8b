"""What runs when class-data archives are trained: one ZooKeeper, one broker and a few tools, as pods run them.

Server and broker speak mutual TLS with PEM stores and P-256 keys on the ports where pods do, so that TLS and PEM
classes are among those loaded. Keys are made for the moment and lie in the private folder (0700) of the training.
"""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from klamm.certificates.issue import Authority, Subject, authority_subject, issue_authority, issue_leaf
from klamm.certificates.keys import key_to_pem, new_key
from klamm.distribution.homes import KafkaHome
from klamm.distribution.store import write_whole

CLUSTER_ID = "dHJhaW5pbmctb2Yta2xhbQ"


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    command: tuple[str, ...]
    """Arguments of kafka-run-class.sh."""
    started: str
    """What its log says when it is up."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    before: tuple[tuple[str, ...], ...]
    """Tools that run before the servers: name in bin/ and arguments."""
    servers: tuple[Server, ...]
    """In the order of their start."""
    tools: tuple[tuple[str, ...], ...]
    """Tools that run against them, one after the other."""


@dataclass(frozen=True, slots=True)
class _Ports:
    quorum: int
    election: int
    zookeeper: int
    zookeeper_plain: int
    control: int
    replication: int
    plain: int


def prepare(home: KafkaHome, work: Path, now: datetime) -> Plan:
    """Write the servers' keys and settings into `work`."""
    ports = _Ports(*_free_ports(7))
    _write_stores(work, now)
    logging = _write_logging(home, work)
    broker = work / "server.properties"
    if home.zookeeper is None:
        _write(broker, _kraft(work, ports))
        before: tuple[tuple[str, ...], ...] = (_format(broker),)
        servers: tuple[Server, ...] = ()
    else:
        _write(work / "zookeeper.properties", _zookeeper(work, ports))
        _write(work / "zookeeper-data/myid", "1\n")
        _write(broker, _with_zookeeper(work, ports))
        before = ()
        servers = (_zookeeper_server(work, logging),)
    kafka = Server(
        "kafka",
        ("-name", "kafkaServer", "kafka.Kafka", str(broker)),
        "started (kafka.server.",
        {"KAFKA_LOG4J_OPTS": logging, "KAFKA_HEAP_OPTS": "-Xms128M"},
    )
    return Plan(before, (*servers, kafka), _tools(f"localhost:{ports.plain}"))


def _zookeeper_server(work: Path, logging: str) -> Server:
    main_class = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
    options = {"KAFKA_LOG4J_OPTS": f"{logging} -Dzookeeper.skipACL=yes -Dzookeeper.electionPortBindRetry=0"}
    command = ("-name", "zookeeper", main_class, str(work / "zookeeper.properties"))
    return Server("zookeeper", command, "PrepRequestProcessor", options)


def _format(broker: Path) -> tuple[str, ...]:
    return ("kafka-storage.sh", "format", "--cluster-id", CLUSTER_ID, "--config", str(broker))


def _tools(bootstrap: str) -> tuple[tuple[str, ...], ...]:
    to = ("--bootstrap-server", bootstrap)
    topic = ("--topic", "training")
    return (
        ("kafka-topics.sh", *to, "--create", *topic),
        ("kafka-configs.sh", *to, "--describe", "--broker", "0", "--all"),
        (
            "kafka-producer-perf-test.sh",
            *topic,
            *("--num-records", "10", "--record-size", "10", "--throughput", "-1"),
            *("--producer-props", f"bootstrap.servers={bootstrap}"),
        ),
        ("kafka-console-consumer.sh", *to, *topic, "--from-beginning", "--max-messages", "5"),
        ("kafka-consumer-groups.sh", *to, "--list"),
        ("kafka-broker-api-versions.sh", *to),
    )


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now. Somebody may a moment later; then training fails, and is tried again later."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _write(path: Path, text: str) -> None:
    write_whole(path, text.encode(), 0o600)


def _write_stores(work: Path, now: datetime) -> None:
    authority_key = new_key()
    authority = Authority(
        issue_authority(authority_subject("cluster-ca", 0), authority_key, now=now, days=1),
        key_to_pem(authority_key),
    )
    write_whole(work / "truststore.pem", authority.certificate, 0o600)
    key = new_key()
    names = frozenset({"localhost", "127.0.0.1"})
    leaf = issue_leaf(authority, Subject("training"), key, now=now, days=1, alternative_names=names)
    write_whole(work / "keystore.pem", key_to_pem(key) + leaf, 0o600)


def _write_logging(home: KafkaHome, work: Path) -> str:
    """The broker's logging as pods have it; returns KAFKA_LOG4J_OPTS."""
    if home.zookeeper is None:
        return f"-Dlog4j2.configurationFile={home.path}/config/log4j2.properties"
    lines = (
        "log4j.rootLogger=INFO, CONSOLE",
        "log4j.appender.CONSOLE=org.apache.log4j.ConsoleAppender",
        "log4j.appender.CONSOLE.layout=org.apache.log4j.PatternLayout",
        "log4j.appender.CONSOLE.layout.ConversionPattern=%d{ISO8601} %p %m (%c) [%t]%n",
        "log4j.logger.org.apache.zookeeper=INFO",
    )
    _write(work / "log4j.properties", "\n".join(lines) + "\n")
    return f"-Dlog4j.configuration=file:{work}/log4j.properties"


def _kafka_stores(prefix: str, work: Path) -> str:
    return "".join(
        f"{prefix}ssl.{name}.location={work}/{name}.pem\n{prefix}ssl.{name}.type=PEM\n"
        for name in ("keystore", "truststore")
    )


def _zookeeper_stores(prefix: str, work: Path) -> str:
    return "".join(
        f"{prefix}{name}Store.location={work}/{name}store.pem\n{prefix}{name}Store.type=PEM\n"
        for name in ("key", "trust")
    )


def _zookeeper(work: Path, ports: _Ports) -> str:
    return f"""\
dataDir={work}/zookeeper-data
4lw.commands.whitelist=*
standaloneEnabled=false
reconfigEnabled=true
serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory
secureClientPortAddress=127.0.0.1
secureClientPort={ports.zookeeper}
sslQuorum=true
ssl.clientAuth=need
ssl.quorum.clientAuth=need
{_zookeeper_stores("ssl.", work)}{_zookeeper_stores("ssl.quorum.", work)}tickTime=2000
initLimit=5
syncLimit=2
autopurge.purgeInterval=1
admin.enableServer=false
server.1=localhost:{ports.quorum}:{ports.election}:participant;127.0.0.1:{ports.zookeeper_plain}
"""


def _with_zookeeper(work: Path, ports: _Ports) -> str:
    return f"""\
broker.id=0
control.plane.listener.name=CONTROLPLANE-9090
listener.name.controlplane-9090.ssl.client.auth=required
{_kafka_stores("listener.name.controlplane-9090.", work)}{_listeners(work, ports, control=True)}\
zookeeper.connect=localhost:{ports.zookeeper}
zookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty
zookeeper.ssl.client.enable=true
{_kafka_stores("zookeeper.", work)}"""


def _kraft(work: Path, ports: _Ports) -> str:
    return f"""\
node.id=0
process.roles=broker,controller
controller.quorum.voters=0@localhost:{ports.control}
controller.listener.names=CONTROLPLANE-9090
listener.name.controlplane-9090.ssl.client.auth=required
{_kafka_stores("listener.name.controlplane-9090.", work)}{_listeners(work, ports, control=False)}"""


def _listeners(work: Path, ports: _Ports, *, control: bool) -> str:
    """`control`: whether the control plane's listener is advertised (a KRaft controller's must not be)."""
    advertised = [f"REPLICATION-9091://localhost:{ports.replication}", f"PLAIN-9092://localhost:{ports.plain}"]
    controller = f"CONTROLPLANE-9090://localhost:{ports.control}"
    return f"""\
listeners={",".join([controller, *advertised])}
advertised.listeners={",".join([*([controller] if control else []), *advertised])}
listener.security.protocol.map=CONTROLPLANE-9090:SSL,REPLICATION-9091:SSL,PLAIN-9092:PLAINTEXT
inter.broker.listener.name=REPLICATION-9091
listener.name.replication-9091.ssl.client.auth=required
{_kafka_stores("listener.name.replication-9091.", work)}sasl.enabled.mechanisms=
ssl.endpoint.identification.algorithm=HTTPS
log.dirs={work}/kafka-data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""
