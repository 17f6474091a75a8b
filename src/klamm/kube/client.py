"""Typed calls to the Kubernetes API: build a request, send it, read the answer into the kind's type.

Every call either returns or raises one `KubeError`. Calls come in the words of the API; on top of them stand
`watching` (caches), `events` and `leases`.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from random import Random
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import msgspec

from klamm.kube import errors, requests
from klamm.kube.connection import Connection
from klamm.kube.exchange import Permit, Response, Stream, Transport
from klamm.kube.kinds import Kind, Name, T
from klamm.kube.reading import Reader, Unreadable
from klamm.kube.requests import Labels, Propagation, Request
from klamm.kube.sending import Patience, Sender
from klamm.kube.watch_stream import Change, WatchEvent, events_of

V = TypeVar("V")

PAGE = 500
"""Objects in one answer to a list. Bounds what the server and we hold at once; as kubectl does."""


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    metadata: _ListMeta
    # Raw: each object is read by itself. A collection without objects may come as null.
    items: list[msgspec.Raw] | None = None


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A whole list, and the moment (resourceVersion) from which a watch goes on."""

    items: tuple[T, ...]
    version: str
    unreadable: tuple[Unreadable, ...] = ()
    """Objects that are not what their type says: one of them must not hide the others."""


class Client:
    """`manager` is the field manager under which we write, e.g. "klamm-cluster-operator"."""

    def __init__(self, sender: Sender, manager: str) -> None:
        self._sender = sender
        self.manager = manager

    async def get(self, kind: Kind[T], name: Name) -> T:
        """The object as the server has it now; `NotFound` when there is none."""
        return await self._read(requests.get(kind, name), kind.type_)

    async def find(self, kind: Kind[T], name: Name) -> T | None:
        try:
            return await self.get(kind, name)
        except errors.NotFound:
            return None

    async def list(
        self, kind: Kind[T], namespace: str | None = None, labels: Labels = None, fields: str = "", page: int = PAGE
    ) -> Listed[T]:
        """All objects of a namespace (None: of all) at one moment, fetched in pages of so many.

        `Gone` when the server forgot the list between two pages: begin again.
        """
        reader = Reader(kind)
        found: list[T | Unreadable] = []
        after = ""
        while True:
            answer = await self._read(requests.list_page(kind, namespace, labels, page, after, fields), _Page)
            found.extend(reader.read(raw) for raw in answer.items or ())
            if not (after := answer.metadata.continue_):
                return _listed(found, answer.metadata.resource_version)

    async def create(self, kind: Kind[T], obj: T, *, dry_run: bool = False) -> T:
        """`AlreadyExists` when there is one: whatever a cache said before."""
        return await self._read(requests.create(kind, obj, self.manager, dry_run), kind.type_)

    async def replace(self, kind: Kind[T], obj: T, *, dry_run: bool = False, subresource: str | None = None) -> T:
        """Only for types that hold the whole object (see `kinds.py`)."""
        return await self._read(requests.replace(kind, obj, self.manager, dry_run, subresource), kind.type_)

    async def patch(
        self,
        kind: Kind[T],
        name: Name,
        change: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        dry_run: bool = False,
        subresource: str | None = None,
    ) -> T:
        """A mapping is a merge patch, a sequence a JSON patch."""
        build = requests.merge_patch if isinstance(change, Mapping) else requests.json_patch
        request = build(kind, name, change, self.manager, dry_run, subresource)  # type: ignore[arg-type]
        return await self._read(request, kind.type_)

    async def apply(self, kind: Kind[T], obj: T, *, force: bool = True, dry_run: bool = False) -> T:
        """Server-side apply: make these fields so, and remove those that we set before and no longer want.

        With `force` a field that another manager holds becomes ours; without it that is a `Conflict`.
        """
        return await self._read(requests.apply(kind, obj, self.manager, force, dry_run), kind.type_)

    async def apply_status(self, kind: Kind[T], name: Name, status: object, *, dry_run: bool = False) -> T:
        return await self._read(requests.apply_status(kind, name, status, self.manager, dry_run), kind.type_)

    async def delete(
        self,
        kind: Kind[T],
        name: Name,
        *,
        uid: str | None = None,
        version: str | None = None,
        propagation: Propagation | None = None,
        grace_seconds: int | None = None,
        dry_run: bool = False,
    ) -> bool:
        """False when there was none. True says that deletion began: finalizers and grace may keep it for a while.

        Give the `uid` of the object that you looked at, so that its successor of the same name is not hit.
        """
        request = requests.delete(kind, name, uid, version, propagation, grace_seconds, dry_run)
        try:
            await self._sender.send(request)
        except errors.NotFound:
            return False
        return True

    async def delete_collection(
        self, kind: Kind[T], namespace: str | None, labels: Labels, propagation: Propagation | None = None
    ) -> None:
        await self._sender.send(requests.delete_collection(kind, namespace, labels, propagation))

    async def watch(
        self,
        kind: Kind[T],
        version: str,
        namespace: str | None = None,
        labels: Labels = None,
        *,
        seconds: int = 300,
        fields: str = "",
    ) -> AsyncGenerator[WatchEvent[T], None]:
        """`Change.OPENED` when the server has taken the watch, then the changes after `version` until it ends it.

        `Gone` when it no longer knows `version`, `Unreachable` when the stream is cut.
        """
        request = requests.watch(kind, namespace, labels, version, seconds, fields)
        async with self._sender.stream(request) as stream:
            yield WatchEvent(Change.OPENED, version, None)
            async for event in events_of(kind, request.doing, stream.pieces):
                yield event

    async def raw(self, request: Request) -> bytes:
        """Any other request (discovery, /version, a pod's log): the answer's body."""
        return (await self._sender.send(request)).body

    async def answer(self, request: Request) -> Response:
        """As `raw`, for who needs the status (200 or 201) or a header (Warning)."""
        return await self._sender.send(request)

    def stream(self, request: Request) -> AbstractAsyncContextManager[Stream]:
        """An answer that comes in pieces for as long as it lasts: a log that is followed."""
        return self._sender.stream(request)

    async def close(self) -> None:
        await self._sender.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _read(self, request: Request, type_: type[V]) -> V:
        response = await self._sender.send(request)
        try:
            answer: V = _decoder(type_).decode(response.body)  # type: ignore[arg-type]
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise errors.NotUnderstood(request.doing, f"the answer is not as expected: {error}") from error
        return answer


def connect(
    connection: Connection,
    manager: str,
    random: Random,
    patience: Patience | None = None,
    permit: Permit | None = None,
) -> Client:
    """A client over HTTP; call it inside a running loop, and close it (`async with connect(…) as client`)."""
    # A command that brings a leaner transport should not pay for importing this one.
    from klamm.kube.transport import HttpTransport

    return over(HttpTransport(connection, permit), manager, random, patience)


def over(transport: Transport, manager: str, random: Random, patience: Patience | None = None) -> Client:
    return Client(Sender(transport, random, patience), manager)


def _listed(found: Sequence[T | Unreadable], version: str) -> Listed[T]:
    readable = tuple(each for each in found if not isinstance(each, Unreadable))
    return Listed(readable, version, tuple(each for each in found if isinstance(each, Unreadable)))


@cache
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)
