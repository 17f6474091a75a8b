"""One broker without Kubernetes, as a person would start it: property files, `java`, free ports on the loopback.

With its ZooKeeper, or with itself as the only controller (KRaft). For what one broker tells: its metrics.

    with LoneBroker(folder, java, home, agent=Agent(jar, configuration)) as broker:
        page = broker.metrics()
"""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.builders.ports import free_port

from klamm.releases.settings import as_text

JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

READY_WITHIN = 300.0

_CLUSTER_ID = "bGFtbS1sb25lLWJyb2tlcg"

_LOG4J = """log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n
"""


@dataclass(frozen=True, slots=True)
class Agent:
    """The JMX exporter and its configuration, as text."""

    jar: Path
    configuration: str


class LoneBroker:
    """A context manager: ready on entry, ended on exit. `reporter`: settings that bring a metrics reporter."""

    def __init__(
        self,
        folder: Path,
        java: Path,
        home: Path,
        *,
        agent: Agent | None = None,
        zookeeper_agent: Agent | None = None,
        kraft: bool = False,
        reporter: Mapping[str, object] | None = None,
        heap: str = "768m",
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.metrics_port = free_port()
        self.zookeeper_metrics_port = free_port()
        self._java = java / "bin" / "java"
        self._home = home
        self._agent = agent
        self._zookeeper_agent = zookeeper_agent
        self._kraft = kraft
        self._heap = heap
        self._reporter = reporter
        self._settings: dict[str, object] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}  # noqa: TID251

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._processes[-1].pid

    @property
    def zookeeper_agent_file(self) -> Path:
        return self.folder / "zookeeper-metrics.yml"

    @property
    def agent_file(self) -> Path:
        return self.folder / "broker-metrics.yml"

    def __enter__(self) -> Self:
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()

    def metrics(self, port: int | None = None) -> str:
        """The page that Prometheus would read: of the broker, or of whoever listens on `port`."""
        url = f"http://127.0.0.1:{port or self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=120) as answer:
            return str(answer.read().decode())

    def zookeeper_metrics(self) -> str:
        return self.metrics(self.zookeeper_metrics_port)

    def start_again(self, *, agent: Agent | None = None, reporter: Mapping[str, object] | None = None) -> None:
        """The broker alone, on its data, with another way of showing metrics."""
        broker = self._processes.pop()
        broker.terminate()
        try:
            broker.wait(timeout=READY_WITHIN)
        finally:
            broker.kill()
        self._agent, self._reporter = agent, reporter
        self._start_broker()

    def tool(self, name: str, *arguments: str, said: str = "") -> str:
        """What a tool of the release prints; `said` is its input."""
        environment = {**self._environment, "JAVA_HOME": str(self._java.parents[1]), "LOG_DIR": str(self.folder)}
        argv = [str(self._home / "bin" / name), *arguments]
        done = subprocess.run(
            argv, input=said, capture_output=True, text=True, check=False, timeout=300, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _start_all(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "log4j.properties").write_text(_LOG4J)
        common = {
            "log.dirs": f"{self.folder}/data",
            "listeners": f"PLAIN://127.0.0.1:{self.port}",
            "inter.broker.listener.name": "PLAIN",
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,CONTROL:PLAINTEXT",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "5",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
        }
        role = self._as_kraft() if self._kraft else self._with_zookeeper()
        self._settings = {**common, **role}
        if self._kraft:
            file = self._properties("broker", self._settings)
            self.tool("kafka-storage.sh", "format", "-t", _CLUSTER_ID, "-c", str(file))
        self._start_broker()

    def _start_broker(self) -> None:
        # The reporter's port comes with its settings; here it has to be a free one.
        free = {"prometheus.metrics.reporter.listener": f"http://127.0.0.1:{self.metrics_port}"}
        file = self._properties("broker", {**self._settings, **({**self._reporter, **free} if self._reporter else {})})
        self._start("broker", "kafka.Kafka", file, self._options(self._agent, self.agent_file, self.metrics_port))
        self._wait(self.port, "broker")

    def _with_zookeeper(self) -> dict[str, str]:
        port = free_port()
        # A quorum, though of one: a standalone server has other MBeans than the ones that rules are written for.
        servers = f"127.0.0.1:{free_port()}:{free_port()}"
        (self.folder / "zookeeper").mkdir()
        (self.folder / "zookeeper" / "myid").write_text("1")
        settings = {
            "dataDir": f"{self.folder}/zookeeper",
            "tickTime": "2000",
            "initLimit": "5",
            "syncLimit": "2",
            "admin.enableServer": "false",
            "standaloneEnabled": "false",
            "server.1": f"{servers};{port}",
        }
        file = self._properties("zookeeper", settings)
        options = self._options(self._zookeeper_agent, self.zookeeper_agent_file, self.zookeeper_metrics_port)
        self._start("zookeeper", "org.apache.zookeeper.server.quorum.QuorumPeerMain", file, options)
        self._wait(port, "zookeeper")
        return {"broker.id": "0", "zookeeper.connect": f"127.0.0.1:{port}"}

    def _as_kraft(self) -> dict[str, str]:
        control = free_port()
        return {
            "node.id": "0",
            "process.roles": "broker,controller",
            "controller.listener.names": "CONTROL",
            "controller.quorum.voters": f"0@127.0.0.1:{control}",
            "listeners": f"PLAIN://127.0.0.1:{self.port},CONTROL://127.0.0.1:{control}",
        }

    def _properties(self, name: str, settings: Mapping[str, object]) -> Path:
        file = self.folder / f"{name}.properties"
        file.write_text("".join(f"{key}={as_text(value)}\n" for key, value in settings.items()))
        return file

    def _options(self, agent: Agent | None, file: Path, port: int) -> list[str]:
        if agent is None:
            return []
        file.write_text(agent.configuration)
        return [f"-javaagent:{agent.jar}=127.0.0.1:{port}:{file}"]

    def _log4j(self) -> list[str]:
        if any(self._home.glob("libs/log4j-core-2*")):
            return []
        return [f"-Dlog4j.configuration=file:{self.folder}/log4j.properties"]

    def _start(self, name: str, main: str, file: Path, options: list[str]) -> None:
        flags = [*JVM, f"-Xmx{self._heap}", *self._log4j(), *options]
        argv = [str(self._java), *flags, "-cp", f"{self._home}/libs/*", main, str(file)]
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environment)
        self._processes.append(process)

    def _wait(self, port: int, name: str) -> None:
        """Until it listens; a process that ended tells why."""
        end = time.monotonic() + READY_WITHIN  # noqa: TID251
        process = self._processes[-1]
        while time.monotonic() < end:  # noqa: TID251
            if process.poll() is not None:
                break
            with closing(socket.socket()) as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)  # noqa: TID251
        text = (self.folder / f"{name}.log").read_text(errors="replace")
        raise AssertionError(f"{name} does not listen on {port}:\n{text[-3000:]}")
