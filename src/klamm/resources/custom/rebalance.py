"""KafkaRebalance: asks Cruise Control to move partitions."""

from typing import Annotated

import msgspec

from klamm.resources.custom.status import Status
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import About, Block, FreeForm, always


class BrokerVolumes(Block):
    """Volumes of one broker."""

    broker_id: Annotated[int | None, About("Id of the broker.")] = None
    volume_ids: Annotated[list[int], About("Ids of its volumes.", at_least=1)] = []


class KafkaRebalanceSpec(Block):
    """What should be moved, and how."""

    brokers: Annotated[list[int], About("For add-brokers and remove-brokers: ids of these brokers.")] = []
    concurrent_intra_broker_partition_movements: Annotated[
        int | None, About("Moves between disks of one broker at a time.", minimum=0)
    ] = None
    concurrent_leader_movements: Annotated[int | None, About("Changes of leaders at a time.", minimum=0)] = None
    concurrent_partition_movements_per_broker: Annotated[
        int | None, About("Moves into or out of one broker at a time.", minimum=0)
    ] = None
    excluded_topics: Annotated[str | None, About("Regular expression of topics that stay.")] = None
    goals: Annotated[list[str], About("Goals of the optimization, first the most important.")] = []
    mode: Annotated[
        str | None,
        About(
            "What is moved; full by default.",
            choices=("full", "add-brokers", "remove-brokers", "remove-disks"),
        ),
    ] = None
    move_replicas_off_volumes: Annotated[
        list[BrokerVolumes], About("For remove-disks: volumes to empty.", only="v1", at_least=1)
    ] = []
    rebalance_disk: Annotated[bool | None, About("Move only between disks of the same broker.")] = None
    replica_movement_strategies: Annotated[list[str], About("Classes that order the moves.")] = []
    replication_throttle: Annotated[int | None, About("Bytes a second that moving may take.", minimum=0)] = None
    skip_hard_goal_check: Annotated[bool | None, About("Allow goals that leave out hard goals.")] = None


class RebalanceProgress(Block):
    """How far it is."""

    rebalance_progress_config_map: Annotated[str | None, About("ConfigMap that tells how far it is.")] = None


class KafkaRebalanceStatus(Status):
    """What is known of the rebalance."""

    optimization_result: Annotated[FreeForm, About("The proposal in numbers.")] = {}
    progress: Annotated[RebalanceProgress | None, About("How far it is.", only="v1")] = None
    session_id: Annotated[str | None, About("Its session in Cruise Control.")] = None


class KafkaRebalance(Block):
    """A rebalance of the cluster that the label strimzi.io/cluster names."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("KafkaRebalance")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaRebalanceSpec, About("What is wanted.")] = msgspec.field(default_factory=KafkaRebalanceSpec)
    status: Annotated[KafkaRebalanceStatus | None, About("What is the case.")] = None
