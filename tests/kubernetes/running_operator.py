"""The real cluster operator in this process: all that `programs.cluster_operator.run` starts, and how it ends."""

import asyncio
from random import Random

from tests.builders.kafka import surroundings

from klamm.base.backoff import BackOff
from klamm.base.together import ended
from klamm.certificates.keys import KeyAlgorithm
from klamm.kube.client import connect
from klamm.kube.connection import Connection
from klamm.kube.sending import Patience
from klamm.programs.cluster_operator import MANAGER, Outside, Pace, run
from klamm.programs.operator_settings import OperatorSettings

HASTE = Pace(
    failed_passes=BackOff(first=0.05, longest=0.5),
    cut_watches=BackOff(first=0.02, longest=0.3),
    relist=1.0,
    stopping=2.0,
)
"""What fails is tried again at once: a test that breaks hundreds of things has no minutes for each."""

QUICK_RETRIES = Patience(back_off=BackOff(first=0.02, factor=3.0, longest=0.2))


def operator_settings(resync: float = 3.0) -> OperatorSettings:
    return OperatorSettings(
        surroundings=surroundings(operator_namespace="strimzi"),
        resync=resync,
        port=0,
        key_algorithm=KeyAlgorithm.EC_P256,
        instance="operator-in-a-test",
    )


class RunningOperator:
    """One life of the operator: its own client, caches and memory."""

    def __init__(
        self,
        connection: Connection,
        outside: Outside,
        random: Random,
        settings: OperatorSettings | None = None,
        pace: Pace = HASTE,
        patience: Patience = QUICK_RETRIES,
    ) -> None:
        self._connection = connection
        self._outside = outside
        self._random = random
        self._settings = settings or operator_settings()
        self._pace = pace
        self._patience = patience
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._live(), name="cluster operator")

    async def _live(self) -> None:
        async with connect(self._connection, MANAGER, self._random, self._patience) as client:
            await run(self._settings, client, self._random, self._stop, self._outside, self._pace)

    def raise_if_ended(self) -> None:
        """It ends only when it is told to: anything else is a failure of the test."""
        if self._task.done():
            self._task.result()
            raise AssertionError("the operator ended by itself")

    async def stop(self) -> None:
        """As by SIGTERM: passes finish, and the farewell is said."""
        self._stop.set()
        await self._task

    async def end(self) -> None:
        """At once, whatever it does. To pretend a kill, cut its connections before: nothing may leave it any more."""
        await ended(self._task)
