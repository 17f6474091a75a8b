"""Real brokers, a console in this process, a real browser."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.builders.real_brokers import RealBrokers, real_brokers

from klamm.base.clock import SystemClock
from klamm.distribution.provide import provide
from klamm.distribution.store import Store

KAFKA = "4.3.1"


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBrokers]:
    """Two, for all tests of a file: each makes topics and groups of its own."""
    cache = os.environ.get("KLAMM_CACHE")  # noqa: TID251 (the machine's store is shared with `klamm up`)
    store = Store(Path(cache) if cache else Path.home() / ".cache/klamm")
    provided = asyncio.run(provide(store, [KAFKA], java_home=None, clock=SystemClock()))
    with real_brokers(provided, tmp_path_factory.mktemp("brokers"), KAFKA, count=2) as running:
        yield running
