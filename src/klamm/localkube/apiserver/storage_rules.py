"""What claims, volumes and classes of storage may say, and what of it may change."""

from collections.abc import Iterator
from typing import Any

from klamm.base.quantities import parsed
from klamm.localkube.apiserver.metadata_rules import SUBDOMAIN, SUBDOMAIN_RULE
from klamm.localkube.apiserver.statuses import Cause, forbidden_value, invalid_value, required, unsupported
from klamm.localkube.apiserver.value_rules import one_of
from klamm.localkube.objects import Object

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_NO_SOURCE = frozenset(
    [
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    ]
)


def claim(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    yield from _access_modes(spec.get("accessModes") or [])
    requested = (spec.get("resources") or {}).get("requests") or {}
    if "storage" not in requested:
        yield required("spec.resources[storage]")
    elif (parsed(requested["storage"]) or 0) <= 0:
        yield invalid_value("spec.resources[storage]", requested["storage"], "must be greater than zero")
    name = spec.get("storageClassName")
    if name and not SUBDOMAIN.fullmatch(name):
        yield invalid_value("spec.storageClassName", name, SUBDOMAIN_RULE)
    yield from one_of(spec, "volumeMode", ("Block", "Filesystem"), "spec")


def _access_modes(modes: list[str]) -> Iterator[Cause]:
    for mode in modes:
        if mode not in _MODES:
            yield unsupported("spec.accessModes", mode, _MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        yield forbidden_value("spec.accessModes", "may not use ReadWriteOncePod with other access modes")


def claim_change(new: Object, old: Object) -> Iterator[Cause]:
    free = {"volumeName": None, "volumeAttributesClassName": None}
    if (old.get("status") or {}).get("phase") == "Bound":
        free["resources"] = None
    fixed = [{**each["spec"], **free} for each in (new, old)]
    if old["spec"].get("storageClassName") is None:
        fixed = [{**each, "storageClassName": None} for each in fixed]
    if fixed[0] != fixed[1] or (
        old["spec"].get("volumeName") and new["spec"].get("volumeName") != old["spec"]["volumeName"]
    ):
        text = (
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        )
        yield forbidden_value("spec", text)
    have = parsed(((old.get("status") or {}).get("capacity") or {}).get("storage", "0")) or 0
    if _wanted(new) < min(_wanted(old), have):
        yield forbidden_value("spec.resources.requests.storage", "field can not be less than status.capacity")


def _wanted(claim: Object) -> Any:
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return parsed(requests.get("storage", "0")) or 0


def grows(new: Object, old: Object) -> bool:
    return bool(_wanted(new) > _wanted(old))


def volume(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield required("spec.accessModes")
    yield from _access_modes(spec.get("accessModes") or [])
    capacity = spec.get("capacity")
    if not capacity:
        yield required("spec.capacity")
    if not capacity or "storage" not in capacity or len(capacity) > 1:
        yield unsupported("spec.capacity", capacity, ["storage"])
    if not spec.keys() - _NO_SOURCE:
        yield required("spec", "must specify a volume type")
    yield from one_of(spec, "persistentVolumeReclaimPolicy", ("Delete", "Recycle", "Retain"), "spec")


def storage_class(obj: Object) -> Iterator[Cause]:
    if not obj.get("provisioner"):
        yield required("provisioner")
    for name, allowed in (
        ("reclaimPolicy", ("Delete", "Retain")),
        ("volumeBindingMode", ("Immediate", "WaitForFirstConsumer")),
    ):
        if obj.get(name) not in allowed:
            yield unsupported(name, obj.get(name), allowed)


def storage_class_change(new: Object, old: Object) -> Iterator[Cause]:
    for name in ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"):
        if new.get(name) != old.get(name):
            yield forbidden_value(name, f"updates to {name} are forbidden.")
