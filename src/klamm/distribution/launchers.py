"""The command-line tools of an Apache Kafka release: which there are, what they run, with what memory.

`tools(version)` names every program of the release's bin/ folder (but Windows' and the test-bed's); `launcher(tool)` is
the text of our program of that name: a few lines of POSIX shell that end in `kafka-run-class.sh`. The names, main
classes and default heaps are facts of the releases; the text is ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from klamm.distribution.artifacts import numbers

TOOLS = "org.apache.kafka.tools."


@dataclass(frozen=True, slots=True)
class Tool:
    """A program of bin/ that starts one main class."""

    name: str
    main_class: str
    heap: str = ""
    """KAFKA_HEAP_OPTS when the user gives none; "" is kafka-run-class.sh's own default."""
    logging: str = ""
    """Stem of the logging configuration in config/ ("connect-log4j"); "" is the tools' own."""
    options: str = ""
    """Fixed options of kafka-run-class.sh, e.g. -name."""
    arguments: str = ""
    """Fixed first arguments of the class."""
    daemon: bool = False
    """The program takes -daemon as its first argument."""
    usage: str = ""
    """Said without arguments (and for --help) when the class would not say it."""


@dataclass(frozen=True, slots=True)
class Stopper:
    """A program of bin/ that ends the servers of one main class."""

    name: str
    main_class: str
    what: str


_CONSOLE_HEAP = "-Xmx512M"

# Tools that every supported release has, with the class that 4.x has; _BEFORE_4 says what was elsewhere then.
_ALWAYS = (
    Tool("kafka-acls.sh", TOOLS + "AclCommand"),
    Tool("kafka-broker-api-versions.sh", TOOLS + "BrokerApiVersionsCommand"),
    Tool("kafka-cluster.sh", TOOLS + "ClusterTool"),
    Tool("kafka-configs.sh", "kafka.admin.ConfigCommand"),
    Tool("kafka-console-consumer.sh", TOOLS + "consumer.ConsoleConsumer", _CONSOLE_HEAP),
    Tool("kafka-console-producer.sh", TOOLS + "ConsoleProducer", _CONSOLE_HEAP),
    Tool("kafka-consumer-groups.sh", TOOLS + "consumer.group.ConsumerGroupCommand"),
    Tool("kafka-consumer-perf-test.sh", TOOLS + "ConsumerPerformance", _CONSOLE_HEAP),
    Tool("kafka-delegation-tokens.sh", TOOLS + "DelegationTokenCommand"),
    Tool("kafka-delete-records.sh", TOOLS + "DeleteRecordsCommand"),
    Tool("kafka-dump-log.sh", TOOLS + "DumpLogSegments"),
    Tool("kafka-e2e-latency.sh", TOOLS + "EndToEndLatency"),
    Tool("kafka-features.sh", TOOLS + "FeatureCommand"),
    Tool("kafka-get-offsets.sh", TOOLS + "GetOffsetShell"),
    Tool("kafka-jmx.sh", TOOLS + "JmxTool"),
    Tool("kafka-leader-election.sh", TOOLS + "LeaderElectionCommand"),
    Tool("kafka-log-dirs.sh", TOOLS + "LogDirsCommand"),
    Tool("kafka-metadata-quorum.sh", TOOLS + "MetadataQuorumCommand"),
    Tool("kafka-metadata-shell.sh", "org.apache.kafka.shell.MetadataShell"),
    Tool("kafka-producer-perf-test.sh", TOOLS + "ProducerPerformance", _CONSOLE_HEAP),
    Tool("kafka-reassign-partitions.sh", TOOLS + "reassign.ReassignPartitionsCommand"),
    Tool("kafka-replica-verification.sh", TOOLS + "ReplicaVerificationTool"),
    Tool("kafka-storage.sh", "kafka.tools.StorageTool"),
    Tool("kafka-streams-application-reset.sh", TOOLS + "StreamsResetter", _CONSOLE_HEAP),
    Tool("kafka-topics.sh", TOOLS + "TopicCommand"),
    Tool("kafka-transactions.sh", TOOLS + "TransactionsCommand"),
    Tool("kafka-verifiable-consumer.sh", TOOLS + "VerifiableConsumer", _CONSOLE_HEAP),
    Tool("kafka-verifiable-producer.sh", TOOLS + "VerifiableProducer", _CONSOLE_HEAP),
)

_SERVERS = (
    Tool(
        "connect-distributed.sh",
        "org.apache.kafka.connect.cli.ConnectDistributed",
        "-Xms256M -Xmx2G",
        "connect-log4j",
        "-name connectDistributed",
        daemon=True,
    ),
    Tool(
        "connect-mirror-maker.sh",
        "org.apache.kafka.connect.mirror.MirrorMaker",
        "-Xms256M -Xmx2G",
        "connect-log4j",
        "-name mirrorMaker",
        daemon=True,
    ),
    Tool(
        "connect-standalone.sh",
        "org.apache.kafka.connect.cli.ConnectStandalone",
        "-Xms256M -Xmx2G",
        "connect-log4j",
        "-name connectStandalone",
        daemon=True,
    ),
    Tool(
        "kafka-server-start.sh",
        "kafka.Kafka",
        "-Xmx1G -Xms1G",
        "log4j",
        "-name kafkaServer -loggc",
        daemon=True,
    ),
)

