"""One cluster goes through its steps again and again, each time with one fault, and ends each step where it should.

Where that is was seen before, in calm weather. A step that does not end there is told, and the voyage goes on in a
new namespace.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

import aiohttp
from tests.kubernetes.operated import Operated
from tests.kubernetes.running_operator import RunningOperator, operator_settings
from tests.weather.calls import Call
from tests.weather.faults import Fault, Harm
from tests.weather.states import State, differences, state_of
from tests.weather.steps import ABSENT, CLUSTER, GONE, PLAIN, REPLACED, STEPS, VOYAGE, Step, act, reason_not_done
from tests.weather.weather import ATTEMPTS, Line, Weather, to_the_server

from klamm.base import logs
from klamm.base.backoff import BackOff
from klamm.kube.kinds import Name
from klamm.kube.native import NAMESPACES
from klamm.kube.sending import Patience

WITHIN = 120.0
"""Seconds in which a step must end, whatever happens; on a quiet machine and in calm weather it takes one or two.
On one with ten times the work that it can do, some took a minute."""

AWAY = 1.5
"""Seconds until an operator is back that was killed for long: everything else that was under way is over then."""

_log = logs.room("weather")

_PATIENCE = Patience(attempts=ATTEMPTS, back_off=BackOff(first=0.02, longest=0.05))
_QUIET = 0.15
_QUIET_WHEN_CALM = 1.0
_LOOK_AGAIN = 0.25
"""Seconds. A look lists sixteen kinds, and the API server is what everybody waits for."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended that a fault was to meet."""

    step: Step
    fault: Fault | None
    met: bool
    wrong: tuple[str, ...]
    seconds: float
    more_restarts: tuple[str, ...] = ()


@dataclass
class Calm:
    """What steps are in good weather: their calls, where they end, which pods they restart."""

    calls: dict[str, list[Call]] = field(default_factory=dict)
    ends: dict[str, State] = field(default_factory=dict)
    restarts: dict[str, Counter[str]] = field(default_factory=dict)


