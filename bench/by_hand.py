"""Six JVMs started as a person would: property files, `java`, ports on the loopback. With or without mutual TLS."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tests.builders.ports import free_ports

from klamm.certificates.issue import Authority, Subject, issue_authority, issue_leaf
from klamm.certificates.keys import key_to_pem, new_key

FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
COUNT = 3


class ByHand:
    """A context manager: running on entry (not yet ready), all processes ended on exit."""

    def __init__(self, java: Path, home: Path, folder: Path, *, tls: bool) -> None:
        self._java = java
        self._libs = home / "libs"
        self._folder = folder
        self._tls = tls
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ports = iter(free_ports(COUNT * 4 + COUNT * 2))

    def __enter__(self) -> Self:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        (self._folder / "log4j.properties").write_text(
            "log4j.rootLogger=INFO, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n"
            "log4j.appender.out.layout=org.apache.log4j.PatternLayout\nlog4j.appender.out.layout.ConversionPattern=%m%n\n"
        )
        if self._tls:
            self._write_stores()
        clients = self._start_zookeepers()
        self.bootstrap = self._start_brokers(clients)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()

    def cpu_seconds(self) -> float:
        return sum(cpu_seconds(process.pid) for process in self._processes)

    def _start_zookeepers(self) -> list[int]:
        clients = [next(self._ports) for _ in range(COUNT)]
        servers = "".join(
            f"server.{number + 1}=127.0.0.1:{next(self._ports)}:{next(self._ports)}\n" for number in range(COUNT)
        )
        for number, client in enumerate(clients):
            data = self._folder / f"zookeeper-{number}"
            data.mkdir()
            (data / "myid").write_text(str(number + 1))
            port = "secureClientPort" if self._tls else "clientPort"
            text = (
                f"dataDir={data}\n{port}={client}\ntickTime=2000\ninitLimit=5\nsyncLimit=2\nadmin.enableServer=false\n"
                + (_ZOOKEEPER_TLS.format(folder=self._folder) if self._tls else "")
                + servers
            )
            self._start(f"zookeeper-{number}", "org.apache.zookeeper.server.quorum.QuorumPeerMain", text)
        return clients

    def _start_brokers(self, zookeepers: Sequence[int]) -> str:
        plain = [next(self._ports) for _ in range(COUNT)]
        connect = ",".join(f"127.0.0.1:{port}" for port in zookeepers)
        for number, port in enumerate(plain):
            internal = next(self._ports)
            listeners = f"INTERNAL://127.0.0.1:{internal},PLAIN://127.0.0.1:{port}"
            text = (
                f"broker.id={number}\nlog.dirs={self._folder}/kafka-{number}\nzookeeper.connect={connect}\n"
                f"listeners={listeners}\ninter.broker.listener.name=INTERNAL\n"
                f"listener.security.protocol.map=INTERNAL:{'SSL' if self._tls else 'PLAINTEXT'},PLAIN:PLAINTEXT\n"
                + _SETTINGS
                + (_BROKER_TLS.format(folder=self._folder) if self._tls else "")
            )
            self._start(f"kafka-{number}", "kafka.Kafka", text)
        return ",".join(f"127.0.0.1:{port}" for port in plain)

    def _start(self, name: str, main: str, properties: str) -> None:
        file = self._folder / f"{name}.properties"
        file.write_text(properties)
        argv = [
            str(self._java / "bin" / "java"),
            *FLAGS,
            f"-Dlog4j.configuration=file:{self._folder}/log4j.properties",
            "-cp",
            f"{self._libs}/*",
            main,
            str(file),
        ]
        with open(self._folder / f"{name}.log", "wb") as log:
            self._processes.append(subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def _write_stores(self) -> None:
        now, authority_key = datetime.now(UTC), new_key()
        certificate = issue_authority(Subject("by-hand"), authority_key, now=now, days=2)
        authority = Authority(certificate, key_to_pem(authority_key))
        key = new_key()
        names = frozenset({"localhost", "127.0.0.1"})
        leaf = issue_leaf(authority, Subject("node"), key, now=now, days=2, alternative_names=names)
        (self._folder / "trust.pem").write_bytes(certificate)
        (self._folder / "node.pem").write_bytes(key_to_pem(key) + leaf)


_SETTINGS = (
    "offsets.topic.replication.factor=3\ntransaction.state.log.replication.factor=3\n"
    "transaction.state.log.min.isr=2\ndefault.replication.factor=3\nmin.insync.replicas=2\n"
    "inter.broker.protocol.version=3.6\n"
)

_BROKER_TLS = (
    "ssl.keystore.type=PEM\nssl.keystore.location={folder}/node.pem\nssl.truststore.type=PEM\n"
    "ssl.truststore.location={folder}/trust.pem\nssl.client.auth=required\n"
    "zookeeper.ssl.client.enable=true\nzookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty\n"
    "zookeeper.ssl.keystore.type=PEM\nzookeeper.ssl.keystore.location={folder}/node.pem\n"
    "zookeeper.ssl.truststore.type=PEM\nzookeeper.ssl.truststore.location={folder}/trust.pem\n"
)

_ZOOKEEPER_TLS = (
    "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\nsslQuorum=true\nssl.clientAuth=need\n"
    "ssl.quorum.clientAuth=need\n"
    + "".join(
        f"{prefix}.keyStore.type=PEM\n{prefix}.keyStore.location={{folder}}/node.pem\n"
        f"{prefix}.trustStore.type=PEM\n{prefix}.trustStore.location={{folder}}/trust.pem\n"
        for prefix in ("ssl", "ssl.quorum")
    )
)


@contextmanager
def running(argv: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A program that says nothing to anybody, ended at exit."""
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its children that were waited for; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """The most memory that a process had at once; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
