"""Kafka and ZooKeeper at the seam where the cluster operator asks them (`programs.cluster_operator.Outside`).

A broker answers while its pod is ready. `brokers_of` gives the fake of one cluster, for its topics and moods.
"""

import ssl
from collections.abc import Callable, Collection

from tests.builders.fake_brokers import FakeBrokers

from klamm.kafka.admin import Admin, Connection
from klamm.kube.kinds import Name
from klamm.programs.cluster_operator import Outside

_BOOTSTRAP = "-kafka-bootstrap"


class PretendedKafka:
    def __init__(self, ready_pods: Callable[[str], Collection[str]]) -> None:
        """`ready_pods`: names by namespace."""
        self._ready_pods = ready_pods
        self._clusters: dict[Name, FakeBrokers] = {}

    @property
    def outside(self) -> Outside:
        return Outside(self._open, self._mode_of)

    def brokers_of(self, cluster: Name) -> FakeBrokers:
        if cluster not in self._clusters:
            self._clusters[cluster] = FakeBrokers(lambda: self._ready_pods(cluster.namespace), cluster.name)
        return self._clusters[cluster]

    async def _open(self, connection: Connection) -> Admin:
        """The address is `<cluster>-kafka-bootstrap.<namespace>.svc:9091`."""
        service, namespace, *_ = connection.bootstrap[0].split(".")
        return await self.brokers_of(Name(namespace, service.removesuffix(_BOOTSTRAP))).open(connection)

    async def _mode_of(self, host: str, context: ssl.SSLContext) -> str | None:
        """`<pod>.<service>.<namespace>.svc`: the first of those that are ready leads."""
        pod, _, namespace, *_ = host.split(".")
        ready = sorted(one for one in self._ready_pods(namespace) if one[:-1] == pod[:-1])
        if pod not in ready:
            return None
        return "leader" if pod == ready[0] else "follower"
