"""KafkaTopics are freed of the finalizer that Strimzi's topic operator puts on them."""

import asyncio

from klamm.kube import errors
from klamm.kube.client import Client
from klamm.kube.kinds import name_of
from klamm.kube.watching import Watched
from klamm.operators.topic.measures import LET_GO, TopicMeasures
from klamm.planning.topics import FINALIZER
from klamm.resources.custom.topic import KafkaTopic


class Finalizers:
    """`slots` bounds the calls in flight."""

    def __init__(
        self, client: Client, topics: Watched[KafkaTopic], slots: asyncio.Semaphore, measures: TopicMeasures
    ) -> None:
        self._measures = measures
        self._client = client
        self._topics = topics
        self._slots = slots

    async def let_go(self, resource: KafkaTopic) -> None:
        """Take the finalizer off; others' stay. Raises a KubeError, of a race as well: its news bring the name back."""
        others = [one for one in resource.metadata.finalizers if one != FINALIZER]
        # The version guards other controllers' finalizers, which stand in the same list.
        change = {"metadata": {"finalizers": others, "resourceVersion": resource.metadata.resource_version}}
        try:
            async with self._slots:
                with self._measures.timing(LET_GO):
                    self._topics.saw(await self._client.patch(self._topics.kind, name_of(resource), change))
        except errors.NotFound:
            return
