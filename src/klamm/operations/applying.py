"""Wanted objects brought into the API, and what is no longer wanted taken out.

Objects go in by server-side apply: fields that others hold stay theirs, fields that we no longer want go. What was
applied is remembered by its fingerprint, so a pass that wants nothing new sends nothing; every `refresh` seconds an
object is applied anyway, which sets back what somebody else changed.

Objects that Strimzi's operator made are taken over from it (`succession.py`): its fields become ours, so that those
that nobody wants any more go.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar, cast

import msgspec

from klamm.base.clock import Clock
from klamm.base.together import side_by_side
from klamm.kube import requests
from klamm.kube.catalogue import kind_of
from klamm.kube.client import Client
from klamm.kube.kinds import Kind, Name, Object, name_of
from klamm.operations.succession import INHERITED, succession
from klamm.resources.native.metadata import ObjectMeta
from klamm.resources.structure import Block

B = TypeVar("B", bound=Block)
Obj = TypeVar("Obj", bound=Object)
Place = tuple[str, Name]
"""Kind and name: where an object stands."""


@dataclass(frozen=True, slots=True)
class _Memory:
    fingerprint: bytes
    applied_at: float
    answer: Block | None
    """Kept for `answers` only."""


class Applier:
    """Shared by all passes of an operator. `at_once` bounds the calls in flight."""

    def __init__(self, client: Client, clock: Clock, refresh: float = 110.0, at_once: int = 8) -> None:
        self._client = client
        self._clock = clock
        self._refresh = refresh
        self._slots = asyncio.Semaphore(at_once)
        self._memory: dict[Place, _Memory] = {}

    async def apply(self, wanted: Block) -> None:
        await self._applied(wanted, keep=False)

    async def apply_all(self, wanted: Iterable[Block]) -> None:
        """All at the same time; the first failure is raised once every call has ended."""
        await side_by_side(*(self.apply(one) for one in wanted))

    async def answers(self, wanted: Iterable[B]) -> list[B]:
        """As `apply_all`, for objects in which the API fills in what we need: as it has them afterwards.

        When nothing is sent, they are the answers to the last apply of the same content, which are kept. Of other
        objects nothing is: the answers of all objects of a hundred clusters are some 35 MB.
        """
        return cast("list[B]", list(await side_by_side(*(self._applied(one, keep=True) for one in wanted))))

    async def _applied(self, wanted: Block, *, keep: bool) -> Block | None:
        """The API's answer; when nothing had to be sent, the one that was kept."""
        kind = kind_of(wanted)
        place = (kind.kind, name_of(cast(Any, wanted)))
        fingerprint = blake2b(msgspec.json.encode(wanted, order="sorted"), digest_size=16).digest()
        known = self._memory.get(place)
        if known and known.fingerprint == fingerprint and not self._is_old(known):
            return known.answer
        self.forget(kind, place[1])  # a call that fails may have been heard: who knows what stands there then
        async with self._slots:
            answer = await self._apply(kind, wanted) if known else await self._apply_first(kind, wanted)
        self._memory[place] = _Memory(fingerprint, self._clock.monotonic(), answer if keep else None)
        return answer

    async def _apply(self, kind: Kind[Any], wanted: Block) -> Block:
        return cast(Block, await self._client.apply(kind, cast(Any, wanted)))

    async def _apply_first(self, kind: Kind[Any], wanted: Block) -> Block:
        """What we apply for the first time may have been somebody else's."""
        if kind.kind not in INHERITED:
            return await self._apply(kind, wanted)
        client = self._client
        body = await client.raw(requests.apply(kind, cast(Any, wanted), client.manager))
        if (change := succession(body, client.manager)) is None:
            return cast(Block, msgspec.json.decode(body, type=kind.type_))
        await client.patch(kind, name_of(cast(Any, wanted)), change)
        return await self._apply(kind, wanted)

    async def asked_again(self, kind: Kind[Obj], known: Mapping[str, Obj], names: Iterable[Name]) -> dict[str, Obj]:
        """`known` (by name) with these objects as the API has them now, each asked for by its name.

        For what is made once, such as keys: a list may be older than our own writes, and does not show an object whose
        labels somebody took off. Whoever believes it makes a new key over the one that everybody uses.
        """
        wanted = list(names)
        found = await side_by_side(*(self._client.find(kind, name) for name in wanted))
        fresh = {name.name: obj for name, obj in zip(wanted, found, strict=True)}
        return {name: obj for name, obj in ({**known, **fresh}).items() if obj is not None}

    async def take_annotation_off(self, kind: Kind[Any], name: Name, annotation: str) -> None:
        """For annotations by which a person asked for something that is done now; apply leaves them to their owner."""
        self.forget(kind, name)
        await self._client.patch(kind, name, {"metadata": {"annotations": {annotation: None}}})

    async def delete(self, kind: Kind[Any], name: Name, uid: str | None = None) -> None:
        """Forgotten first: it may be gone although the answer is lost, and must be made when it is wanted again."""
        self.forget(kind, name)
        await self._client.delete(kind, name, uid=uid)

    def forget(self, kind: Kind[Any], name: Name) -> None:
        """It is changed or deleted by another way than `apply`: apply it again when it is wanted next."""
        self._memory.pop((kind.kind, name), None)

    def forget_namesakes(self, cluster: Name) -> None:
        """The cluster is gone, and its objects (named `<cluster>-…`) with it; one of the same name starts anew."""
        prefix = f"{cluster.name}-"
        for place in [each for each in self._memory if each[1].namespace == cluster.namespace]:
            if place[1].name.startswith(prefix):
                del self._memory[place]
        for place in [
            each for each in self._memory if each[1].name == f"strimzi-{cluster.namespace}-{prefix}kafka-init"
        ]:
            del self._memory[place]

    async def prune(
        self, kind: Kind[Any], namespace: str, labels: dict[str, str], keep: Collection[str], owner_uid: str
    ) -> list[Name]:
        """Delete objects of this kind that `owner_uid` owns, but those of the names in `keep`; returns their names.

        Only what carries our owner reference is touched: an object of the same labels may be somebody's own.
        """
        listed = await self._client.list(kind, namespace, labels)
        unwanted = [one for one in listed.items if name_of(one).name not in keep and _is_owned(one.metadata, owner_uid)]
        for one in unwanted:
            await self.delete(kind, name_of(one), one.metadata.uid)
        return [name_of(one) for one in unwanted]

    def _is_old(self, known: _Memory) -> bool:
        return self._clock.monotonic() - known.applied_at > self._refresh


def _is_owned(metadata: ObjectMeta, uid: str) -> bool:
    return metadata.deletion_timestamp is None and any(owner.uid == uid for owner in metadata.owner_references)
