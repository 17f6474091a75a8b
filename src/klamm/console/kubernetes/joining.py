"""Which resources belong to which cluster and topic, and what that means for changes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from klamm.console.comparing import Difference
from klamm.console.kubernetes.seen import MANAGED, Kafka, Topic
from klamm.control.status import is_paused
from klamm.kube.kinds import Name, name_of
from klamm.planning.topics import (
    Change,
    Manage,
    Nothing,
    Observed,
    Paused,
    Refuse,
    Standing,
    Unmanaged,
    Wanted,
    config_texts,
    course,
    decide,
)

_BOOTSTRAP = "-kafka-bootstrap"


def joined(
    named: str | None, bootstrap: Sequence[str], id_: str | None, kafkas: Iterable[Kafka], own_namespace: str
) -> Kafka | None:
    """The Kafka resource of a cluster: the one that is named; else that of its id; else the one whose listener or
    bootstrap Service (`name-kafka-bootstrap.namespace.svc`) is among the addresses."""
    known = {name_of(one): one for one in kafkas}
    if named:
        namespace, _, name = named.rpartition("/")
        return known.get(Name(namespace or own_namespace, name))
    for kafka in known.values():
        if id_ and kafka.status is not None and kafka.status.cluster_id == id_:
            return kafka
    for address in bootstrap:
        by_service = known.get(_of_service(address, own_namespace) or Name("", ""))
        by_listener = next((one for one in known.values() if address in _addresses(one)), None)
        if by_service or by_listener:
            return by_service or by_listener
    return None


def _of_service(address: str, own_namespace: str) -> Name | None:
    service, _, rest = address.rpartition(":")[0].partition(".")
    if not service.endswith(_BOOTSTRAP):
        return None
    return Name(rest.partition(".")[0] or own_namespace, service.removesuffix(_BOOTSTRAP))


def _addresses(kafka: Kafka) -> set[str]:
    listeners = kafka.status.listeners if kafka.status else []
    return {one.strip() for each in listeners for one in (each.bootstrap_servers or "").split(",") if one.strip()}


def claimed_by(topic: Topic) -> str:
    """The topic that it has had, else the one that it names."""
    had = topic.status.topic_name if topic.status else None
    return had or _named(topic)


def _named(topic: Topic) -> str:
    return topic.spec.topic_name or topic.metadata.name or ""


def _standing(topic: Topic) -> Standing:
    meta = topic.metadata
    return Standing(
        resource=meta.name or "",
        created=meta.creation_timestamp or "",
        topic=claimed_by(topic),
        named=_named(topic),
        leaving=meta.deletion_timestamp is not None,
        managed=meta.annotations.get(MANAGED, "true").lower() != "false",
        paused=is_paused(topic),
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """How a KafkaTopic stands to its topic. `state`: managed, paused, unmanaged, leaving, or refused with a `why`.

    `others`: more resources that claim the topic.
    """

    topic: Topic
    state: str
    why: str = ""
    others: tuple[str, ...] = ()

    @property
    def speaks(self) -> bool:
        """Whether a change goes through it: of a paused or unmanaged one nobody would carry it out."""
        return self.state == "managed"


_STATES = ((Manage, "managed"), (Paused, "paused"), (Unmanaged, "unmanaged"), (Nothing, "leaving"), (Refuse, "refused"))


def claim(claimants: Sequence[Topic]) -> Claim | None:
    """Who speaks for the topic that all of these claim: whoever manages it, else the oldest."""
    standings = [_standing(one) for one in claimants]
    found = []
    for topic, standing in zip(claimants, standings, strict=True):
        way = course(standing, standings)
        state = next(state for kind, state in _STATES if isinstance(way, kind))
        others = tuple(sorted(one.resource for one in standings if one.resource != standing.resource))
        found.append((state != "managed", standing.age, Claim(topic, state, _why(way), others)))
    return min(found, key=lambda one: one[:2])[2] if found else None


def _why(way: object) -> str:
    return way.message if isinstance(way, Refuse) else ""


def drift(topic: Topic, observed: Observed | None) -> tuple[Difference, ...]:
    """Where Kafka is not as the resource says; `one`: what it says, `other`: what is."""
    wanted = _wanted(topic)
    if observed is None:
        return (Difference("topic", wanted.topic, None),)
    numbers = (("partitions", wanted.partitions, observed.partitions), ("replicas", wanted.replicas, observed.replicas))
    apart = [Difference(name, str(one), str(is_)) for name, one, is_ in numbers if one is not None and one != is_]
    # Numbers that the operator refuses would hide what it would do to the configuration.
    same = Wanted(wanted.topic, None, None, wanted.config)
    decision = decide(same, observed)
    if isinstance(decision, Change):
        keys = sorted({*decision.set, *decision.delete})
        apart += [Difference(key, wanted.config.get(key), observed.config.get(key)) for key in keys]
    return tuple(apart)


def _wanted(topic: Topic) -> Wanted:
    spec = topic.spec
    return Wanted(claimed_by(topic), spec.partitions, spec.replicas, config_texts(spec.config))


def resource_of_user(user: str) -> str:
    """How its KafkaUser is called, if there is one: who proves by a certificate who he is has CN= before the name."""
    return user.removeprefix("CN=")


def config_patch(set_: Mapping[str, str], delete: Iterable[str]) -> dict[str, object]:
    """A merge patch of just these keys; null removes."""
    return {"spec": {"config": {**set_, **dict.fromkeys(delete)}}}
