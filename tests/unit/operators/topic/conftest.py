from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.builders.entity_api import EntityApi, entity_api
from tests.builders.fake_kafka import FakeKafka
from tests.builders.running_topic_operator import Running, topic_operator


@pytest.fixture
async def entity(tmp_path: Path) -> AsyncIterator[EntityApi]:
    async with entity_api(tmp_path, "kafkatopics") as running:
        yield running


@pytest.fixture
async def running(entity: EntityApi) -> AsyncIterator[Running]:
    async with topic_operator(entity, FakeKafka()) as started:
        yield started
