"""Conditions, and a status that is written only when it changed.

The rules are those that Strimzi's users and tools rely on: exactly one of `Ready` and `NotReady` is there, with status
"True" (there is no Ready=False); `ReconciliationPaused` stands alone beside warnings; there may be any number of
`Warning`s. A condition that says the same as before keeps its lastTransitionTime, so that a pass which changes nothing
writes nothing, and no watcher is woken for nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from klamm.kube import requests
from klamm.kube.client import Client
from klamm.kube.kinds import Kind, Object, T, name_of
from klamm.resources.custom.status import Condition, Status

S = TypeVar("S", bound=Status)

TIME = "lastTransitionTime"

PAUSE = "strimzi.io/pause-reconciliation"
"""The annotation that halts a resource's passes; its condition is `paused()`."""


def is_paused(resource: Object) -> bool:
    return resource.metadata.annotations.get(PAUSE, "").lower() == "true"


def ready() -> Condition:
    return Condition(type="Ready", status="True")


def not_ready(reason: str, message: str) -> Condition:
    """`reason` is one word in CamelCase, `message` a sentence."""
    return Condition(type="NotReady", status="True", reason=reason, message=message)


def paused() -> Condition:
    return Condition(type="ReconciliationPaused", status="True")


def warning(reason: str, message: str) -> Condition:
    return Condition(type="Warning", status="True", reason=reason, message=message)


def dated(new: Iterable[Condition], old: Sequence[Condition], now: datetime) -> list[Condition]:
    """The new conditions, each with the time of its like in `old`, or with `now`."""
    times = {_says(condition): condition.last_transition_time for condition in old}
    stamp = timestamp(now)
    return [
        msgspec.structs.replace(condition, last_transition_time=times.get(_says(condition)) or stamp)
        for condition in new
    ]


def timestamp(now: datetime) -> str:
    """2026-03-01T12:00:00.123456Z, as conditions carry it; any other zone is turned into UTC."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def changes(old: Status | None, new: Status) -> tuple[str, ...]:
    """Paths that differ, without regard to the times of conditions; empty when there is nothing to write."""
    before = _timeless(old) if old is not None else {}
    return tuple(_differing("status", before, _timeless(new)))


async def write(client: Client, kind: Kind[T], obj: T, old: S | None, new: S, now: datetime) -> bool:
    """Apply `new` as the status of `obj` unless `old` says the same. True when it was written.

    The conditions of `new` need no times. NotFound (the object went meanwhile) is the caller's to ignore.
    """
    return await written(client, kind, obj, old, new, now) is not None


async def written(client: Client, kind: Kind[T], obj: T, old: S | None, new: S, now: datetime) -> bytes | None:
    """The same; the object as the server has it then, in JSON, or None when there was nothing to write."""
    if not changes(old, new):
        return None
    conditions = dated(new.conditions, old.conditions if old is not None else (), now)
    status = msgspec.structs.replace(new, conditions=conditions)
    return await client.raw(requests.apply_status(kind, name_of(obj), status, client.manager))


def _says(condition: Condition) -> tuple[str, str, str | None, str | None]:
    return condition.type, condition.status, condition.reason, condition.message


def _timeless(status: Status) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(status)
    conditions = [{key: value for key, value in each.items() if key != TIME} for each in plain.get("conditions", ())]
    return {**plain, "conditions": conditions}


def _differing(path: str, old: object, new: object) -> Iterable[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _differing(f"{path}.{key}", old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differing(f"{path}[{position}]", before, after)
    elif old != new:
        yield path
