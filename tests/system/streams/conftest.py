"""One localkube with real pods for each file of tests: each test makes pods of its own names."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.builders.pod_cluster import PodCluster, has_kubectl, real_node

from klamm.localkube.node.client import GuardianError


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cluster() -> AsyncIterator[PodCluster]:
    if not has_kubectl():
        pytest.skip("kubectl is not on this machine")
    try:
        with real_node() as home:
            async with PodCluster(home).life() as running:
                yield running
    except GuardianError as error:
        pytest.skip(f"no node on this host: {error}")
