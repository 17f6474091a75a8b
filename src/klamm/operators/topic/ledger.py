"""Which topic each KafkaTopic has, noted where it holds up no deletion: in a ConfigMap that goes with the cluster.

A KafkaTopic may be deleted while its operator is away, and no watch tells of that later. A finalizer would keep such a
resource until the operator is back; but it keeps it for ever, and its namespace too, when nobody comes back (decision
21). So who was noted here and is no longer there was deleted, and its topic is to go.

The cluster operator makes the ConfigMap, the topic operator alone fills it: the resource's name → its uid, its topic
where that has another name, and "#" with Kafka's id of the topic once that is known. What was noted for another Kafka
resource of the same name, or in another watched namespace, tells nothing and is thrown away. Without the ConfigMap (or
the right to write it) all goes on; only deletions that happen while the operator is away leave their topics behind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from klamm.base import logs
from klamm.kube import errors
from klamm.kube.client import Client
from klamm.kube.kinds import Name
from klamm.kube.native import CONFIG_MAPS

_log = logs.room("topics")

OF = "klamm.dev/topics-of"
"""The annotation that says for which Kafka resource (by uid) and which namespace the notes are."""

_ID = "#"
"""No topic's name may contain it."""


@dataclass(frozen=True, slots=True)
class Had:
    """What a resource has, or had."""

    uid: str
    topic: str
    id: str | None = None
    """Kafka's id of the topic; None while it is about to be made, and on brokers that give none."""


class Ledger:
    """Kept in memory alone until it is opened, and where there is no Kafka resource, hence no ConfigMap."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._place: Name | None = None
        self._of = ""
        self._notes: dict[str, Had] = {}
        self._unwritten: dict[str, str | None] = {}
        self._is_read = False
        self._was_read = False
        self._warned = False
        self._left_alone: set[str] = set()
        """Uids of resources that are not managed, of this process' time."""

    async def open(self, place: Name, of: str) -> None:
        """Read what the process before has noted for the same `of`. Raises a KubeError that may not be one later."""
        self._place, self._of = place, of
        try:
            await self._read()
        except (errors.NotFound, errors.Forbidden) as error:
            self._warn(error)

    async def _read(self) -> None:
        """Once it was read, this process knows best: a ConfigMap made anew may come from a backup."""
        assert self._place is not None
        found = await self._client.get(CONFIG_MAPS, self._place)
        if found.metadata.annotations.get(OF) == self._of and not self._was_read:
            self._notes = {name: _read(name, text) for name, text in found.data.items()} | self._notes
        else:
            self._unwritten = {**dict.fromkeys(found.data), **self._unwritten}
        self._is_read = self._was_read = True

    def names(self) -> Iterable[str]:
        """Of the resources that are noted."""
        return tuple(self._notes)

    def of(self, name: str) -> Had | None:
        return self._notes.get(name)

    def note(self, name: str, had: Had) -> None:
        """To be written with the next `write`."""
        if had.uid in self._left_alone:
            return  # whoever notes has looked at it before it was left alone
        if self._notes.get(name) != had:
            self._notes[name] = had
            self._unwritten[name] = _written(name, had)

    def forget(self, name: str) -> None:
        if self._notes.pop(name, None) is not None:
            self._unwritten[name] = None

    def leave_alone(self, name: str, uid: str) -> None:
        """Its topic stays, whatever becomes of the resource and whatever a batch that is under way thinks of it."""
        self._left_alone.add(uid)
        if (had := self._notes.get(name)) is not None and had.uid == uid:
            self.forget(name)

    def take_back(self, uid: str) -> None:
        self._left_alone.discard(uid)

    async def disowned(self, names: Iterable[str]) -> frozenset[str]:
        """Whose note was written, and is not there now: another process has seen to it, somebody has taken it away, or
        the API was restored from a backup, and does not know of the resource either. Raises a KubeError.
        """
        written = {name: had for name in names if (had := self._notes.get(name))}
        if self._place is None or not self._is_read or not written.keys() - self._unwritten.keys():
            return frozenset()
        try:
            found = await self._client.get(CONFIG_MAPS, self._place)
        except (errors.NotFound, errors.Forbidden) as error:
            self._warn(error)
            return frozenset()
        if found.metadata.annotations.get(OF) != self._of:
            self._unwritten = {**dict.fromkeys(found.data), **self._everything()}
            return frozenset()
        return frozenset(
            name
            for name, had in written.items()
            if name not in self._unwritten and not _is_of(had, name, found.data.get(name))
        )

    async def write(self) -> None:
        """Everything that has changed, in one request. What could not be written is tried again with the next one."""
        if not self._unwritten or self._place is None:
            return
        try:
            if not self._is_read:
                await self._read()
            await self._write()
        except errors.KubeError as error:
            self._warn(error)

    async def _write(self) -> None:
        writing, self._unwritten = self._unwritten, {}
        try:
            await self._patch(writing)
        except errors.NotFound:
            self._unwritten = self._everything()
            self._is_read = False
            raise
        except errors.KubeError as error:
            self._unwritten = {**writing, **self._unwritten}
            if _is_full(error):
                # No note is better than an old one, which would delete the topic of who came after.
                await self._patch(dict.fromkeys(writing))
            raise
        self._warned = False

    def _everything(self) -> dict[str, str | None]:
        """For a ConfigMap that was made anew."""
        return {name: _written(name, had) for name, had in self._notes.items()}

    async def _patch(self, data: Mapping[str, str | None]) -> None:
        assert self._place is not None
        change = {"metadata": {"annotations": {OF: self._of}}, "data": data}
        await self._client.patch(CONFIG_MAPS, self._place, change)

    def _warn(self, error: errors.KubeError) -> None:
        if not self._warned:
            _log.warning("KafkaTopics deleted while this operator is away will leave their topics", because=str(error))
        self._warned = True


def _is_full(error: errors.KubeError) -> bool:
    """Its values are more than 1 MiB, or names and values more than etcd takes (1.5 MiB): that is a bare 500."""
    return isinstance(error, errors.Invalid | errors.Refused) or "request is too large" in error.message


def _read(name: str, text: str) -> Had:
    uid, _, rest = text.partition(" ")
    topic, _, identifier = rest.partition(_ID)
    return Had(uid, topic.strip() or name, identifier or None)


def _written(name: str, had: Had) -> str:
    topic = [] if had.topic == name else [had.topic]
    return " ".join([had.uid, *topic, *([_ID + had.id] if had.id else [])])


def _is_of(had: Had, name: str, text: str | None) -> bool:
    """Whether a note is of this resource and topic: another process may have noted the id since."""
    noted = None if text is None else _read(name, text)
    return noted is not None and (noted.uid, noted.topic) == (had.uid, had.topic)
