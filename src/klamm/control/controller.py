"""The loop: watch → queue → reconcile(name) → result.

- A request is only a name; the reconciler reads the world anew each time. There is one path for create, change, delete.
- One object has at most one pass at a time; different objects run in parallel, up to `at_once`.
- A newer generation (or the deletion) of the resource ends the waits of a running pass (`passes.Superseded`), and the
  next pass follows at once.
- What fails comes back with back-off and jitter; a success forgets the failures.
- Everything is looked at again every `resync` seconds, however quiet the watch is: events get lost, and the world has
  parts (Kafka, certificates' ends) that no watch tells of.
- One sentence is logged for each pass.

    controller = Controller("Kafka", reconcile, clock, random)
    controller.follow(kafkas)                                          # the kind itself
    controller.follow_others(pods, owner_of=cluster_of)                # what belongs to it
    await controller.run()
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from klamm.base import logs
from klamm.base.backoff import BackOff
from klamm.base.clock import Clock
from klamm.base.deadlines import DeadlineExceeded, within
from klamm.base.metrics import Metrics
from klamm.base.together import ended
from klamm.control.measures import PassMeasures
from klamm.control.passes import Pass, Superseded
from klamm.control.queue import Queue
from klamm.control.results import Again, Blocked, Done, Result
from klamm.control.sorting import log_bug, said, sort
from klamm.kube.kinds import Name, Object, T, name_of
from klamm.kube.watching import Watched

Reconcile = Callable[[Name, Pass], Awaitable[Result]]

SETTLE = 0.05
"""Seconds that news of others' objects are collected: a pod that starts changes several times in a row."""

FAILED_PASSES = BackOff(first=1.0, longest=120.0, jitter=0.3)


@dataclass(frozen=True, slots=True)
class Settings:
    at_once: int = 10
    """Passes that may run at a time."""
    resync: float = 120.0
    """Seconds; STRIMZI_FULL_RECONCILIATION_INTERVAL_MS has this default."""
    stopping: float = 10.0
    """Seconds that running passes get to end by themselves before they are cancelled."""
    back_off: BackOff = field(default_factory=lambda: FAILED_PASSES)


