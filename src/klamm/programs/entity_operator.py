"""What the two programs of the entity operator's pod have in common: how they reach Kubernetes and Kafka, and end.

The environment's names are those of Strimzi's topic and user operator. Certificates are read once: a changed one
gives a new pod.
"""

import asyncio
import gc
import logging
import os
import re
import signal
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from klamm.base import logs, tls
from klamm.kafka.admin import Connection
from klamm.kube.connection import Connection as ApiConnection
from klamm.kube.connection import from_kubeconfig, in_cluster
from klamm.kube.kinds import Name

CLUSTER_LABEL = "strimzi.io/cluster"

LOG_CONFIGURATION = "/opt/strimzi/custom-config/log4j2.properties"
LOG_LEVEL_EVERY = 30.0

_ROOT_LEVEL = re.compile(r"^\s*rootLogger\.level\s*[=:]\s*(\w+)", re.MULTILINE)
_LEVELS = {
    "ALL": "DEBUG",
    "TRACE": "DEBUG",
    "DEBUG": "DEBUG",
    "INFO": "INFO",
    "WARN": "WARNING",
    "ERROR": "ERROR",
    "FATAL": "CRITICAL",
    "OFF": "CRITICAL",
}
"""log4j's levels in Python's."""


class BadSetting(Exception):
    """A variable of the environment that cannot be used; the message names it and says what it may hold."""


@dataclass(frozen=True, slots=True)
class Common:
    """`home` is the pod's own namespace, where the Kafka resource is; `namespace` the one that is watched."""

    namespace: str
    home: str
    labels: Mapping[str, str]
    resync: float
    port: int
    kafka: Connection

    @property
    def cluster(self) -> Name | None:
        name = self.labels.get(CLUSTER_LABEL)
        return Name(self.home, name) if name else None


def read_common(environment: Mapping[str, str], home: str, certificates: Path, port: int) -> Common:
    """`certificates` is the folder of the operator's own certificate; `port` the default for health."""
    bootstrap = _needed(environment, "STRIMZI_KAFKA_BOOTSTRAP_SERVERS")
    folder = Path(environment.get("KLAMM_CERTIFICATES", certificates))
    authorities = Path(environment.get("KLAMM_CLUSTER_CA_CERTIFICATES", "/etc/cluster-ca-certs"))
    encrypted = environment.get("STRIMZI_SECURITY_PROTOCOL", "SSL").upper() != "PLAINTEXT"
    return Common(
        namespace=environment.get("STRIMZI_NAMESPACE", home),
        home=home,
        labels=label_pairs(environment.get("STRIMZI_RESOURCE_LABELS", "")),
        resync=milliseconds(environment, "STRIMZI_FULL_RECONCILIATION_INTERVAL_MS", 120_000),
        port=int(environment.get("KLAMM_HEALTH_PORT", port)),
        kafka=Connection(
            tuple(address.strip() for address in bootstrap.split(",")),
            tls=_tls(folder, authorities) if encrypted else None,
            request_timeout=15.0,
        ),
    )


def _tls(folder: Path, authorities: Path) -> ssl.SSLContext:
    try:
        trusted = b"\n".join(path.read_bytes() for path in sorted(authorities.glob("*.crt")))
        certificate, key = (folder / "entity-operator.crt").read_bytes(), (folder / "entity-operator.key").read_bytes()
    except OSError as error:
        raise BadSetting(f"read the certificates of the entity operator: {error}") from error
    return tls.client_context(trusted, certificate, key)


def label_pairs(text: str) -> dict[str, str]:
    """STRIMZI_RESOURCE_LABELS: `key=value` pairs, separated by commas."""
    pairs = [pair.strip() for pair in text.split(",") if pair.strip()]
    for pair in pairs:
        if "=" not in pair:
            raise BadSetting(f"STRIMZI_RESOURCE_LABELS: {pair!r} is no pair; write key=value, separated by commas")
    return dict(pair.split("=", 1) for pair in pairs)


def milliseconds(environment: Mapping[str, str], name: str, default: int) -> float:
    """The variable's value in seconds."""
    text = environment.get(name, str(default))
    if not text.isdigit() or not int(text):
        raise BadSetting(f"{name}: {text!r} is no time; write milliseconds, for example {default}")
    return int(text) / 1000


def _needed(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise BadSetting(f"{name} is not set")
    return environment[name]


def api_connection(environment: Mapping[str, str]) -> ApiConnection:
    """From within a pod; or, for development, through the kubeconfig that KUBECONFIG names."""
    host = environment.get("KUBERNETES_SERVICE_HOST")
    if host is None and (path := environment.get("KUBECONFIG")):
        return from_kubeconfig(Path(path))
    if host is None:
        raise BadSetting("KUBERNETES_SERVICE_HOST is not set; run in a pod, or set KUBECONFIG")
    return in_cluster(host, environment.get("KUBERNETES_SERVICE_PORT", "443"))


def told_to_stop() -> asyncio.Event:
    """Set by SIGTERM and SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def settle() -> None:
    """What was imported stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()


def set_up_logs(environment: Mapping[str, str]) -> None:
    logs.set_up(log_level(environment), "json" if environment.get("KLAMM_LOG_FORM") == "json" else "text")


async def follow_log_level(environment: Mapping[str, str]) -> None:
    """Take over a changed level without a restart, for ever; a kubelet brings a changed ConfigMap within a minute."""
    while True:
        await asyncio.sleep(LOG_LEVEL_EVERY)
        logging.getLogger("klamm").setLevel(log_level(environment))


def log_level(environment: Mapping[str, str]) -> str:
    """The root logger's level in the configuration that the Kafka resource gives (spec…logging), in our words."""
    if given := environment.get("KLAMM_LOG_LEVEL"):
        return given
    path = Path(environment.get("KLAMM_LOG_CONFIGURATION", LOG_CONFIGURATION))
    found = _ROOT_LEVEL.search(path.read_text()) if path.is_file() else None
    return _LEVELS.get(found.group(1).upper(), "INFO") if found else "INFO"


def leave() -> None:
    """End now. Connections to Kafka are not closed before, which takes the library a second or two: its threads may
    wait for brokers that are gone, and nobody waits for their answer.
    """
    os._exit(0)
