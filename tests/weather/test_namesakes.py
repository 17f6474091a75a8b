"""A cluster that is deleted and made anew at once, under its name, while garbage is still collected."""

import re

import pytest
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.operated import Operated, operated, until
from tests.weather.states import State, differences, state_of
from tests.weather.steps import CLUSTER, PLAIN, manifest

from klamm.kube.kinds import Name

WHOLE_WITHIN = 180.0
_COUNTS_ON = re.compile(r"\bca-(cert|key)-generation is '1' and not '0'$")
"""Leaves of the cluster before, which garbage collection has not come to yet, tell of an authority that is lost: the
new one counts on from theirs, so that nobody takes a pod of the old one for one that trusts it."""


@pytest.mark.parametrize("number", range(3))
async def test_a_cluster_that_is_made_anew_at_once_is_whole(plane: ControlPlane, number: int) -> None:
    name = Name(f"namesakes-{number}", CLUSTER)
    async with operated(plane) as place:
        operator = place.start_operator()
        await place.make_namespace(name.namespace)
        await place.apply(name.namespace, manifest(PLAIN))
        await place.ready(name)
        first = await whole(place, name)
        await place.delete(name)
        await place.apply(name.namespace, manifest(PLAIN))

        async def why_not() -> str | None:
            found = list(differences(first.objects, (await state_of(place.client, name.namespace)).objects))
            return "; ".join(one for one in found if not _COUNTS_ON.search(one)) or None

        await until("the new cluster to be as the old one was", why_not, WHOLE_WITHIN, every=0.5)
        await place.delete(name)
        await operator.stop()


async def whole(place: Operated, name: Name) -> State:
    """Once the status tells the cluster's id nothing more is to come."""

    async def why_not() -> str | None:
        resource = await place.resource(name)
        return None if resource and resource["status"].get("clusterId") else "it has no id yet"

    await until("the cluster's id", why_not, WHOLE_WITHIN)
    return await state_of(place.client, name.namespace)
