"""Every fault of every call of every step, or a sample: `python -m tests.weather --help`."""

import argparse
import asyncio
import math
import re
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.operated import kubernetes_with_controllers, operated
from tests.weather.faults import Fault, faults_of
from tests.weather.steps import STEPS, STORMY, Step
from tests.weather.voyage import Calm, Outcome, Voyage

from klamm.base import logs

LANES = 4
"""Clusters that go through it side by side: most of a step is waiting."""
_TOLD_EVERY = 100


@dataclass(frozen=True)
class Choice:
    """Which of all faults: so many of them (None: all), of those that are told in words which `only` matches.

    `every`: each harm that a call can meet, and not one in turn.
    """

    count: int | None = None
    seed: int = 1
    only: str = ""
    every: bool = False

    def of(self, calm: Calm) -> dict[Step, list[Fault]]:
        everything = [(step, fault) for step in STORMY for fault in faults_of(calm.calls[step.name], every=self.every)]
        fitting = [(step, fault) for step, fault in everything if re.search(self.only, f"{step}: {fault}")]
        Random(self.seed).shuffle(fitting)
        chosen: dict[Step, list[Fault]] = {step: [] for step in STEPS}
        for step, fault in fitting[: self.count]:
            chosen[step].append(fault)
        return chosen


async def weathered(
    plane: ControlPlane,
    choice: Choice,
    told: Callable[[Outcome], None],
    lanes: int = LANES,
    minutes: float = math.inf,
) -> list[Outcome]:
    """Every chosen fault, or as many as there is time for; `told` hears of each at once."""
    outcomes: list[Outcome] = []
    loop = asyncio.get_running_loop()
    async with operated(plane) as place:
        async with Voyage.of(place, Random(choice.seed)) as voyage:
            await voyage.record()
        left = choice.of(voyage.calm)
        end = loop.time() + minutes * 60
        print(f"{sum(map(len, left.values()))} faults of {len(STORMY)} steps", flush=True)

        async def sail(lane: int) -> None:
            async with Voyage.of(place, Random(choice.seed + lane), lane, voyage.calm) as own:
                async for outcome in own.sail(left):
                    outcomes.append(outcome)
                    told(outcome)
                    if loop.time() > end:
                        return

        async with asyncio.TaskGroup() as group:
            for lane in range(1, lanes + 1):
                group.create_task(sail(lane))
    return outcomes


async def until_told_to_end(work: Awaitable[object]) -> None:
    """By SIGTERM: what has ended by then is summed up. (An exit inside of a task would be its own affair.)"""
    working = asyncio.current_task()
    assert working is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    await work


def tell(outcome: Outcome) -> None:
    print(f"{outcome.step}: {outcome.fault} ({'met' if outcome.met else 'not met'}, {outcome.seconds:.1f} s)")
    for line in outcome.wrong[:12]:
        print(f"    {line[:300]}")
    for pod in outcome.more_restarts:
        print(f"    {pod} was restarted more often than need be")
    sys.stdout.flush()


def summary(outcomes: list[Outcome]) -> str:
    faulty = [one for one in outcomes if one.fault is not None]
    met = [one for one in faulty if one.met]
    kinds = Counter(str(one.fault.harm) for one in met if one.fault)
    slow = sorted(met, key=lambda one: -one.seconds)[:5]
    return "\n".join(
        [
            f"{len(met)} faults met their call, {len(faulty) - len(met)} did not (the call was not made again)",
            *(f"  {count:5} {kind}" for kind, count in sorted(kinds.items())),
            f"{sum(bool(one.wrong) for one in outcomes)} ended in another state",
            f"{sum(bool(one.more_restarts) for one in outcomes)} restarted a pod more often",
            "slowest: " + "; ".join(f"{one.seconds:.1f} s {one.step}: {one.fault}" for one in slow),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, help="how many, chosen at random; all when not given")
    parser.add_argument("--seed", type=int, default=1, help="of the choice")
    parser.add_argument("--only", default="", help="faults that are told so, e.g. 'delete: event kafkas|older list'")
    parser.add_argument("--log", type=argparse.FileType("w"), help="what the operators write")
    parser.add_argument("--verbose", action="store_true", help="tell every fault")
    parser.add_argument("--every", action="store_true", help="each harm for each call, and not some in turn")
    parser.add_argument("--lanes", type=int, default=LANES, help="clusters at a time")
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which no more faults are begun")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))  # and to take its servers along
    if given.log:
        logs.set_up(stream=given.log)
    with tempfile.TemporaryDirectory() as folder, kubernetes_with_controllers(Path(folder)) as plane:
        choice = Choice(given.faults, given.seed, given.only, given.every)
        outcomes: list[Outcome] = []

        def told(outcome: Outcome) -> None:
            outcomes.append(outcome)
            if outcome.wrong or outcome.more_restarts or given.verbose:
                tell(outcome)
            if len(outcomes) % _TOLD_EVERY == 0:
                print(f"{len(outcomes)} faults are behind us", flush=True)

        with suppress(asyncio.CancelledError):
            asyncio.run(until_told_to_end(weathered(plane, choice, told, given.lanes, given.minutes)))
    print(summary(outcomes))
    return 1 if any(one.wrong or one.more_restarts for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
