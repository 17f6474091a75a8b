"""The cluster operator from the outside: what it makes, what it tells, what it leaves alone."""

from tests.builders.kafka import kafka_object
from tests.builders.kafka_world import kafka_world
from tests.builders.virtual_time import in_virtual_time


@in_virtual_time
async def test_a_new_cluster_becomes_ready() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        print(world.kafka()["status"], world.cluster.clock.monotonic(), len(world.transport.requests))
