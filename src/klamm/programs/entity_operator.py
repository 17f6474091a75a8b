"""What the two programs of the entity operator's pod have in common: how they reach Kubernetes and Kafka, and end.

The environment's names are those of Strimzi's topic and user operator. Certificates are read once: a changed one
gives a new pod.
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from klamm.base import tls
from klamm.kafka.admin import Connection
from klamm.kube.kinds import Name
from klamm.programs.process import BadSetting, label_pairs, milliseconds, needed

CLUSTER_LABEL = "strimzi.io/cluster"


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
    bootstrap = needed(environment, "STRIMZI_KAFKA_BOOTSTRAP_SERVERS")
    folder = Path(environment.get("KLAMM_CERTIFICATES", certificates))
    authorities = Path(environment.get("KLAMM_CLUSTER_CA_CERTIFICATES", "/etc/cluster-ca-certs"))
    encrypted = environment.get("STRIMZI_SECURITY_PROTOCOL", "SSL").upper() != "PLAINTEXT"
    return Common(
        namespace=environment.get("STRIMZI_NAMESPACE") or home,
        home=home,
        labels=label_pairs(environment, "STRIMZI_RESOURCE_LABELS"),
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


def leave() -> None:
    """End now. Connections to Kafka are not closed before, which takes the library a second or two: its threads may
    wait for brokers that are gone, and nobody waits for their answer.
    """
    os._exit(0)
