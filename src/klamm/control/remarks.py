"""What does no harm in what users wrote and should still be told: fields that nobody knows, and deprecated ones.

A cache reads resources into types, which drop what they do not know; so whoever wants to tell of unknown fields needs
the resource as it was written. That is asked for once a generation: what the status tells of the same one still holds.
"""

from collections.abc import Sequence
from typing import cast

import msgspec

from klamm.control.status import warning
from klamm.kube import requests
from klamm.kube.client import Client
from klamm.kube.kinds import Kind, T, name_of
from klamm.resources.custom.status import Condition, Status
from klamm.resources.reading import Reading, read
from klamm.resources.structure import Block

_REASONS = frozenset({"UnknownFields", "DeprecatedFields"})


def remarks(reading: Reading) -> list[Condition]:
    """A Warning for each."""
    return [
        *(warning("UnknownFields", str(unknown)) for unknown in reading.unknown),
        *(warning("DeprecatedFields", str(deprecated)) for deprecated in reading.deprecated),
    ]


async def remarks_about(client: Client, kind: Kind[T], resource: T, status: Status | None) -> Sequence[Condition]:
    """The same for a resource that comes from a cache with this status. `KubeError` when it cannot be read."""
    if status is not None and status.observed_generation == resource.metadata.generation:
        return [one for one in status.conditions if one.type == "Warning" and one.reason in _REASONS]
    body = await client.raw(requests.get(kind, name_of(resource)))
    return remarks(read(cast("type[Block]", kind.type_), msgspec.json.decode(body)))
