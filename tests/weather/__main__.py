"""Every fault of every call of every step, or a sample: `python -m tests.weather --help`."""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.operated import kubernetes_with_controllers, operated
from tests.weather.faults import Fault, faults_of
from tests.weather.steps import STEPS, Step
from tests.weather.voyage import Outcome, Voyage

from klamm.base import logs


@dataclass(frozen=True)
class Choice:
    """Which of all faults: so many of them (None: all), of those whose step and call are told with `only`."""

    count: int | None = None
    seed: int = 1
    only: str = ""

    def of(self, everything: list[tuple[Step, Fault]]) -> dict[Step, list[Fault]]:
        fitting = [(step, fault) for step, fault in everything if self.only in f"{step}: {fault}"]
        Random(self.seed).shuffle(fitting)
        chosen: dict[Step, list[Fault]] = {step: [] for step in STEPS}
        for step, fault in fitting[: self.count]:
            chosen[step].append(fault)
        return chosen


async def weathered(plane: ControlPlane, choice: Choice, verbose: bool = False) -> list[Outcome]:
    random = Random(choice.seed)
    outcomes = []
    async with operated(plane) as place, Voyage.of(place, random) as voyage:
        await voyage.record()
        everything = [(step, fault) for step in STEPS for fault in faults_of(voyage.calm.calls[step.name])]
        print(f"{len(everything)} faults are possible", flush=True)
        for step in STEPS:
            print(f"  {step}: {len(voyage.calm.calls[step.name])} calls and events")
        async for outcome in voyage.sail(choice.of(everything)):
            outcomes.append(outcome)
            if outcome.wrong or outcome.more_restarts or verbose:
                tell(outcome)
    return outcomes


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
    parser.add_argument("--only", default="", help="faults that are told with these words, e.g. 'delete: event kafkas'")
    parser.add_argument("--log", type=argparse.FileType("w"), help="what the operators write")
    parser.add_argument("--verbose", action="store_true", help="tell every fault")
    given = parser.parse_args()
    if given.log:
        logs.set_up(stream=given.log)
    with tempfile.TemporaryDirectory() as folder, kubernetes_with_controllers(Path(folder)) as plane:
        outcomes = asyncio.run(weathered(plane, Choice(given.faults, given.seed, given.only), given.verbose))
    print(summary(outcomes))
    return 1 if any(one.wrong for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
