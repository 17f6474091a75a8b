"""The files of a home's config/ folder: enough for every tool to run, and for servers started by hand.

Pods bring their own configuration; these are the defaults that `kafka-server-start.sh config/server.properties` and
the like are typed with. The names are the release's.
"""

from collections.abc import Mapping

from klamm.distribution.artifacts import numbers

_TO_STDERR_LOG4J = """\
log4j.rootLogger=WARN, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n
log4j.appender.stderr.Target=System.err
"""

_TO_STDOUT_LOG4J = """\
log4j.rootLogger=INFO, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n
"""


def _log4j2(level: str, target: str) -> str:
    return f"""\
appender.console.type = Console
appender.console.name = console
appender.console.target = {target}
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = {level}
rootLogger.appenderRef.console.ref = console
"""


_CLIENT = "bootstrap.servers=localhost:9092\n"

_ZOOKEEPER = """\
dataDir=/tmp/zookeeper
clientPort=2181
maxClientCnxns=0
admin.enableServer=false
"""

_BROKER = """\
broker.id=0
log.dirs=/tmp/kafka-logs
num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
zookeeper.connect=localhost:2181
zookeeper.connection.timeout.ms=18000
"""

_COMBINED = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
"""

_WORKER = """\
bootstrap.servers=localhost:9092
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.flush.interval.ms=10000
"""

_STANDALONE = _WORKER + "offset.storage.file.filename=/tmp/connect.offsets\n"

_DISTRIBUTED = (
    _WORKER
    + """\
group.id=connect-cluster
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
config.storage.topic=connect-configs
config.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.replication.factor=1
"""
)

_FILE_SOURCE = """\
name=local-file-source
connector.class=FileStreamSource
tasks.max=1
file=test.txt
topic=connect-test
"""

_FILE_SINK = """\
name=local-file-sink
connector.class=FileStreamSink
tasks.max=1
file=test.sink.txt
topics=connect-test
"""

_MIRROR = """\
clusters = A, B
A.bootstrap.servers = localhost:9092
B.bootstrap.servers = localhost:9192
A->B.enabled = true
A->B.topics = .*
replication.factor = 1
checkpoints.topic.replication.factor = 1
heartbeats.topic.replication.factor = 1
offset-syncs.topic.replication.factor = 1
"""

_ALWAYS = {
    "connect-standalone.properties": _STANDALONE,
    "connect-distributed.properties": _DISTRIBUTED,
    "connect-file-source.properties": _FILE_SOURCE,
    "connect-file-sink.properties": _FILE_SINK,
    "connect-mirror-maker.properties": _MIRROR,
    "consumer.properties": _CLIENT + "group.id=test-consumer-group\n",
    "producer.properties": _CLIENT + "compression.type=none\n",
}

_BEFORE_4 = {
    "server.properties": _BROKER,
    "kraft/server.properties": _COMBINED,
    "zookeeper.properties": _ZOOKEEPER,
    "log4j.properties": _TO_STDOUT_LOG4J,
    "connect-log4j.properties": _TO_STDOUT_LOG4J,
    "tools-log4j.properties": _TO_STDERR_LOG4J,
}

_SINCE_4 = {
    "server.properties": _COMBINED,
    "log4j2.properties": _log4j2("info", "SYSTEM_OUT"),
    "connect-log4j2.properties": _log4j2("info", "SYSTEM_OUT"),
    "tools-log4j2.properties": _log4j2("warn", "SYSTEM_ERR"),
}


def files(kafka_version: str) -> Mapping[str, str]:
    """Path below config/ → text."""
    return _ALWAYS | (_SINCE_4 if numbers(kafka_version) >= (4, 0) else _BEFORE_4)
