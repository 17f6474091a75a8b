"""KafkaMirrorMaker2: copies topics between Kafka clusters with Kafka Connect."""

from typing import Annotated

import msgspec

from klamm.resources.custom.connect import ConnectStatus, ConnectWorkers
from klamm.resources.custom.connector import AutoRestartStatus, Connector
from klamm.resources.custom.secrets import ClientAuthentication, ClientTls
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import About, Block, Deprecated, Form, FreeForm, always

_ALIAS = Form(r"^[a-zA-Z0-9\._\-]{1,100}$", "my-cluster")
_TARGET = Deprecated(mend="write spec.target and mirrors[].source in API version v1", since="v1")


class MirrorCluster(Block):
    """A Kafka cluster that is copied from or to."""

    alias: Annotated[str | None, About("Short name of the cluster.", required=True, form=_ALIAS)] = None
    authentication: Annotated[ClientAuthentication | None, About("How clients prove who they are.")] = None
    bootstrap_servers: Annotated[str | None, About("Brokers to start from, host:port with commas.", required=True)] = (
        None
    )
    config: Annotated[FreeForm, About("Settings of clients of this cluster.")] = {}
    tls: Annotated[ClientTls | None, About("How clients know the brokers.")] = None


class MirrorTarget(MirrorCluster):
    """The cluster that is copied to, where the workers live."""

    config_storage_topic: Annotated[str | None, About("Topic of configurations.", required=True)] = None
    group_id: Annotated[str | None, About("Group of the workers.", required=True)] = None
    offset_storage_topic: Annotated[str | None, About("Topic of source offsets.", required=True)] = None
    status_storage_topic: Annotated[str | None, About("Topic of states.", required=True)] = None


class Mirror(Block):
    """What is copied from one cluster."""

    checkpoint_connector: Annotated[Connector | None, About("Copies offsets of groups.")] = None
    groups_blacklist_pattern: Annotated[
        str | None,
        About(
            "Groups that are left out.",
            only="v1beta2",
            deprecated=Deprecated(mend="write groupsExcludePattern"),
        ),
    ] = None
    groups_exclude_pattern: Annotated[str | None, About("Groups that are left out.")] = None
    groups_pattern: Annotated[str | None, About("Groups that are copied.")] = None
    heartbeat_connector: Annotated[Connector | None, About("Sends heartbeats.", only="v1beta2", deprecated=_TARGET)] = (
        None
    )
    source: Annotated[MirrorCluster | None, About("Cluster that is copied from.", only="v1")] = None
    source_cluster: Annotated[
        str | None,
        About("Alias of the cluster that is copied from.", only="v1beta2", deprecated=_TARGET),
    ] = None
    source_connector: Annotated[Connector | None, About("Copies topics.")] = None
    target_cluster: Annotated[
        str | None, About("Alias of the cluster that is copied to.", only="v1beta2", deprecated=_TARGET)
    ] = None
    topics_blacklist_pattern: Annotated[
        str | None,
        About(
            "Topics that are left out.",
            only="v1beta2",
            deprecated=Deprecated(mend="write topicsExcludePattern"),
        ),
    ] = None
    topics_exclude_pattern: Annotated[str | None, About("Topics that are left out.")] = None
    topics_pattern: Annotated[str | None, About("Topics that are copied.")] = None


class KafkaMirrorMaker2Spec(ConnectWorkers):
    """The workers, the clusters and what is copied."""

    clusters: Annotated[list[MirrorCluster], About("The clusters.", only="v1beta2", deprecated=_TARGET)] = []
    connect_cluster: Annotated[
        str | None, About("Alias of the cluster where the workers live.", only="v1beta2", deprecated=_TARGET)
    ] = None
    mirrors: Annotated[list[Mirror], About("What is copied.")] = []
    target: Annotated[MirrorTarget | None, About("The cluster that is copied to.", only="v1")] = None


class KafkaMirrorMaker2Status(ConnectStatus):
    """What is known of the workers and their connectors."""

    auto_restart_statuses: Annotated[list[AutoRestartStatus], About("Restarts so far.")] = []
    connectors: Annotated[list[FreeForm], About("What Kafka Connect says of the connectors.")] = []


class KafkaMirrorMaker2(Block):
    """Copies topics, their settings and offsets of groups between Kafka clusters."""

    api_version: str = always("kafka.strimzi.io/v1beta2")
    kind: str = always("KafkaMirrorMaker2")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: Annotated[KafkaMirrorMaker2Spec, About("What is wanted.")] = msgspec.field(
        default_factory=KafkaMirrorMaker2Spec
    )
    status: Annotated[KafkaMirrorMaker2Status | None, About("What is the case.")] = None
