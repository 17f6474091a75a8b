"""Audit entries into their clusters' topics. A topic that is not there is made; what Kafka does not take now waits in
the trail, as many as that holds."""

import asyncio

import msgspec

from klamm.base import logs
from klamm.base.clock import Clock, milliseconds
from klamm.console.audit.trail import AuditSettings, Entry, Trail
from klamm.console.clusters import Place
from klamm.console.problems import Problem
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure, TopicExists
from klamm.kafka.facts import NewTopic
from klamm.kafka.writing import NewRecord, produce

_log = logs.room("console.audit")

_WITHIN = 10.0
_PAUSE = 5.0
"""Seconds after a failure."""


async def write_entries(trail: Trail, place: Place, clock: Clock) -> None:
    """Of this cluster, for ever."""
    while True:
        entry = await trail.next_for_topic(place.name)
        try:
            await _write(place, entry, clock)
        except (KafkaFailure, Problem) as failure:
            _log.warning("an audit entry could not be written; it is tried again", cluster=place.name, because=failure)
            trail.again(place.name, entry)
            await asyncio.sleep(_PAUSE)


async def _write(place: Place, entry: Entry, clock: Clock) -> None:
    settings, admin = place.settings.audit, await place.admin()
    leader = await _leader(admin, settings)
    record = NewRecord(None, msgspec.json.encode(entry), milliseconds(clock))
    await produce(admin, leader, settings.topic, 0, [record], _WITHIN)


async def _leader(admin: Admin, settings: AuditSettings) -> int:
    """Of the topic's first partition: one partition keeps the order."""
    found = (await admin.describe_topics([settings.topic])).get(settings.topic)
    if found is None:
        new = NewTopic(settings.topic, settings.partitions, None, settings.properties or {})
        outcome = (await admin.create_topics([new]))[settings.topic]
        if isinstance(outcome, KafkaFailure) and not isinstance(outcome, TopicExists):
            raise outcome
        found = (await admin.describe_topics([settings.topic])).get(settings.topic)
    leader = next((one.leader for one in found.partitions if one.id == 0), None) if found else None
    if leader is None:
        raise Problem(503, "NoLeader", f"{settings.topic}-0 has no leader yet")
    return leader
