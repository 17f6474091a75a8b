"""KafkaConnector: a connector that runs in Kafka Connect."""

from typing import Annotated

import msgspec

from klamm.resources.custom.status import Status
from klamm.resources.native.metadata import LocalObjectReference, ObjectMeta
from klamm.resources.structure import About, Block, Deprecated, FreeForm, always


class AutoRestart(Block):
    """Restarts failed connectors and tasks."""

    enabled: Annotated[bool | None, About("Whether they are restarted.")] = None
    max_restarts: Annotated[int | None, About("Restarts at most; without limit by default.")] = None


class ListOffsets(Block):
    """Where offsets are written to."""

    to_config_map: Annotated[LocalObjectReference | None, About("ConfigMap that gets the offsets.", required=True)] = (
        None
    )


class AlterOffsets(Block):
    """Where new offsets are read from."""

    from_config_map: Annotated[
        LocalObjectReference | None, About("ConfigMap that holds the offsets.", required=True)
    ] = None


class Connector(Block):
    """What connectors of KafkaConnector and KafkaMirrorMaker2 have in common."""

    alter_offsets: Annotated[AlterOffsets | None, About("Offsets to set, when asked by annotation.", only="v1")] = None
    auto_restart: Annotated[AutoRestart | None, About("Restarts what failed.")] = None
    config: Annotated[FreeForm, About("Settings of the connector.")] = {}
    list_offsets: Annotated[
        ListOffsets | None, About("Where offsets are listed, when asked by annotation.", only="v1")
    ] = None
    pause: Annotated[
        bool | None,
        About(
            "Whether the connector is paused.",
            only="v1beta2",
            deprecated=Deprecated(mend="write state: paused"),
        ),
    ] = None
    state: Annotated[
        str | None,
        About("State it should be in; running by default.", choices=("paused", "stopped", "running")),
    ] = None
    tasks_max: Annotated[int | None, About("Tasks at most.", minimum=1)] = None
    version: Annotated[str | None, About("Version, or range of versions, of the plugin.", only="v1")] = None


class KafkaConnectorSpec(Connector):
    """What the connector should be."""

    class_: Annotated[str | None, About("Class of the connector.")] = msgspec.field(name="class", default=None)


class AutoRestartStatus(Block):
    """Restarts so far."""

    connector_name: Annotated[str | None, About("Name of the connector.")] = None
    count: Annotated[int | None, About("Restarts so far.")] = None
    last_restart_timestamp: Annotated[str | None, About("When it was last restarted.")] = None


class KafkaConnectorStatus(Status):
    """What is known of the connector."""

    auto_restart: Annotated[AutoRestartStatus | None, About("Restarts so far.")] = None
    connector_status: Annotated[FreeForm, About("What Kafka Connect says of it.")] = {}
    tasks_max: Annotated[int | None, About("Tasks at most.")] = None
    topics: Annotated[list[str], About("Topics it uses.")] = []


class KafkaConnector(Block):
    """A connector in the Kafka Connect that the label strimzi.io/cluster names."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("KafkaConnector")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaConnectorSpec, About("What is wanted.")] = msgspec.field(default_factory=KafkaConnectorSpec)
    status: Annotated[KafkaConnectorStatus | None, About("What is the case.")] = None
