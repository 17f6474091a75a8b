"""Topics that were just made: waited for until every broker knows them, and their leaders take and give records.

Brokers hear of a topic one after the other, and any may be asked; and one has heard of it a moment before it has opened
its own partitions. A test that is not about that moment begins after it.
"""

from collections.abc import Mapping, Sequence

from tests.builders.real_brokers import RealBrokers

from klamm.base.deadlines import until
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.errors import KafkaFailure, NotNow, UnknownTopic
from klamm.kafka.facts import NewTopic, Topic
from klamm.kafka.offsets import LATEST
from klamm.kafka.reading import offsets_at

_WITHIN = 180.0


async def make_topics(brokers: RealBrokers, *topics: NewTopic) -> None:
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        ids: dict[str, str | None] = {}
        for name, outcome in (await admin.create_topics(topics)).items():
            if isinstance(outcome, KafkaFailure):
                raise outcome
            ids[name] = outcome.id
        await until_known(brokers, admin, ids)


async def known_everywhere(brokers: RealBrokers, *names: str) -> None:
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        await until_known(brokers, admin, dict.fromkeys(names))


async def until_known(brokers: RealBrokers, admin: Admin, ids: Mapping[str, str | None]) -> None:
    """By name the topic's id, where it is known: another one may have had the name before."""
    running = [broker.id for broker in brokers.brokers if broker.process.poll() is None]

    async def reason_not() -> str | None:
        try:
            for broker in running:
                found = await admin.describe_topics(list(ids), node=broker)
                late = [name for name, id in ids.items() if name not in found or id not in (None, found[name].id)]
                if late:
                    return f"broker {broker} does not know {late}"
                if (why := await _reason_not_open(admin, list(found.values()))) is not None:
                    return f"by broker {broker} {why}"
        except (NotNow, UnknownTopic) as failure:
            return str(failure)
        return None

    await until(_WITHIN, f"{list(ids)} at every broker", reason_not, every=0.1)


async def _reason_not_open(admin: Admin, topics: Sequence[Topic]) -> str | None:
    for topic in topics:
        for one in topic.partitions:
            if one.leader is None or len(one.in_sync) < len(one.replicas):
                return f"of {topic.name} there is {one}"
            await offsets_at(admin, one.leader, topic.name, [one.id], LATEST, _WITHIN)
    return None
