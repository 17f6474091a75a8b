"""Real brokers as plain processes on the loopback, for what speaks Kafka's protocol and needs no whole cluster.

The first is KRaft's controller and a broker, the others are brokers; or all are brokers beside one ZooKeeper. Each can
be hung (SIGSTOP), let go on, killed.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders.ports import free_ports

from klamm.distribution.provide import Provided

_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_LOG4J = """\
log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
"""
_LOG4J2 = """\
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %m (%c)%n
"""
_CLUSTER_ID = "a2xhbW0tdGVzdHMta2Fma2E"
_READY_WITHIN = 300.0
_STARTED = (b"Kafka Server started", b"started (kafka.server.KafkaServer)")
"""With KRaft; with ZooKeeper."""
_TOOL_WITHIN = 120.0


@dataclass
class RealBroker:
    id: int
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Listener:
    """One more beside the plain one of each broker, which others and tools use."""

    name: str
    protocol: str
    port: int
    host: str = "127.0.0.1"
    """What clients are told to call."""

    @property
    def advertised(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass
class RealBrokers:
    home: Path
    java: Path
    folder: Path
    kraft: bool = True
    brokers: list[RealBroker] = field(default_factory=list)
    running: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    """Clients that were started beside."""

    @property
    def bootstrap(self) -> tuple[str, ...]:
        return tuple(broker.address for broker in self.brokers)

    def tool(self, name: str, *arguments: str, input: str = "") -> str:
        """What one of Kafka's own tools says."""
        done = subprocess.run(
            self._tool(name, arguments),
            input=input,
            capture_output=True,
            text=True,
            timeout=_TOOL_WITHIN,
            env=self._environment(),
        )
        assert done.returncode == 0, f"{name} {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def start_tool(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """A tool that runs on; ended with the brokers."""
        with (self.folder / f"{name}-{len(self.running)}.log").open("wb") as out:
            process = subprocess.Popen(
                self._tool(name, arguments), stdout=out, stderr=out, stdin=subprocess.PIPE, env=self._environment()
            )
        self.running.append(process)
        return process

    def _tool(self, name: str, arguments: Sequence[str]) -> list[str]:
        return [str(self.home / "bin" / name), "--bootstrap-server", self.brokers[0].address, *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],  # noqa: TID251 (a test hands on what it was started with)
            "JAVA_HOME": str(self.java),
            "KAFKA_HEAP_OPTS": "-Xmx128m",
        }

    def end(self) -> None:
        processes = [*self.running, *(broker.process for broker in self.brokers)]
        for process in processes:
            process.kill()
            process.wait()


@contextmanager
def real_brokers(
    provided: Provided,
    folder: Path,
    kafka: str,
    count: int = 1,
    settings: Mapping[str, str] | None = None,
    heap: str = "256m",
    listeners: Sequence[Listener] = (),
    zookeeper: bool = False,
) -> Iterator[RealBrokers]:
    """Running, and each answers. `listeners`: of a lone broker. `zookeeper`: instead of KRaft, for Kafka before 4."""
    made = RealBrokers(provided.homes[kafka].path, provided.java.path, folder, kraft=not zookeeper)
    (folder / "log4j.properties").write_text(_LOG4J)
    (folder / "log4j2.properties").write_text(_LOG4J2)
    controller, *ports = free_ports(count + 1)
    try:
        if zookeeper:
            _start_zookeeper(made, controller)
        for number, port in enumerate(ports, start=1):
            properties = _properties(made, number, port, listeners)
            if zookeeper:
                properties |= {"broker.id": str(number), "zookeeper.connect": f"127.0.0.1:{controller}"}
            else:
                _in_kraft(properties, number, controller)
            properties |= settings or {}
            made.brokers.append(_start(made, number, port, properties, heap))
        for broker in made.brokers:
            _wait_for(broker)
        yield made
    finally:
        made.end()


def _properties(made: RealBrokers, number: int, port: int, listeners: Sequence[Listener]) -> dict[str, str]:
    own = f"PLAINTEXT://127.0.0.1:{port}"
    protocols = "".join(f",{one.name}:{one.protocol}" for one in listeners)
    return {
        "listeners": ",".join([own, *(f"{one.name}://127.0.0.1:{one.port}" for one in listeners)]),
        "advertised.listeners": ",".join([own, *(f"{one.name}://{one.advertised}" for one in listeners)]),
        "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(_folder(made, number) / "logs"),
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
    }


def _in_kraft(properties: dict[str, str], number: int, controller: int) -> None:
    properties |= {
        "node.id": str(number),
        "process.roles": "broker,controller" if number == 1 else "broker",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
    }
    if number == 1:
        properties["listeners"] += f",CONTROLLER://127.0.0.1:{controller}"


def _start_zookeeper(made: RealBrokers, port: int) -> None:
    folder = made.folder / "zookeeper"
    folder.mkdir()
    properties = {
        "dataDir": folder,
        "clientPort": port,
        "clientPortAddress": "127.0.0.1",
        "admin.enableServer": "false",
    }
    settings = folder / "zookeeper.properties"
    settings.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    argv = [*_java(made, "128m"), "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(settings)]
    with (folder / "zookeeper.log").open("wb") as out:
        made.running.append(subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=folder))


def _folder(made: RealBrokers, number: int) -> Path:
    return made.folder / f"broker-{number}"


def _start(made: RealBrokers, number: int, port: int, properties: Mapping[str, str], heap: str) -> RealBroker:
    folder = _folder(made, number)
    folder.mkdir(parents=True)
    (folder / "server.properties").write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    if "process.roles" in properties:
        _run_java(made, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(folder / "server.properties"))
    log = folder / "broker.log"
    with log.open("wb") as out:
        argv = [*_java(made, heap), "kafka.Kafka", str(folder / "server.properties")]
        process = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=folder)
    return RealBroker(number, port, process, log)


def _java(made: RealBrokers, heap: str) -> list[str]:
    logging = (
        f"-Dlog4j.configuration=file:{made.folder / 'log4j.properties'}",
        f"-Dlog4j2.configurationFile={made.folder / 'log4j2.properties'}",
    )
    return [str(made.java / "bin/java"), f"-Xmx{heap}", *_FLAGS, *logging, "-cp", f"{made.home / 'libs'}/*"]


def _run_java(made: RealBrokers, *arguments: str) -> None:
    done = subprocess.run([*_java(made, "128m"), *arguments], capture_output=True, text=True, timeout=_TOOL_WITHIN)
    assert done.returncode == 0, done.stdout + done.stderr


def _wait_for(broker: RealBroker) -> None:
    """Until it says that it has started: a broker that listens may not know its cluster yet."""
    import time

    end = time.monotonic() + _READY_WITHIN  # noqa: TID251 (real processes live in real time)
    while not any(line in broker.log.read_bytes() for line in _STARTED):
        story = broker.log.read_text()[-3000:]
        assert broker.process.poll() is None, f"broker {broker.id} ended: {story}"
        assert time.monotonic() < end, f"broker {broker.id} has not started: {story}"  # noqa: TID251
        time.sleep(0.1)  # noqa: TID251
