"""The real Kafka 3.6.0 in the machine's store, fetched when it is not there yet."""

import asyncio
import os
from pathlib import Path

import pytest

from klamm.base.clock import SystemClock
from klamm.distribution.archives import prepare_archive
from klamm.distribution.progress import silent
from klamm.distribution.provide import Provided, provide
from klamm.distribution.store import Store


@pytest.fixture(scope="session")
def store() -> Store:
    cache = os.environ.get("KLAMM_CACHE")  # noqa: TID251 (the machine's store is shared with `klamm up`)
    return Store(Path(cache) if cache else Path.home() / ".cache/klamm")


@pytest.fixture(scope="session")
def provided(store: Store) -> Provided:
    """With its class archive."""

    async def prepare() -> Provided:
        clock = SystemClock()
        found = await provide(store, ["3.6.0"], java_home=None, clock=clock)
        await prepare_archive(store, found.homes["3.6.0"], found.java, clock, silent)
        return found

    return asyncio.run(prepare())
