"""Deletion: marks, grace, finalizers and policies; when an object may really go."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from klamm.localkube.apiserver import statuses
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.storage import Stored
from klamm.localkube.objects import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, PODS, Object, Refused

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_DEFAULT_GRACE = 30


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    grace_seconds: int | None = None
    propagation: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    object: Object
    finished: bool
    """The object is gone; otherwise it waits for its grace period or finalizers."""


def check_preconditions(kind: Kind, stored: Stored, obj: Object, options: DeleteOptions) -> None:
    name = stored.name
    uid = obj["metadata"]["uid"]
    if options.uid and options.uid != uid:
        raise _precondition_failed(kind, name, "UID", options.uid, uid)
    wanted = options.resource_version
    if wanted and wanted != str(stored.version):
        raise _precondition_failed(kind, name, "ResourceVersion", wanted, str(stored.version))


def _precondition_failed(kind: Kind, name: str, what: str, wanted: str, found: str) -> Refused:
    """Here the API server names the kind, where other conflicts name the resource."""
    told = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found})"
    happened = "deleted and then recreated" if what == "UID" else "modified"
    by_kind = replace(kind.resource, plural=kind.resource.kind)
    return statuses.conflict(by_kind, name, f"{told}. The object might have been {happened}")


def _grace(kind: Kind, obj: Object, options: DeleteOptions) -> int:
    """Only pods go gracefully; one that no node runs, or that has ended, goes at once."""
    if kind.resource != PODS:
        return 0
    if not obj["spec"].get("nodeName") or obj.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    if options.grace_seconds is not None:
        return options.grace_seconds if options.grace_seconds >= 0 else 1
    wanted = obj["spec"].get("terminationGracePeriodSeconds", _DEFAULT_GRACE)
    return int(wanted)


def _finalizers(obj: Object, options: DeleteOptions) -> list[str]:
    kept = [each for each in obj["metadata"].get("finalizers") or () if each not in (FOREGROUND, ORPHAN)]
    had = [each for each in obj["metadata"].get("finalizers") or () if each in (FOREGROUND, ORPHAN)]
    if options.propagation == "Foreground":
        return [*kept, FOREGROUND]
    if options.propagation == "Orphan":
        return [*kept, ORPHAN]
    return kept if options.propagation == "Background" else [*kept, *had]


def marked(kind: Kind, obj: Object, options: DeleteOptions, time: Callable[[float], str]) -> Object:
    """The object with its deletion noted: timestamp, grace, finalizers of the policy. `time(seconds from now)`."""
    metadata = dict(obj["metadata"])
    finalizers = _finalizers(obj, options)
    metadata.pop("finalizers", None)
    if finalizers:
        metadata["finalizers"] = finalizers
    grace = _grace(kind, obj, options)
    first = not metadata.get("deletionTimestamp")
    shorter = not first and grace < metadata.get("deletionGracePeriodSeconds", 0)
    if first or (shorter and (options.grace_seconds is not None or grace == 0)):
        metadata["deletionTimestamp"] = time(grace)
        metadata["deletionGracePeriodSeconds"] = grace
    if kind.resource == CUSTOM_RESOURCE_DEFINITIONS:
        metadata.pop("deletionGracePeriodSeconds", None)
    elif first and metadata.get("generation"):
        metadata["generation"] += 1
    changed = {**obj, "metadata": metadata}
    if kind.resource == NAMESPACES:
        metadata.pop("deletionGracePeriodSeconds", None)
        changed["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    return changed


def is_finished(kind: Kind, obj: Object) -> bool:
    """Marked for deletion, and nothing holds it any more."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    if kind.resource == NAMESPACES:
        return not (obj.get("spec") or {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")
