"""A cache of one kind's objects, kept fresh by list and watch, and a bell for those who care.

    list (in pages) ──▶ watch from the list's resourceVersion ──▶ events, bookmarks
      ▲                   │ cut or ended: go on at the last seen moment
      └── 410, or ERROR ──┘

`Known` holds the rules that keep it from going back in time. What it cannot promise is to be up to date: the API may
be seconds ahead. So:

- Look here to find *candidates* and to be woken; a decision to create stands on the API's answer (`create` says
  AlreadyExists, `apply` merges, `fresh` asks), a deletion names the uid that was looked at.
- Subscribers get (old, new) and must only note a name: they run inside the watch and may not wait.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from random import Random
from typing import Generic

from klamm.base import logs
from klamm.base.backoff import BackOff
from klamm.kube import errors
from klamm.kube.client import Client
from klamm.kube.kinds import Kind, Name, T, name_of
from klamm.kube.known import Difference, Known, WentBack
from klamm.kube.reading import Unreadable
from klamm.kube.requests import Labels
from klamm.kube.watch_stream import Change, WatchEvent

_log = logs.room("kube.watching")

Subscriber = Callable[[T | None, T | None], None]

WATCH = 300
"""Seconds of one watch, shortened by up to half: watches that began together should not all end together."""

REFUSED_LISTS = 10
"""How many older lists in a row are refused. A lagging replica catches up in seconds; a server that was restored from a
backup never does, and then its state is the truth after all."""

RELIST = 600.0
"""Seconds after which a watch that ends is followed by a list. A lost event would otherwise stay unknown for ever: no
server should lose one, but load balancers and proxies have."""

CUT_WATCHES = BackOff(first=0.2, longest=15.0, jitter=0.5)


class Watched(Generic[T]):
    """`trim` makes objects smaller before they are kept; an index gives the keys under which `under` finds them."""

    def __init__(
        self,
        client: Client,
        kind: Kind[T],
        random: Random,
        *,
        namespace: str | None = None,
        labels: Labels = None,
        fields: str = "",
        trim: Callable[[T], T] | None = None,
        indexes: Mapping[str, Callable[[T], Iterable[str]]] | None = None,
        back_off: BackOff = CUT_WATCHES,
        relist: float = RELIST,
    ) -> None:
        self.kind = kind
        self.namespace = namespace
        self.labels = labels
        self.unreadable: dict[Name, str] = {}
        """Objects that do not fit the type, and why; what was known of them before is kept."""
        self._client = client
        self._random = random
        self._fields = fields
        self._back_off = back_off
        self._relist = relist
        self._known: Known[T] = Known(trim, indexes)
        self._subscribers: list[Subscriber[T]] = []
        self._synced = asyncio.Event()
        self._failures = 0
        self._interrupted = False
        self._refused = 0
        self._list_next = True
        self._listed_at = 0.0

    def get(self, name: Name) -> T | None:
        return self._known.get(name)

    def all(self) -> tuple[T, ...]:
        return tuple(self._known)

    def under(self, index: str, key: str) -> tuple[T, ...]:
        return self._known.under(index, key)

    async def synced(self) -> None:
        """Returns once the first list is in. Wait for it with a deadline (`base.deadlines.within`)."""
        await self._synced.wait()

    @property
    def reason_not_fresh(self) -> str | None:
        """None while a watch runs; else why the cache may be behind. For readiness and metrics."""
        if not self._synced.is_set():
            return f"{self.kind.plural} were not listed yet"
        if self._interrupted:
            return f"the watch of {self.kind.plural} failed {self._failures} times in a row"
        return None

    def subscribe(self, subscriber: Subscriber[T]) -> Callable[[], None]:
        """Tell every change from now on; what is known already comes at once. Returns how to unsubscribe."""
        self._subscribers.append(subscriber)
        for obj in self._known:
            subscriber(None, obj)
        return lambda: self._subscribers.remove(subscriber)

    async def fresh(self, name: Name) -> T | None:
        """What the API says now, taken into the cache: for decisions that must not stand on an old state."""
        obj = await self._client.find(self.kind, name)
        if obj is not None:
            self.saw(obj)
        return obj

    def saw(self, obj: T) -> None:
        """Take the answer to a write of ours, so that the next look here is not older than our own deed."""
        self._tell(self._known.saw(obj))

    async def run(self) -> None:
        """List and watch for ever; ends only by cancellation (or by a bug, for the supervisor to see)."""
        while True:
            try:
                if self._list_next:
                    await self._list()
                    self._list_next = False
                await self._watch()
            except errors.Gone as error:
                _log.info("listing again", what=self._what, because=error.message)
                self._list_next = self._interrupted = True
                await self._pause_if_repeated()
            except (errors.KubeError, WentBack) as error:
                # A cut is no reason to list again: the watch goes on at the moment that was reached. An event that
                # cannot be read is: it would be sent again and again. And where every watch is cut, none ever ends.
                self._list_next |= isinstance(error, errors.NotUnderstood) or self._is_list_old()
                self._failures += 1
                self._interrupted = True
                await self._pause(error)

    async def _list(self) -> None:
        listed = await self._client.list(self.kind, self.namespace, self.labels, self._fields)
        try:
            differences = self._known.replace(self._not_lost(listed.items, listed.unreadable), listed.version)
        except WentBack:
            self._refused += 1
            if self._refused >= REFUSED_LISTS:
                _log.warning("the server stays in the past: believing it", what=self._what, version=listed.version)
                self._known.forget_time()
            raise
        self._refused, self._listed_at = 0, asyncio.get_running_loop().time()
        self.unreadable = {name_of(each): each.why for each in listed.unreadable}
        for each in listed.unreadable:
            self._warn_unreadable(each)
        for difference in differences:
            self._tell(difference)
        self._synced.set()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        started, seconds = loop.time(), int(WATCH * (1 - 0.5 * self._random.random()))
        stream = self._client.watch(
            self.kind, self._known.version, self.namespace, self.labels, seconds=seconds, fields=self._fields
        )
        heard = False
        async with aclosing(stream):
            async for event in stream:
                if event.change is Change.OPENED:
                    # Fresh again, and no success yet: a server that takes watches only to cut them is asked less often.
                    self._interrupted = False
                    continue
                heard, self._failures = True, 0
                self._take(event)
        self._list_next = self._is_list_old()
        # A server that ends every watch at once would otherwise be asked thousands of times a second.
        if heard or loop.time() - started > 1:
            self._failures = 0
        else:
            await self._pause_if_repeated()

    def _is_list_old(self) -> bool:
        return asyncio.get_running_loop().time() - self._listed_at > self._relist

    def _take(self, event: WatchEvent[T]) -> None:
        obj, version = event.object, event.version
        if obj is None:
            self._known.advance(version)
        elif isinstance(obj, Unreadable):
            self._take_unreadable(obj, event.change, version)
        elif event.change is Change.DELETED:
            self.unreadable.pop(name_of(obj), None)
            self._tell(self._known.deleted(obj, version))
        else:
            self.unreadable.pop(name_of(obj), None)
            self._tell(self._known.changed(obj, version))

    def _take_unreadable(self, obj: Unreadable, change: Change, version: str) -> None:
        if not self._known.advance(version):
            return
        known = self._known.get(name_of(obj))
        if change is Change.DELETED:
            self.unreadable.pop(name_of(obj), None)
            if known is not None:
                self._tell(self._known.drop(known))
            return
        self.unreadable[name_of(obj)] = obj.why
        self._warn_unreadable(obj)
        if known is not None:
            self._tell(Difference(known, known))

    def _not_lost(self, items: tuple[T, ...], unreadable: tuple[Unreadable, ...]) -> list[T]:
        """The list with what was known of objects that cannot be read now: they are there, so they are not gone."""
        known = (self._known.get(name_of(each)) for each in unreadable)
        return [*items, *(obj for obj in known if obj is not None)]

    def _warn_unreadable(self, obj: Unreadable) -> None:
        _log.warning("an object does not fit its type", what=f"{self.kind} {name_of(obj)}", because=obj.why)

    def _tell(self, difference: Difference[T] | None) -> None:
        if difference is None:
            return
        for subscriber in tuple(self._subscribers):
            subscriber(difference.old, difference.new)

    async def _pause_if_repeated(self) -> None:
        """The first time costs nothing (a 410 after a quiet night is normal), the next ones more and more."""
        self._failures += 1
        if self._failures > 1:
            await asyncio.sleep(self._back_off.delay(self._failures - 1, self._random))

    async def _pause(self, error: Exception) -> None:
        wait = self._back_off.delay(self._failures, self._random)
        if isinstance(error, errors.TooBusy) and error.retry_after is not None:
            wait = max(wait, min(error.retry_after, self._back_off.longest))
        if isinstance(error, errors.NotFound | errors.Forbidden):
            wait = self._back_off.longest if self._failures > 3 else wait
        _log.info("watch interrupted", what=self._what, because=str(error), after=round(wait, 2))
        await asyncio.sleep(wait)

    @property
    def _what(self) -> str:
        return f"{self.kind.plural} in {self.namespace}" if self.namespace else self.kind.plural
