"""What the cluster operator's reconcilers work with; made once for each area by `programs/cluster_operator.py`."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from klamm.base.clock import Clock
from klamm.base.metrics import Metrics
from klamm.certificates.keys import KeyAlgorithm
from klamm.control.steps import DEADLINE
from klamm.desired.surroundings import Surroundings
from klamm.kafka.admin import Admin, Connection
from klamm.kube.client import Client
from klamm.kube.events import Recorder
from klamm.kube.watching import Watched
from klamm.operations.applying import Applier
from klamm.operators.cluster.kafka.four_letters import zookeeper_mode
from klamm.operators.cluster.kafka.mentions import Mentions
from klamm.operators.cluster.measures import ClusterMeasures
from klamm.resources.custom.pod_set import StrimziPodSet
from klamm.resources.native.metadata import NativeObject
from klamm.resources.native.pod import Pod
from klamm.resources.native.workloads import Deployment

OpenAdmin = Callable[[Connection], Awaitable[Admin]]
ZooKeeperMode = Callable[[str, ssl.SSLContext], Awaitable[str | None]]


@dataclass(frozen=True)
class Hands:
    """`new_password` makes a random password; `open_admin` connects to a Kafka cluster.

    `zookeeper_mode` asks one ZooKeeper by its host which part it plays (`kafka/four_letters.py`).
    `selector`: labels of the Kafka resources that are ours. `operation`: seconds that one step of a pass may take.
    `mentions`: which ConfigMaps the Kafka resources refer to.
    """

    client: Client
    applier: Applier
    events: Recorder
    clock: Clock
    surroundings: Surroundings
    new_password: Callable[[], str]
    open_admin: OpenAdmin
    kafkas: Watched[NativeObject]
    pod_sets: Watched[StrimziPodSet]
    pods: Watched[Pod]
    deployments: Watched[Deployment]
    config_maps: Watched[NativeObject]
    mentions: Mentions = field(default_factory=Mentions)
    key_algorithm: KeyAlgorithm = KeyAlgorithm.EC_P256
    zookeeper_mode: ZooKeeperMode = zookeeper_mode
    selector: Mapping[str, str] = field(default_factory=dict)
    operation: float = DEADLINE
    measures: ClusterMeasures = field(default_factory=lambda: ClusterMeasures(Metrics(lambda: 0.0)))
