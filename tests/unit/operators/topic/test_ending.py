"""Whether a topic operator that is told to stop knows that its cluster goes, and when it need not ask again."""

import asyncio
from pathlib import Path
from random import Random

import pytest
from tests.builders.entity_api import LABELS, NAMESPACE, entity_api
from tests.builders.scripted_api import Answer, Cut, ScriptedApi, answer, status
from tests.builders.virtual_time import in_virtual_time

from klamm.base.metrics import Metrics
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.client import over
from klamm.kube.connection import from_kubeconfig
from klamm.kube.exchange import Response
from klamm.kube.kinds import Name
from klamm.kube.requests import Request
from klamm.kube.sending import Patience
from klamm.kube.transport import HttpTransport
from klamm.kube.watching import Watched
from klamm.operators.topic.finalizers import Ending, Finalizers
from klamm.operators.topic.measures import TopicMeasures

LIVES = answer({"metadata": {"name": "kafka"}})
TERMINATES = answer({"metadata": {"name": "kafka", "deletionTimestamp": "2026-01-01T00:00:00Z"}})


@pytest.mark.parametrize(
    ("when", "answered", "reason", "uncertain"),
    [
        ("the namespace lives", LIVES, None, False),
        ("the namespace ends", TERMINATES, "namespace kafka is terminating", False),
        ("the API fails", status(500, "InternalError"), None, True),
        ("the API is cut off while it answers", Cut(sent=True), None, True),
        ("the API is busy", status(429, "TooManyRequests"), None, True),
        ("our account went with the cluster", status(401, "Unauthorized"), None, False),
        ("nobody listens: the whole machine stops", Cut(sent=False), None, False),
    ],
)
@in_virtual_time
async def test_the_end_is_asked_for_again_only_where_an_answer_may_come(
    when: str, answered: Answer, reason: str | None, uncertain: bool
) -> None:
    api = ScriptedApi()
    api.answers(status(404, "NotFound"), answered)
    async with over(api, "test", Random(1), Patience(attempts=1)) as client:
        ending = Ending(client, Name("kafka", "my-cluster"), "kafka")
        await ending.begin()
        assert (await ending.reason(), ending.uncertain) == (reason, uncertain), when


class Slow(HttpTransport):
    """Patches are a moment on their way; `leaves` is set when one has left."""

    leaves: asyncio.Event

    async def send(self, request: Request) -> Response:
        if request.method == "PATCH":
            self.leaves.set()
            await asyncio.sleep(0.05)
        return await super().send(request)


async def test_a_finalizer_that_is_being_put_on_when_the_operator_stops_does_not_stay(tmp_path: Path) -> None:
    async with entity_api(tmp_path, "kafkatopics") as entity:
        await entity.create("KafkaTopic", "orders", {"partitions": 1})
        transport = Slow(from_kubeconfig(entity.api.kubeconfig))
        transport.leaves = asyncio.Event()
        async with over(transport, "test", Random(1)) as client:
            topics = Watched(client, KAFKA_TOPICS, Random(1), namespace=NAMESPACE, labels=LABELS)
            measures = TopicMeasures(Metrics(lambda: 0.0), NAMESPACE, LABELS)
            finalizers = Finalizers(client, topics, LABELS, asyncio.Semaphore(4), measures)
            holding = asyncio.ensure_future(finalizers.hold(await client.get(KAFKA_TOPICS, Name(NAMESPACE, "orders"))))
            await transport.leaves.wait()
            holding.cancel()
            assert await finalizers.let_all_go() == 1
        assert "finalizers" not in (await entity.get("KafkaTopic", "orders"))["metadata"]