_BEFORE_4 = (
    Tool("kafka-mirror-maker.sh", "kafka.tools.MirrorMaker"),
    Tool("zookeeper-security-migration.sh", "kafka.admin.ZkSecurityMigrator"),
    Tool(
        "zookeeper-shell.sh",
        "org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka",
        arguments="-server",
        usage="zookeeper-shell.sh HOST:PORT[/PATH] [-zk-tls-config-file FILE] [COMMAND [ARGUMENT...]]",
    ),
    Tool(
        "zookeeper-server-start.sh",
        "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        "-Xmx512M -Xms512M",
        "log4j",
        "-name zookeeper -loggc",
        daemon=True,
        usage="zookeeper-server-start.sh [-daemon] zookeeper.properties",
    ),
)

_SINCE_4 = (
    Tool("kafka-client-metrics.sh", TOOLS + "ClientMetricsCommand"),
    Tool("kafka-console-share-consumer.sh", TOOLS + "consumer.ConsoleShareConsumer", _CONSOLE_HEAP),
    Tool("kafka-groups.sh", TOOLS + "GroupsCommand"),
    Tool("kafka-share-consumer-perf-test.sh", TOOLS + "ShareConsumerPerformance", _CONSOLE_HEAP),
    Tool("kafka-share-groups.sh", TOOLS + "consumer.group.ShareGroupCommand"),
    Tool("kafka-streams-groups.sh", TOOLS + "streams.StreamsGroupCommand"),
    Tool("kafka-verifiable-share-consumer.sh", TOOLS + "VerifiableShareConsumer", _CONSOLE_HEAP),
)

_PLUGIN_PATH = Tool("connect-plugin-path.sh", TOOLS + "ConnectPluginPath")

# Until KIP-906 moved the tools out of core, release by release, these stood there.
_CLASS_IN_3_6 = {
    "kafka-acls.sh": "kafka.admin.AclCommand",
    "kafka-dump-log.sh": "kafka.tools.DumpLogSegments",
    "kafka-leader-election.sh": "kafka.admin.LeaderElectionCommand",
    "kafka-broker-api-versions.sh": "kafka.admin.BrokerApiVersionsCommand",
    "kafka-console-consumer.sh": "kafka.tools.ConsoleConsumer",
    "kafka-console-producer.sh": "kafka.tools.ConsoleProducer",
    "kafka-consumer-groups.sh": "kafka.admin.ConsumerGroupCommand",
    "kafka-reassign-partitions.sh": "kafka.admin.ReassignPartitionsCommand",
    "kafka-topics.sh": "kafka.admin.TopicCommand",
    "kafka-get-offsets.sh": "kafka.tools.GetOffsetShell",
}
_CLASS_IN_3_5 = _CLASS_IN_3_6 | {
    "kafka-delete-records.sh": "kafka.admin.DeleteRecordsCommand",
    "kafka-e2e-latency.sh": "kafka.tools.EndToEndLatency",
    "kafka-features.sh": "kafka.admin.FeatureCommand",
    "kafka-log-dirs.sh": "kafka.admin.LogDirsCommand",
    "kafka-replica-verification.sh": "kafka.tools.ReplicaVerificationTool",
    "kafka-streams-application-reset.sh": "kafka.tools.StreamsResetter",
}

_STOP_KAFKA = Stopper("kafka-server-stop.sh", "kafka.Kafka", "kafka server")
_STOP_ZOOKEEPER = Stopper(
    "zookeeper-server-stop.sh", "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zookeeper server"
)


def tools(kafka_version: str) -> tuple[Tool, ...]:
    """The release's programs that start a class, by name."""
    return tuple(sorted(_tools(kafka_version), key=lambda tool: tool.name))


def stoppers(kafka_version: str) -> tuple[Stopper, ...]:
    return (_STOP_KAFKA,) if numbers(kafka_version) >= (4, 0) else (_STOP_KAFKA, _STOP_ZOOKEEPER)


def _tools(kafka_version: str) -> Iterator[Tool]:
    version = numbers(kafka_version)
    moved = _CLASS_IN_3_5 if version < (3, 6) else _CLASS_IN_3_6 if version < (4, 0) else {}
    for tool in (*_ALWAYS, *_SERVERS):
        yield replace(tool, main_class=moved.get(tool.name, tool.main_class))
    if version >= (3, 6):
        yield _PLUGIN_PATH
    yield from _SINCE_4 if version >= (4, 0) else _BEFORE_4


def launcher(tool: Tool, kafka_version: str) -> str:
    """The text of bin/<tool.name>."""
    lines = [
        "#!/bin/sh",
        f"# Apache Kafka {kafka_version}: {tool.main_class}",
        "here=${0%/*}",
        '[ "$here" != "$0" ] || here=.',
    ]
    if tool.usage:
        lines.append(f"case ${{1:---help}} in -h | --help) echo 'usage: {tool.usage}' >&2; exit 1 ;; esac")
    if tool.heap:
        lines.append(f'export KAFKA_HEAP_OPTS="${{KAFKA_HEAP_OPTS:-{tool.heap}}}"')
    if tool.logging:
        lines.append(f'export KAFKA_LOG4J_OPTS="${{KAFKA_LOG4J_OPTS:-{_logging(tool, kafka_version)}}}"')
    daemon = ""
    if tool.daemon:
        lines += ["daemon=", 'if [ "${1:-}" = -daemon ]; then', "  daemon=-daemon", "  shift", "fi"]
        daemon = " $daemon"
    parts = [part for part in (tool.options, tool.main_class, tool.arguments) if part]
    lines.append(f'exec "$here/kafka-run-class.sh"{daemon} {" ".join(parts)} "$@"')
    return "\n".join(lines) + "\n"


def _logging(tool: Tool, kafka_version: str) -> str:
    if numbers(kafka_version) >= (4, 0):
        return f"-Dlog4j2.configurationFile=$here/../config/{tool.logging.replace('log4j', 'log4j2')}.properties"
    return f"-Dlog4j.configuration=file:$here/../config/{tool.logging}.properties"
