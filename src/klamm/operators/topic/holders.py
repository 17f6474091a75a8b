"""Who holds the name of a KafkaTopic now.

The watch shows only what carries our labels. A resource that has left it was deleted, or is another operator's now,
and only asking for it by name tells these apart.
"""

import asyncio

from klamm.kube.catalogue import KAFKA_TOPIC_NAMES
from klamm.kube.client import Client
from klamm.kube.kinds import Name
from klamm.resources.native.metadata import ObjectMeta


class Holders:
    """`slots` bounds the calls in flight."""

    def __init__(self, client: Client, slots: asyncio.Semaphore) -> None:
        self._client = client
        self._slots = slots

    async def of(self, name: Name) -> ObjectMeta | None:
        """What the API has under this name, whatever its labels are. Raises a KubeError where that cannot be told."""
        async with self._slots:
            found = await self._client.find(KAFKA_TOPIC_NAMES, name)
        return found.metadata if found else None
