"""Which storage to use when the wanted one differs from the one in use.

Volumes hold data, so only changes that keep it are made: `deleteClaim`, larger claims, volumes added to or taken from a
JBOD, storage classes of brokers that do not exist yet. Anything else (another type, a smaller size, another class)
cannot be done without losing data: then *no* part of the change is made, the old storage stays in use, and a Warning
says which field to put back (Strimzi behaviour).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from klamm.base.quantities import parsed
from klamm.desired.volumes import STORAGE
from klamm.planning.kafka_rules.remark import Remark
from klamm.resources.custom.storage import Storage, Volume
from klamm.resources.reading import Problem

_KEEP = "put the old value back; to change it, move the data to new brokers"


@dataclass(frozen=True, slots=True)
class StorageDecision:
    """`use` is the storage for this pass. `refused` is empty when that is the wanted one."""

    use: Storage
    refused: tuple[Problem, ...] = ()


def decide_storage(path: str, old: Storage | None, wanted: Storage, existing_nodes: int) -> StorageDecision:
    """Compare with what is remembered on the StrimziPodSet (None: a new cluster).

    `path` is the field's place, for messages; `existing_nodes` how many nodes have volumes already.
    """
    if old is None:
        return StorageDecision(wanted)
    refused = tuple(_differences(path, old, wanted, existing_nodes))
    return StorageDecision(old, refused) if refused else StorageDecision(wanted)


def remembered_storage(annotations: Mapping[str, str]) -> Storage | None:
    """The storage in use, from the StrimziPodSet's annotations; None when there is none that can be read."""
    try:
        return msgspec.json.decode(annotations.get(STORAGE, ""), type=Storage)
    except msgspec.DecodeError:
        return None


def storage_remark(reason: str, decision: StorageDecision) -> Remark | None:
    """The Warning for a refused change; `reason` is KafkaStorage or ZooKeeperStorage."""
    if not decision.refused:
        return None
    told = ". ".join(str(problem) for problem in decision.refused)
    return Remark(reason, f"the change of storage is not made, the old storage stays in use: {told}")


def _differences(path: str, old: Storage, wanted: Storage, nodes: int) -> list[Problem]:
    if old.type != wanted.type:
        return [_refused(f"{path}.type", wanted.type, f"cannot replace {old.type}")]
    if old.type != "jbod":
        return _of_volume(path, old, wanted, nodes)
    before = {volume.id: volume for volume in old.volumes}
    found = []
    for index, volume in enumerate(wanted.volumes):
        was = before.get(volume.id)
        if was is not None:
            found += _of_volume(f"{path}.volumes[{index}]", was, volume, nodes)
    return found


def _of_volume(path: str, old: Volume, wanted: Volume, nodes: int) -> list[Problem]:
    if old.type != wanted.type:
        return [_refused(f"{path}.type", wanted.type, f"cannot replace {old.type}")]
    found = []
    before, after = parsed(old.size or "0"), parsed(wanted.size or "0")
    if before is not None and after is not None and after < before:
        found.append(_refused(f"{path}.size", wanted.size, f"is less than the {old.size} in use; volumes only grow"))
    if old.class_ != wanted.class_:
        found.append(_refused(f"{path}.class", wanted.class_, f"cannot replace {_shown(old.class_)}"))
    if dict(old.selector) != dict(wanted.selector):
        found.append(_refused(f"{path}.selector", dict(wanted.selector), f"cannot replace {dict(old.selector)}"))
    return found + _of_overrides(path, old, wanted, range(nodes))


def _of_overrides(path: str, old: Volume, wanted: Volume, nodes: Sequence[int]) -> list[Problem]:
    """Only nodes that exist have a class to keep."""
    before = {o.broker: o.class_ for o in old.overrides}
    after = {o.broker: o.class_ for o in wanted.overrides}
    return [
        _refused(f"{path}.overrides", after.get(node), f"cannot replace {_shown(before.get(node))} of node {node}")
        for node in nodes
        if before.get(node) != after.get(node)
    ]


def _refused(path: str, value: object, rule: str) -> Problem:
    return Problem(path, value, rule, _KEEP)


def _shown(storage_class: str | None) -> str:
    return storage_class or "the default class"
