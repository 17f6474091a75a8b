"""The harness itself: the real cluster operator brings a cluster up and takes it away, on a real kube-apiserver."""

from typing import Any

from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.operated import example, operated, until

from klamm.kube.kinds import Kind, Name
from klamm.kube.native import PODS, SECRETS

NAME = Name("kafka", "my-cluster")
GONE_WITHIN = 60.0
OWNED: tuple[Kind[Any], ...] = (PODS, SECRETS)


async def test_a_cluster_becomes_ready_and_goes_with_everything_that_it_owns(plane: ControlPlane) -> None:
    async with operated(plane) as place:
        operator = place.start_operator()
        await place.make_namespace(NAME.namespace)
        await place.apply(NAME.namespace, example("kafka-1"))
        await place.ready(NAME)
        resource = await place.resource(NAME)
        assert resource is not None
        assert resource["status"]["clusterId"] == "fake-cluster-id"
        assert [one["name"] for one in resource["status"]["listeners"]] == ["plain", "tls", "external"]

        await place.delete(NAME)

        async def why_not() -> str | None:
            left = [
                one.metadata.name for kind in OWNED for one in (await place.client.list(kind, NAME.namespace)).items
            ]
            return f"there are {left}" if left else None

        await until("everything to be gone", why_not, GONE_WITHIN)
        operator.raise_if_ended()
        await operator.stop()
