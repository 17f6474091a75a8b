"""Where brokers, controllers and ZooKeeper keep their data."""

from typing import Annotated

import msgspec

from klamm.resources.structure import About, Block, Deprecated, Form, Texts

SIZE = Form(r"^([0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$", "10Gi")


class StorageOverride(Block):
    """Another storage class for one broker."""

    broker: Annotated[int | None, About("Id of the broker, for ZooKeeper the number of the node.")] = None
    class_: Annotated[str | None, About("Storage class of its volume.")] = msgspec.field(name="class", default=None)


_NODE_POOLS = Deprecated(mend="put the brokers that differ into a KafkaNodePool of their own", since="v1")


class Volume(Block):
    """One volume: ephemeral, or a claim that outlives the pod."""

    class_: Annotated[str | None, About("Storage class of the claim; the cluster's default otherwise.")] = (
        msgspec.field(name="class", default=None)
    )
    delete_claim: Annotated[bool | None, About("Delete the claim with the cluster; it stays by default.")] = None
    id: Annotated[int | None, About("Number of the volume in a JBOD; never reuse one.", minimum=0)] = None
    kraft_metadata: Annotated[
        str | None,
        About("Marks the volume that also holds the KRaft metadata log.", only="v1", choices=("shared",)),
    ] = None
    overrides: Annotated[
        list[StorageOverride],
        About("Storage classes of single brokers.", only="v1beta2", deprecated=_NODE_POOLS),
    ] = []
    selector: Annotated[Texts, About("Labels that a persistent volume must have to be taken.")] = {}
    size: Annotated[str | None, About("Size of a claim, e.g. 10Gi; it may grow, not shrink.")] = None
    size_limit: Annotated[str | None, About("For ephemeral: the most the volume may hold.", form=SIZE)] = None
    type: Annotated[
        str | None,
        About("Kind of storage.", required=True, choices=("ephemeral", "persistent-claim")),
    ] = None
    volume_attributes_class: Annotated[str | None, About("VolumeAttributesClass of the claim.", only="v1")] = None


class Storage(Volume):
    """A volume, or with type jbod several."""

    type: Annotated[
        str | None,
        About("Kind of storage.", required=True, choices=("ephemeral", "persistent-claim", "jbod")),
    ] = None
    volumes: Annotated[list[Volume], About("For jbod: the volumes.")] = []
