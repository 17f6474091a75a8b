"""Watches: changes of a kind, selected and encoded for a client, as a stream of JSON lines.

Each change is encoded once for all watchers that want the same form (`Change.views`). A watcher that reads too slowly
is ended: it lists again, as with any Kubernetes.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from klamm.localkube.apiserver import field_selectors, statuses, tables
from klamm.localkube.apiserver.kinds import Kind
from klamm.localkube.apiserver.negotiation import Accepted
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.storage import Change, Stored
from klamm.localkube.objects import LabelMatch, Object, Refused

BOOKMARK_SECONDS = 60.0
_BACKLOG = 20_000


class _Labels(msgspec.Struct):
    labels: dict[str, str] | None = None


class _Head(msgspec.Struct):
    metadata: _Labels


_head = msgspec.json.Decoder(_Head).decode


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a kind a list or a watch is about."""

    namespace: str | None = None
    labels: LabelMatch | None = None
    fields: dict[str, tuple[bool, str]] | None = None

    def holds(self, registry: Registry, stored: Stored) -> bool:
        if self.namespace is not None and stored.namespace != self.namespace:
            return False
        if self.labels is not None and not self.labels(_head(stored.body).metadata.labels or {}):
            return False
        return self.fields is None or self._fields_hold(registry, stored)

    def _fields_hold(self, registry: Registry, stored: Stored) -> bool:
        assert self.fields is not None
        rest = dict(self.fields)
        for name, value in (("metadata.name", stored.name), ("metadata.namespace", stored.namespace)):
            if name in rest:
                equal, wanted = rest.pop(name)
                if (value == wanted) is not equal:
                    return False
        return not rest or field_selectors.matches_fields(rest, registry.storage.decode(stored))


@dataclass(frozen=True, slots=True)
class WatchRequest:
    kind: Kind
    selection: Selection
    form: Accepted
    resource_version: str = ""
    bookmarks: bool = False
    send_initial: bool = False
    include: str = "Metadata"
    timeout: float = 1800


class Watch:
    """One client's stream: iterate over `lines`. The subscription starts with the construction: nothing is missed."""

    def __init__(self, registry: Registry, request: WatchRequest, now: Callable[[], datetime]) -> None:
        self._registry = registry
        self._request = request
        self._now = now
        self._waiting: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._ended = False
        self._columns_told = False
        """A stream of tables tells its columns once."""
        self._unsubscribe: Callable[[], None] = lambda: None
        self._start()

    def _start(self) -> None:
        request, storage = self._request, self._registry.storage
        key = request.kind.storage_key
        try:
            since = int(request.resource_version or "0")
        except ValueError as error:
            raise statuses.bad_request(f"Invalid value: {request.resource_version!r}: resourceVersion") from error
        try:
            if since == 0 or request.send_initial:
                self._send_existing()
            else:
                for change in storage.changes_since(key, since):
                    self._on_change(change)
        except Refused as refused:
            self._waiting.append(_line("ERROR", msgspec.json.encode(statuses.body_of(refused))))
            self._ended = True
            return
        if request.send_initial and request.bookmarks:
            self._waiting.append(self._bookmark(initial_end=True))
        self._unsubscribe = storage.subscribe(key, self._on_change)

    def _send_existing(self) -> None:
        request = self._request
        for stored in self._registry.storage.all(request.kind.storage_key, request.selection.namespace):
            if request.selection.holds(self._registry, stored):
                self._waiting.append(_line("ADDED", self._encode(stored)))

    def end(self) -> None:
        self._ended = True
        self._unsubscribe()
        self._arrived.set()

    async def lines(self) -> AsyncIterator[bytes]:
        """Chunks of whole lines, until the time is up, the server stops or the client fell behind."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._request.timeout
        try:
            while True:
                if self._waiting:
                    chunk = b"".join(self._waiting)
                    self._waiting.clear()
                    yield chunk
                if self._ended or loop.time() >= until:
                    return
                await self._next(min(until - loop.time(), BOOKMARK_SECONDS))
        finally:
            self._unsubscribe()

    async def _next(self, seconds: float) -> None:
        """Until something is waiting; after a quiet minute a bookmark is."""
        self._arrived.clear()
        try:
            async with asyncio.timeout(max(seconds, 0.001)):
                await self._arrived.wait()
        except TimeoutError:
            if self._request.bookmarks:
                self._waiting.append(self._bookmark())

    def _on_change(self, change: Change) -> None:
        chosen = self._chosen(change)
        if chosen is not None:
            self._waiting.append(self._event(chosen, change))
            if len(self._waiting) > _BACKLOG:
                self.end()
            self._arrived.set()

    def _chosen(self, change: Change) -> str | None:
        """The event that this selection sees: an object that leaves it is DELETED, one that enters ADDED."""
        selection = self._request.selection
        was = change.before is not None and selection.holds(self._registry, change.before)
        if change.type == "DELETED":
            return "DELETED" if was else None
        holds = selection.holds(self._registry, change.after)
        if holds:
            return "MODIFIED" if was else "ADDED"
        return "DELETED" if was else None

    def _event(self, type_: str, change: Change) -> bytes:
        request = self._request
        view = (type_, request.kind.resource.api_version, request.form, request.include, self._columns_told)
        line = change.views.get(view)
        if line is None:
            stored = change.after
            if type_ == "DELETED" and change.type != "DELETED":
                stored = self._as_left(change)
            line = _line(type_, self._encode(stored))
            change.views[view] = line
        self._columns_told = True
        return bytes(line)

    def _as_left(self, change: Change) -> Stored:
        """What left the selection: as it was, at the version of the change."""
        assert change.before is not None
        obj = self._registry.storage.decode(change.before)
        metadata = {**obj["metadata"], "resourceVersion": str(change.version)}
        body = msgspec.json.encode({**obj, "metadata": metadata})
        return Stored(change.before.namespace, change.before.name, -change.version, body)

    def _encode(self, stored: Stored) -> bytes:
        request = self._request
        kind, form = request.kind, request.form
        if form.form == "object":
            return self._registry.body(kind, stored)
        answer = shaped(kind, self._registry.view(kind, stored), form, request.include, self._now())
        if form.form == "table" and self._columns_told:
            answer["columnDefinitions"] = None
        self._columns_told = True
        return msgspec.json.encode(answer)

    def _bookmark(self, initial_end: bool = False) -> bytes:
        resource = self._request.kind.resource
        metadata: Object = {"resourceVersion": str(self._registry.storage.version)}
        if initial_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj: Any = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._request.form.form == "table":
            obj = tables.table(self._request.kind, [], metadata, self._request.form.version)
        elif self._request.form.form == "metadata":
            obj = tables.partial_metadata(obj, self._request.form.version)
        return _line("BOOKMARK", msgspec.json.encode(obj))


def shaped(kind: Kind, obj: Object, form: Accepted, include: str, now: datetime) -> Object:
    """One object in the form that the client asked for."""
    if form.form == "table":
        rows = [tables.row(kind, obj, now, include, form.version)]
        return tables.table(kind, rows, {"resourceVersion": obj["metadata"]["resourceVersion"]}, form.version)
    if form.form == "metadata":
        return tables.partial_metadata(obj, form.version)
    return obj


def _line(type_: str, body: bytes) -> bytes:
    return b'{"type":"%b","object":%b}\n' % (type_.encode(), body)