class Controller:
    """`name` is the kind, for the log: "Kafka"."""

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        clock: Clock,
        random: Random,
        settings: Settings | None = None,
        measures: PassMeasures | None = None,
    ) -> None:
        self.name = name
        self._reconcile = reconcile
        self._clock = clock
        self._random = random
        self._settings = settings or Settings()
        self._measures = measures or PassMeasures(Metrics(clock.monotonic), name)
        self._queue = Queue()
        self._passes: dict[Name, Pass] = {}
        self._failures: dict[Name, int] = {}
        self._known: Callable[[], Iterable[Name]] = tuple
        self._sources: list[Watched[Any]] = []
        self._departed: Callable[[], Awaitable[Iterable[Name]]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet: set[Name] = set()
        self._stopping = False
        self._numbers = 0
        self._log = logs.room("control").about(kind=name)

    def follow(self, watched: Watched[T], concerns: Callable[[T], bool] = lambda _: True) -> None:
        """The kind that is reconciled: its changes start passes, and its objects are resynced.

        Changes of the status alone do not: they are mostly our own. `concerns` leaves objects out (a selector).
        """

        def note(old: T | None, new: T | None) -> None:
            self._note_own(old if old and concerns(old) else None, new if new and concerns(new) else None)

        self._sources.append(watched)
        before = self._known
        self._known = lambda: [*before(), *(name_of(obj) for obj in watched.all() if concerns(obj))]
        watched.subscribe(note)

    def follow_others(
        self,
        watched: Watched[T],
        owner_of: Callable[[T], Name | None],
        settle: float = SETTLE,
        says: Callable[[T], object] | None = None,
    ) -> None:
        """Objects that belong to one of ours: each change starts (or nudges) the owner's pass.

        With `says` only a change of what it returns does: a pod that starts changes ten times, and few of them matter.
        """

        def note(old: T | None, new: T | None) -> None:
            if says is not None and old is not None and new is not None and says(old) == says(new):
                return
            for name in {owner for obj in (old, new) if obj is not None and (owner := owner_of(obj)) is not None}:
                self.trigger(name, settle)

        self._sources.append(watched)
        watched.subscribe(note)

    def take_up(self, departed: Callable[[], Awaitable[Iterable[Name]]]) -> None:
        """Names whose object went while nobody looked, or whose last pass was cut: no watch and no list tells of them.

        Asked for once, at the start.
        """
        self._departed = departed

    def trigger(self, name: Name, after: float = 0.0) -> None:
        """Ask for a pass. A pass that runs asks its conditions again now."""
        if running := self._passes.get(name):
            running.nudge()
            self._measures.overlapped(name)
        self._quiet.discard(name)
        if not self._queue.trigger(name, after) and running is None:
            self._measures.in_line_already(name)

    def supersede(self, name: Name, because: str) -> None:
        """End the waits of a running pass, and run anew."""
        if running := self._passes.get(name):
            running.supersede(because)
        self._failures.pop(name, None)
        self._quiet.discard(name)
        self._queue.trigger(name)

    async def run(self) -> None:
        """Work until cancelled; then let running passes end, for a while.

        No pass begins before every cache that is followed has its first list: an empty cache looks like a world in
        which everything is gone.
        """
        for watched in self._sources:
            await self._synced(watched)
        beside = [asyncio.ensure_future(self._resync()), asyncio.ensure_future(self._take_up_departed())]
        try:
            await self._dispatch()
        finally:
            for task in beside:
                task.cancel()
            await self._stop()

    async def _take_up_departed(self) -> None:
        failures = 0
        while self._departed is not None:
            try:
                for name in await self._departed():
                    self.trigger(name)
                return
            except Exception as error:
                if sort(error).is_bug:
                    log_bug(error, kind=self.name)
                failures += 1
                self._log.info("what is gone was not looked for", because=said(error))
                await asyncio.sleep(self._settings.back_off.delay(failures, self._random))

    async def _synced(self, watched: Watched[Any]) -> None:
        while True:
            try:
                return await within(30.0, f"the list of {watched.kind.plural}", watched.synced())
            except DeadlineExceeded as error:
                self._log.warning(f"no pass begins yet: {error}")

    async def _dispatch(self) -> None:
        slots = asyncio.Semaphore(self._settings.at_once)
        while True:
            await slots.acquire()
            name = await self._queue.take()
            task = asyncio.create_task(self._one_pass(name), name=f"{self.name} {name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: slots.release())

    async def _one_pass(self, name: Name) -> None:
        self._numbers += 1
        self._passes[name] = pass_ = Pass(name, self._numbers)
        self._measures.begun(name.namespace)
        started = self._clock.monotonic()
        try:
            outcome, result = await self._reconciled(pass_)
        finally:
            del self._passes[name]
            triggered = self._queue.finish(name)
        seconds = self._clock.monotonic() - started
        self._tell(pass_, outcome, result, seconds)
        self._plan_next(name, result, triggered)

    async def _reconciled(self, pass_: Pass) -> tuple[str, Result]:
        try:
            result = await self._reconcile(pass_.name, pass_)
            return "failed" if pass_.failed else type(result).__name__.lower(), result
        except Superseded as error:
            return "superseded", Again(0.0, error.because)  # at once: the newer pass
        except Exception as error:
            fault = sort(error)
            if fault.is_bug:
                log_bug(error, object=pass_.name, kind=self.name)
            return "blocked" if isinstance(fault.result, Blocked) else "failed", fault.result

    def _plan_next(self, name: Name, result: Result, triggered: bool) -> None:
        if isinstance(result, Done | Blocked) or self._stopping:
            self._failures.pop(name, None)
            return
        seconds = result.seconds
        if seconds is None:
            failures = self._failures[name] = self._failures.get(name, 0) + 1
            seconds = self._settings.back_off.delay(failures, self._random)
        else:
            self._failures.pop(name, None)
        if not triggered:
            self._queue.trigger(name, seconds)

    def _note_own(self, old: Object | None, new: Object | None) -> None:
        either = new or old
        if either is None:
            return
        name = name_of(either)
        if old is None or new is None:
            self.supersede(name, "the resource was deleted" if new is None else "the resource was created")
        elif why := reason_to_look_again(old, new):
            self.supersede(name, why)

    async def _resync(self) -> None:
        """Triggers everything once in `resync` seconds, each object at a moment of its own."""
        interval = self._settings.resync
        while True:
            await asyncio.sleep(interval)
            self._measures.round(self._known())
            for name in self._known():
                if name not in self._passes:
                    self._quiet.add(name)
                self._queue.trigger(name, self._random.random() * interval * 0.2)

    async def _stop(self) -> None:
        """Waits end now, actions when they are done, and what hangs after `stopping` seconds is cancelled."""
        self._stopping = True
        self._queue.close()
        for running in self._passes.values():
            running.supersede("klamm is stopping")
        if self._tasks:
            _, hanging = await asyncio.wait(self._tasks, timeout=self._settings.stopping)
            for task in hanging:
                self._log.warning(f"{task.get_name()} does not end and is cancelled")
            await ended(*hanging)

    def _tell(self, pass_: Pass, outcome: str, result: Result, seconds: float) -> None:
        said = str(result)
        if outcome == "superseded" and isinstance(result, Again):
            said = f"superseded, because {result.because}"
        # A resync that finds everything in order is worth a line to nobody; ten thousand topics would write as many.
        quiet = pass_.name in self._quiet and isinstance(result, Done)
        self._quiet.discard(pass_.name)
        write = self._log.debug if quiet else self._log.info
        write(f"{self.name} {pass_.name}: {said}", pass_number=pass_.number, seconds=round(seconds, 3))
        self._measures.passed(pass_.name, outcome, seconds)


def reason_to_look_again(old: Object, new: Object) -> str | None:
    """Why a change of our own resource wants a new pass; None for a change of status or bookkeeping only."""
    before, after = old.metadata, new.metadata
    if before.uid != after.uid:
        return "the resource was made anew"
    if before.generation != after.generation:
        return f"generation {after.generation} of the resource came"
    if before.deletion_timestamp != after.deletion_timestamp:
        return "the resource is being deleted"
    if before.annotations != after.annotations or before.labels != after.labels:
        return "its labels or annotations changed"
    return None
