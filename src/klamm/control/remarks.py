"""What does no harm in what users wrote and should still be told: fields that nobody knows, and deprecated ones.

A cache reads resources into types, which drop what they do not know; so whoever wants to tell of unknown fields needs
the resource as it was written. The answer to the write of a status has it: no request more for resources in which there
is nothing to remark, however many there are.
"""

from datetime import datetime
from typing import TypeVar, cast

import msgspec

from klamm.control import status as statuses
from klamm.control.status import warning
from klamm.kube.client import Client
from klamm.kube.kinds import Kind, T
from klamm.resources.custom.status import Condition, Status
from klamm.resources.reading import Reading, read
from klamm.resources.structure import Block

S = TypeVar("S", bound=Status)

_REASONS = frozenset({"UnknownFields", "DeprecatedFields"})


def remarks(reading: Reading) -> list[Condition]:
    """A Warning for each."""
    return [
        *(warning("UnknownFields", str(unknown)) for unknown in reading.unknown),
        *(warning("DeprecatedFields", str(deprecated)) for deprecated in reading.deprecated),
    ]


def kept(old: Status | None, new: S) -> S:
    """`new` with what was remarked on before: it holds until the resource as it was written is seen again."""
    return _with(new, _told(old))


async def write(client: Client, kind: Kind[T], obj: T, old: S | None, new: S, now: datetime) -> T:
    """As `status.write`, with the remarks of `old`; and again with others, if the resource of a new generation shows
    that they are due. Returns the object as it is then.
    """
    body = await statuses.written(client, kind, obj, old, kept(old, new), now)
    if body is None:
        return obj
    if old is None or old.observed_generation != obj.metadata.generation:
        found = remarks(read(cast("type[Block]", kind.type_), msgspec.json.decode(body)))
        if _words(found) != _words(_told(old)):
            body = await statuses.written(client, kind, obj, old, _with(new, found), now) or body
    return msgspec.json.decode(body, type=kind.type_)


def _told(status: Status | None) -> list[Condition]:
    conditions = status.conditions if status is not None else ()
    return [one for one in conditions if one.type == "Warning" and one.reason in _REASONS]


def _with(status: S, warnings: list[Condition]) -> S:
    return msgspec.structs.replace(status, conditions=[*status.conditions, *warnings])


def _words(conditions: list[Condition]) -> list[str | None]:
    return [one.message for one in conditions]
