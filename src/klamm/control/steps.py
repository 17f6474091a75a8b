"""A pass as named steps, and which of them need which.

The list of steps is the reconciler's table of contents:

    outcome = await take(
        [
            Step("authorities", self.authorities),
            Step("storage", self.storage),
            Step("certificates", self.certificates, after=("authorities",)),
            Step("pods", self.pods, after=("certificates", "storage")),
            Step("status", self.status, after=("pods",), regardless=True),
        ],
        pass_,
    )
    return outcome.result

Steps that do not need each other run at the same time, and none waits for another's failure: certificates are renewed
however broken the storage is. A step that fails, or is not done yet (`Again`, `Blocked`), keeps only those from
running that come after it; a `regardless` step waits for the ones before it but not for their success.
Every step has a deadline. At the deadline it is cancelled where it stands, so that a hanging call cannot hold the
object for ever; reconcilers are level-triggered, so the next pass finds what is half done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from klamm.base.deadlines import within
from klamm.control.passes import Pass, Superseded
from klamm.control.results import DONE, Again, Blocked, Done, Result, combined
from klamm.control.sorting import log_bug, said, sort

DEADLINE = 300.0
"""Seconds. Strimzi's STRIMZI_OPERATION_TIMEOUT_MS, which bounds each of its operations, has this default too."""


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    run: Callable[[], Awaitable[Result | None]]
    """None counts as `Done`."""
    after: tuple[str, ...] = ()
    deadline: float = DEADLINE
    regardless: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """How one step ended. With `error` it failed; with `left_out` it never began."""

    name: str
    result: Result
    seconds: float = 0.0
    error: Exception | None = None
    left_out: str = ""

    @property
    def is_done(self) -> bool:
        return isinstance(self.result, Done)

    @property
    def reason(self) -> str:
        """Why it is not done, in a word: what it failed with, or what its result says."""
        return type(self.error).__name__ if self.error else getattr(self.result, "reason", "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """All steps in their order in the list."""

    steps: tuple[Taken, ...]

    @property
    def result(self) -> Result:
        """The worst of them (`results.combined`); each reason begins with its step's name.

        Steps that were left out have no say: what they waited for has.
        """
        return combined(_named(step) for step in self.steps if not step.left_out)

    @property
    def failed(self) -> tuple[Taken, ...]:
        return tuple(step for step in self.steps if step.error is not None)

    @property
    def durations(self) -> Mapping[str, float]:
        """Seconds by name, of the steps that ran."""
        return {step.name: step.seconds for step in self.steps if not step.left_out}

    def of(self, name: str) -> Taken:
        return next(step for step in self.steps if step.name == name)


class BadSteps(ValueError):
    """The list of steps makes no sense: a bug in the reconciler."""


async def take(steps: Sequence[Step], pass_: Pass) -> Outcome:
    """Run the steps. Raises `Superseded` once those that run have ended, when the pass has lost its point."""
    _check(steps)
    tasks: dict[str, asyncio.Task[Taken]] = {}
    async with asyncio.TaskGroup() as group:
        for step in in_order(steps):
            before = [tasks[name] for name in step.after]
            tasks[step.name] = group.create_task(_take_one(step, before, pass_), name=f"{pass_.name}: {step.name}")
    outcome = Outcome(tuple(tasks[step.name].result() for step in steps))
    if any(isinstance(step.error, Superseded) for step in outcome.steps):
        raise Superseded(pass_.superseded or "the pass has lost its point")
    return outcome


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Each after those that it needs, otherwise as listed."""
    by_name = {step.name: step for step in steps}
    return [by_name[name] for name in TopologicalSorter({step.name: step.after for step in steps}).static_order()]


async def _take_one(step: Step, before: Sequence[asyncio.Task[Taken]], pass_: Pass) -> Taken:
    ended = [await task for task in before]
    missing = [other.name for other in ended if not other.is_done]
    if missing and not step.regardless:
        because = f"{' and '.join(missing)} must be done before"
        return Taken(step.name, Blocked(because), left_out=because)
    if pass_.superseded is not None:
        return Taken(step.name, Blocked(pass_.superseded), error=Superseded(pass_.superseded), left_out="superseded")
    return await _timed(step, pass_)


async def _timed(step: Step, pass_: Pass) -> Taken:
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        result = await within(step.deadline, f"step {step.name!r}", step.run())
        return Taken(step.name, result or DONE, loop.time() - started)
    except Superseded as error:
        return Taken(step.name, Again(0.0, error.because), loop.time() - started, error)
    except Exception as error:
        fault = sort(error)
        pass_.failed = pass_.failed or not isinstance(fault.result, Blocked)
        if fault.is_bug:
            log_bug(error, object=pass_.name, step=step.name)
        return Taken(step.name, fault.result, loop.time() - started, error)


def _named(step: Taken) -> Result:
    match step.result:
        case Again(after, because):
            return Again(after, f"{step.name}: {because}")
        case Blocked(because):
            return Blocked(f"{step.name}: {because}")
    return step.result


def _check(steps: Sequence[Step]) -> None:
    names = [step.name for step in steps]
    if len(set(names)) < len(names):
        raise BadSteps(f"two steps have the same name: {', '.join(names)}")
    for step in steps:
        if unknown := set(step.after) - set(names):
            raise BadSteps(f"step {step.name!r} comes after {', '.join(sorted(unknown))}, which is no step")
    try:
        TopologicalSorter({step.name: step.after for step in steps}).prepare()
    except CycleError as error:
        raise BadSteps(f"steps wait for each other: {' → '.join(error.args[1])}") from error


__all__ = ["BadSteps", "Outcome", "Step", "Taken", "in_order", "said", "take"]
