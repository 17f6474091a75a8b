"""Whether the topic operator knows that its cluster goes; where it cannot be told, nothing is decided."""

from random import Random

import pytest
from tests.builders.scripted_api import Answer, ScriptedApi, answer, status
from tests.builders.virtual_time import in_virtual_time

from klamm.kube import errors
from klamm.kube.client import over
from klamm.kube.kinds import Name
from klamm.kube.sending import Patience
from klamm.operators.topic.ending import Ending

LIVES = answer({"metadata": {"name": "kafka", "uid": "n1"}})
TERMINATES = answer({"metadata": {"name": "kafka", "uid": "n1", "deletionTimestamp": "2026-01-01T00:00:00Z"}})
GONE = status(404, "NotFound")
NOTES = answer({"metadata": {"name": "my-cluster-entity-topic-operator-topics", "uid": "c1"}})
KAFKA = answer({"metadata": {"name": "my-cluster", "uid": "k1"}})


@pytest.mark.parametrize(
    ("when", "answers", "reason"),
    [
        ("all live", [LIVES, KAFKA, LIVES, KAFKA], None),
        ("the namespace ends", [LIVES, KAFKA, TERMINATES, KAFKA], "namespace kafka is terminating"),
        ("the namespace went", [LIVES, KAFKA, GONE, KAFKA], "namespace kafka is gone"),
        (
            "another namespace has its name",
            [LIVES, KAFKA, answer({"metadata": {"name": "kafka", "uid": "n2"}}), KAFKA],
            "namespace kafka is gone",
        ),
        ("there never was a Kafka resource", [LIVES, GONE, GONE, LIVES], None),
        ("the Kafka resource went before", [LIVES, GONE, NOTES, LIVES], "Kafka kafka/my-cluster was gone at the start"),
        ("the Kafka resource went", [LIVES, KAFKA, LIVES, GONE], "Kafka kafka/my-cluster is gone"),
        (
            "another one has its name",
            [LIVES, KAFKA, LIVES, answer({"metadata": {"name": "my-cluster", "uid": "k2"}})],
            "Kafka kafka/my-cluster is gone",
        ),
        (
            "the Kafka resource waits for what it owns",
            [
                LIVES,
                KAFKA,
                LIVES,
                answer({"metadata": {"name": "x", "uid": "k1", "deletionTimestamp": "2026-01-01T00:00:00Z"}}),
            ],
            "Kafka kafka/my-cluster is being deleted",
        ),
    ],
)
@in_virtual_time
async def test_topics_are_left_alone_where_their_cluster_goes(
    when: str, answers: list[Answer], reason: str | None
) -> None:
    api = ScriptedApi()
    api.answers(*answers)
    async with over(api, "test", Random(1), Patience(attempts=1)) as client:
        ending = Ending(client, Name("kafka", "my-cluster"), "kafka")
        await ending.begin()
        assert await ending.reason() == reason, when


@pytest.mark.parametrize("code", [401, 403, 500])
@in_virtual_time
async def test_where_the_api_does_not_tell_nothing_is_decided(code: int) -> None:
    api = ScriptedApi()
    api.answers(LIVES, KAFKA, status(code, "Refused"), KAFKA)
    async with over(api, "test", Random(1), Patience(attempts=1)) as client:
        ending = Ending(client, Name("kafka", "my-cluster"), "kafka")
        await ending.begin()
        with pytest.raises(errors.KubeError):
            await ending.reason()
