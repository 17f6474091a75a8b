"""A sample of all faults, in CI: whatever happens to one call, the cluster ends where it would have ended without it.

`make weather` lets all of them happen. KLAMM_WEATHER_FAULTS says how many, KLAMM_WEATHER_SEED which.
"""

import os

from tests.kubernetes.control_plane import ControlPlane
from tests.weather.__main__ import Choice, summary, weathered
from tests.weather.voyage import Outcome

FAULTS = int(os.environ.get("KLAMM_WEATHER_FAULTS", "80"))  # noqa: TID251 (a test's own)
SEED = int(os.environ.get("KLAMM_WEATHER_SEED", "1"))  # noqa: TID251


async def test_every_fault_of_a_sample_ends_in_the_same_state(plane: ControlPlane) -> None:
    heard: list[Outcome] = []
    outcomes = await weathered(plane, Choice(FAULTS, SEED), heard.append)
    print(summary(outcomes))
    met = [one for one in outcomes if one.met]
    assert len(met) > FAULTS / 2, "most calls are made again in the same way"
    assert [f"{one.step}: {one.fault}: {one.wrong}" for one in outcomes if one.wrong] == []
    assert [f"{one.step}: {one.fault}: {one.more_restarts}" for one in outcomes if one.more_restarts] == []
