"""A topic made from another: a clone of its settings, and the same one anew, empty."""

import asyncio

import msgspec

from klamm.base.deadlines import DeadlineExceeded, within
from klamm.console.access.rights import Right
from klamm.console.api.managing import managing
from klamm.console.problems import Problem, forbidden, not_found
from klamm.console.routes import Call, NoQuery, Route
from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure, TopicExists
from klamm.kafka.facts import NewTopic

_VIEW = Right("topic", "view", of="topic")
_CREATE = Right("topic", "create")
_DELETE = Right("topic", "delete", of="topic")

_AGAIN = 0.25
RECREATED_WITHIN = 20.0
"""Seconds in which a deleted topic's name must be free again; brokers delete files afterwards."""


class CloneWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`name`: of the new topic."""

    name: str


async def clone(call: Call[NoQuery, CloneWish]) -> None:
    """Partitions, replicas and what is configured; no messages."""
    source, wish = call.path["topic"], call.body
    if not call.may("topic", "view", source):
        raise forbidden(f"{call.who.name} may not view topic {source}; a role must permit it (rbac.roles)")
    if not call.may("topic", "create", wish.name):
        raise forbidden(f"{call.who.name} may not create topic {wish.name}; a role must permit it (rbac.roles)")
    admin = await call.place.admin()
    await _create(admin, await _settings(admin, source, wish.name))


async def recreate(call: Call[NoQuery, None]) -> None:
    """Deletes it with its messages and makes it again. Groups' offsets stay, and lie beyond the new end."""
    name = call.path["topic"]
    if not call.may("topic", "create", name):
        raise forbidden(f"{call.who.name} may not create topic {name}; a role must permit it (rbac.roles)")
    if (resource := managing(call, name)) is not None and resource.claim.speaks:
        raise Problem(
            409, "Managed", f"{resource} manages topic {name}; delete the resource and apply it again instead"
        )
    admin = await call.place.admin()
    new = await _settings(admin, name, name)
    failure = (await admin.delete_topics([name]))[name]
    if failure is not None:
        raise Problem.of_kafka(failure)
    try:
        await within(RECREATED_WITHIN, f"topic {name} anew", _create_when_gone(admin, new))
    except (DeadlineExceeded, KafkaFailure, Problem) as error:
        raise Problem(
            502,
            "HalfDone",
            f"topic {name} was deleted and could not be made again: {error}. Create it with "
            f"{new.partitions} partitions, {new.replication_factor} replicas and {dict(new.config)}",
        ) from error


async def _settings(admin: Admin, source: str, name: str) -> NewTopic:
    found = (await admin.describe_topics([source])).get(source)
    configs = await admin.topic_configs([source])
    if found is None or source not in configs:
        raise not_found("topic", source)
    if found.internal:
        raise Problem(422, "Internal", f"topic {source} is Kafka's own; it is not copied or made anew")
    config = {
        key: one.value
        for key, one in configs[source].items()
        if one.set_here and not one.read_only and not one.sensitive and one.value is not None
    }
    return NewTopic(name, len(found.partitions), found.replication_factor, config)


async def _create(admin: Admin, new: NewTopic) -> None:
    outcome = (await admin.create_topics([new]))[new.name]
    if isinstance(outcome, KafkaFailure):
        raise outcome


async def _create_when_gone(admin: Admin, new: NewTopic) -> None:
    """A broker with ZooKeeper keeps the name until all have deleted; each try takes as long as an answer takes."""
    while True:
        try:
            return await _create(admin, new)
        except TopicExists:
            await asyncio.sleep(_AGAIN)


_TOPIC = "/api/clusters/{cluster}/topics/{topic}"
ROUTES = (
    Route("POST", f"{_TOPIC}/clone", clone, "Make a topic with the settings of another", _CREATE, body=CloneWish),
    Route("POST", f"{_TOPIC}/recreate", recreate, "Delete a topic and make it again, empty", _DELETE),
)
