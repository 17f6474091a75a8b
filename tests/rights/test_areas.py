"""Several namespaces, a part of a namespace, an installation without cluster-wide rights."""

from dataclasses import replace
from typing import Any

from tests.builders.kafka import surroundings
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.operated import Operated, operated
from tests.kubernetes.running_operator import operator_settings
from tests.rights.accounts import install
from tests.rights.scenarios import EPHEMERAL, Scene

from klamm.kube.catalogue import KAFKA_NAMES
from klamm.kube.native import NETWORK_POLICIES, POD_DISRUPTION_BUDGETS, PODS


async def test_a_namespace_in_which_it_may_not_look_keeps_no_other_from_being_looked_after(
    audited: ControlPlane,
) -> None:
    async with operated(audited) as place:
        await place.make_namespace("looking")
        allowed, forbidden = await _scene(place, "allowed"), await _scene(place, "forbidden")
        connection = await install(place, "looking", watched=["allowed"])
        settings = replace(operator_settings(), namespaces=("forbidden", "allowed"))
        operator = place.start_operator(connection=connection, settings=settings)
        await forbidden.put(**EPHEMERAL)
        await allowed.ready(**EPHEMERAL)
        await operator.stop()


async def test_without_rights_on_cluster_wide_objects_clusters_come_and_go(audited: ControlPlane) -> None:
    async with operated(audited) as place:
        scene = await _scene(place, "humble")
        connection = await install(place, "humble", watched=["humble"], cluster_wide=False)
        settings = replace(operator_settings(), namespaces=("humble",))
        operator = place.start_operator(connection=connection, settings=settings)
        await scene.ready(**EPHEMERAL)
        await place.delete(scene.name)
        await scene.until_gone(PODS, scene.pod("kafka-0"))
        await operator.stop()


async def test_a_selector_picks_clusters_and_settings_leave_objects_and_labels_out(audited: ControlPlane) -> None:
    async with operated(audited) as place:
        ours, others = await _scene(place, "ours"), await _scene(place, "others")
        around = surroundings(network_policies=False, disruption_budgets=False, excluded_labels="^team$")
        settings = replace(operator_settings(), selector={"team": "a"}, surroundings=around)
        operator = place.start_operator(settings=settings)
        await others.put(**EPHEMERAL)
        await _label(others, team="b")
        await ours.put(**EPHEMERAL)
        await _label(ours, team="a", stage="test")
        await place.ready(ours.name)
        assert await _status(others) is None
        pods = (await place.client.list(PODS, "ours")).items
        assert {(pod.metadata.labels.get("team"), pod.metadata.labels.get("stage")) for pod in pods} == {(None, "test")}
        assert (await place.client.list(NETWORK_POLICIES, "ours")).items == ()
        assert (await place.client.list(POD_DISRUPTION_BUDGETS, "ours")).items == ()

        await _label(others, team="a")
        await place.ready(others.name)
        await _label(ours, team="b")
        await place.client.delete(PODS, ours.pod("kafka-0"))
        await others.until_made_again("kafka-0")
        assert await place.client.find(PODS, ours.pod("kafka-0")) is None
        await operator.stop()


async def _scene(place: Operated, namespace: str) -> Scene:
    await place.make_namespace(namespace)
    return Scene(place, namespace)


async def _label(scene: Scene, **labels: str) -> None:
    await scene.place.client.patch(KAFKA_NAMES, scene.name, {"metadata": {"labels": labels}})


async def _status(scene: Scene) -> Any:
    resource = await scene.place.resource(scene.name)
    assert resource is not None
    return resource.get("status")
