"""A topic is deleted by its id: one that was made anew under its name is another one.

tests/system/exporter/test_real_brokers.py asks real brokers the same.
"""

from base64 import urlsafe_b64encode
from uuid import UUID

from tests.builders.fake_kafka_server import FakeServers, FakeTopic, fake_servers

from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import UnknownTopic


def id_of(number: int) -> str:
    return urlsafe_b64encode(UUID(int=number).bytes).rstrip(b"=").decode("ascii")


def servers() -> FakeServers:
    topics = {name: FakeTopic([0], [1], id=UUID(int=number)) for number, name in enumerate(("orders", "bills"), 1)}
    return FakeServers(brokers=[1], topics=topics)


async def test_what_has_the_id_goes_and_nothing_else() -> None:
    with fake_servers(servers()) as brokers:
        async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
            described = await admin.describe_topics()
            assert {name: topic.id for name, topic in described.items()} == {"orders": id_of(1), "bills": id_of(2)}
            outcomes = await admin.delete_topics_by_id([id_of(1), id_of(3)])
    assert brokers.topics.keys() == {"bills"}
    assert outcomes[id_of(1)] is None
    assert isinstance(outcomes[id_of(3)], UnknownTopic)


async def test_what_is_no_id_at_all_is_nobody_s() -> None:
    with fake_servers(servers()) as brokers:
        async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
            for nonsense in ("", "orders", id_of(1)[:-1], "ü" * 22, "x" * 50):
                outcomes = await admin.delete_topics_by_id([nonsense, id_of(2)])
                assert isinstance(outcomes[nonsense], UnknownTopic), nonsense
    assert brokers.topics.keys() == {"orders"}
