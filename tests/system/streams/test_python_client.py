"""kubectl is not alone: Python's own client of Kubernetes talks to a pod of localkube."""

import asyncio

import pytest
from tests.builders.pod_cluster import PYTHON, PodCluster
from tests.conformance.python_client import streams
from tests.conformance.python_client.told import asked

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_python_s_client_runs_commands_and_reaches_ports(cluster: PodCluster) -> None:
    await cluster.run_pod(streams.POD, [PYTHON, "-c", streams.ECHO])
    told = await asyncio.to_thread(asked, cluster.api.kubeconfig, "default", cluster.home, streams.conversation)
    assert told == streams.EXPECTED
    await cluster.remove(streams.POD)