class Voyage:
    """`lane` tells voyages apart that go on side by side; `calm` is what one of them has recorded."""

    def __init__(
        self, place: Operated, upstream: aiohttp.ClientSession, random: Random, lane: int = 0, calm: Calm | None = None
    ) -> None:
        self.calm = calm or Calm()
        self._lane = lane
        self._place = place
        self._upstream = upstream
        self._random = random
        self._weather = Weather()
        self._numbers = itertools.count(1)
        self._life = AsyncExitStack()
        self._operator: RunningOperator | None = None
        self._state = ABSENT
        self._seen = State({}, {})
        self._away = 0.0

    async def begin(self) -> None:
        """In a new namespace, with a new operator."""
        await self._abandon()
        namespace = f"weather-{self._lane}-{next(self._numbers)}"
        await self._place.make_namespace(namespace)
        self._weather.namespace, self._state, self._seen = namespace, ABSENT, State({}, {})
        self._weather.forget_lists()
        await self._live()

    async def record(self) -> None:
        """Walk every step twice in calm weather: once to learn where it ends, once to learn whether it always does."""
        for step in (*VOYAGE, *VOYAGE):
            outcome = await self._walk(step, None)
            if outcome.wrong:
                raise AssertionError(f"{step} in calm weather:\n" + "\n".join(outcome.wrong))
            if step.end == GONE:
                await self.begin()

    async def sail(self, left: Mapping[Step, list[Fault]]) -> AsyncIterator[Outcome]:
        """Each fault once, until none is left; other voyages may take from the same ones."""
        while any(left.values()):
            step = self._next_step(left)
            fault = left[step].pop() if left.get(step) else None
            outcome = await self._walk(step, fault)
            yield outcome
            if outcome.wrong or step.end == GONE:
                await self.begin()

    def _next_step(self, left: Mapping[Step, Sequence[Fault]]) -> Step:
        """One that has faults left (at random, so that each comes after each), or that leads to where one begins."""
        here = [step for step in STEPS if step.begin == self._state]
        waiting = {step.begin for step, those in left.items() if those}
        ways = (
            [step for step in here if left.get(step)],
            [step for step in here if step.end in waiting],
            [step for step in here if step.end in (PLAIN, ABSENT)],
        )
        return self._random.choice(next(way for way in ways if way))

    async def _walk(self, step: Step, fault: Fault | None) -> Outcome:
        loop = asyncio.get_running_loop()
        started, before = loop.time(), self._seen
        _log.info(f"step: {step}", fault=fault)
        self._weather.begin(fault)
        self._away = AWAY if fault is not None and fault.harm is Harm.KILLED_FOR_LONG else 0.0
        await act(step, self._place, self._weather.namespace, self._restart)
        wrong = await self._arrive(step)
        calls, restarted, met = self._weather.calls(), self._restarted(), self._weather.met > 0
        self._weather.begin(None)
        self._state = step.end
        if fault is None:
            self.calm.calls.setdefault(step.name, calls)
            self.calm.restarts.setdefault(step.name, restarted)
        wrong += self._harmed(step, before)
        more = sorted(restarted - self.calm.restarts[step.name])
        _log.info(f"step ended: {step}", met=met, wrong=wrong)
        return Outcome(step, fault, met, tuple(wrong), loop.time() - started, tuple(more))

    async def _arrive(self, step: Step) -> list[str]:
        """What is not as it should be, when it does not become so in time."""
        loop, where = asyncio.get_running_loop(), step.end
        end, wanted = loop.time() + WITHIN, self.calm.ends.get(where)
        quiet, wrong = _QUIET if wanted else _QUIET_WHEN_CALM, ["the operator still works"]
        while loop.time() < end:
            await self._revive()
            if not self._is_quiet(quiet):
                await asyncio.sleep(0.05)
                continue
            wrong = await self._reason_not_there(step, wanted)
            if not wrong and self._is_quiet(quiet):
                if wanted is None:
                    self.calm.ends[where] = self._seen
                return []
            await asyncio.sleep(_LOOK_AGAIN if wrong else 0)
        return wrong or ["the operator does not come to rest"]

    async def _reason_not_there(self, step: Step, wanted: State | None) -> list[str]:
        name = Name(self._weather.namespace, CLUSTER)
        if step.end not in (ABSENT, GONE) and (why := await self._place.reason_not_ready(name)):
            return [why]
        self._seen = await state_of(self._place.client, name.namespace)
        if step.end == GONE:
            return await self._left_over(name.namespace)
        if step.end == ABSENT and any(not one.startswith("KafkaTopic/") for one in self._seen.objects):
            return [f"{one} is left over" for one in self._seen.objects if not one.startswith("KafkaTopic/")]
        if wanted is None:
            return [why] if (why := reason_not_done(step, self._seen.objects)) else []
        return list(differences(wanted.objects, self._seen.objects))

    async def _left_over(self, namespace: str) -> list[str]:
        """When the namespace has been deleted."""
        stays = await self._place.client.find(NAMESPACES, Name("", namespace))
        return [*([f"namespace {namespace} is still there"] if stays else []), *self._seen.objects]

    def _is_quiet(self, seconds: float) -> bool:
        weather = self._weather
        return not weather.in_flight and asyncio.get_running_loop().time() - weather.last_heard > seconds

    def _restarted(self) -> Counter[str]:
        """How many pods of each name were deleted; the same one asked to go twice goes once."""
        gone = {
            (done.call.name, done.body.get("preconditions", {}).get("uid"))
            for done in self._weather.written
            if (done.call.verb, done.call.kind) == ("delete", "pods") and done.status == 200
        }
        return Counter(name for name, _ in gone)

    def _harmed(self, step: Step, before: State) -> list[str]:
        """What must outlive every step, and did not; a new key is right only where it was asked for."""
        harmed = [*_lost(before, self._seen), *self._made_twice()]
        return [] if step.end == REPLACED else harmed

    def _made_twice(self) -> list[str]:
        """Authorities whose key was written and then overwritten by another."""
        keys: dict[str, set[str]] = {}
        for done in self._weather.written:
            if done.call.kind == "secrets" and done.call.name.endswith("-ca") and done.status < 300:
                keys.setdefault(done.call.name, set()).add(str(done.body.get("data")))
        return [f"the key of {name} was made {len(made)} times" for name, made in keys.items() if len(made) > 1]

    # The operator

    async def _live(self) -> None:
        line = await self._life.enter_async_context(Line(self._weather, self._upstream).open())
        self._operator = self._place.start_operator(
            connection=line.connection,
            random=Random(self._random.random()),
            patience=_PATIENCE,
            settings=replace(operator_settings(), namespaces=(self._weather.namespace,)),
        )

    async def _revive(self) -> None:
        """A killed operator is started anew (at once, or after `_away`), and knows nothing."""
        assert self._operator is not None
        if not self._weather.killed.is_set():
            self._operator.raise_if_ended()
            return
        await self._operator.end()
        await asyncio.sleep(self._away)
        self._weather.killed.clear()
        await self._life.aclose()
        await self._live()

    async def _restart(self) -> None:
        assert self._operator is not None
        await self._operator.stop()
        await self._life.aclose()
        await self._live()

    async def _abandon(self) -> None:
        if self._operator is not None:
            await self._operator.end()
        await self._life.aclose()

    @classmethod
    @asynccontextmanager
    async def of(
        cls, place: Operated, random: Random, lane: int = 0, calm: Calm | None = None
    ) -> AsyncIterator["Voyage"]:
        async with to_the_server(place.plane) as upstream:
            voyage = cls(place, upstream, random, lane, calm)
            await voyage.begin()
            try:
                yield voyage
            finally:
                await voyage._abandon()


def _lost(before: State, after: State) -> list[str]:
    """Claims and keys that are there before and after, and are not the same ones."""
    both = before.lasting.keys() & after.lasting.keys()
    return [
        f"{name} is not the one that it was" for name in sorted(both) if before.lasting[name] != after.lasting[name]
    ]
