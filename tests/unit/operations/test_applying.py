"""Objects go into the API when they are new, changed or not looked at for long, and leave when nobody wants them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from tests.builders.api_server import api_registry
from tests.builders.registry_transport import RegistryTransport
from tests.builders.virtual_time import LoopClock, in_virtual_time

from klamm.kube import errors
from klamm.kube.client import Client, over
from klamm.kube.kinds import Name
from klamm.kube.native import CONFIG_MAPS
from klamm.localkube.objects import Refused
from klamm.operations.applying import Applier
from klamm.resources.native.configuration import ConfigMap
from klamm.resources.native.metadata import ObjectMeta, OwnerReference

OWNER = OwnerReference(api_version="v1", kind="ConfigMap", name="owner", uid="owner-uid")
LABELS = {"app": "a"}


def config_map(name: str, *, owned: bool = True, **data: str) -> ConfigMap:
    place = ObjectMeta(name=name, namespace="default", labels=LABELS, owner_references=[OWNER] if owned else [])
    return ConfigMap(metadata=place, data=data)


class Applying:
    def __init__(self) -> None:
        self.transport = RegistryTransport(api_registry())
        self.client: Client = over(self.transport, "klamm-test", Random(1))
        self.applier = Applier(self.client, LoopClock(), refresh=100.0)

    def writes(self) -> list[str]:
        """Verbs since the last question."""
        found = [one.split(" ")[0] for one in self.transport.requests if not one.startswith("GET")]
        self.transport.requests.clear()
        return found


@asynccontextmanager
async def applying() -> AsyncIterator[Applying]:
    yield Applying()


@in_virtual_time
async def test_what_did_not_change_is_not_sent_again_for_a_while() -> None:
    async with applying() as one:
        await one.applier.apply(config_map("a", x="1"))
        assert one.writes() == ["PATCH"]
        await one.applier.apply(config_map("a", x="1"))
        assert one.writes() == []
        await one.applier.apply(config_map("a", x="2"))
        assert one.writes() == ["PATCH"]
        await asyncio.sleep(101)
        await one.applier.apply(config_map("a", x="2"))
        assert one.writes() == ["PATCH"]


@in_virtual_time
async def test_a_field_that_is_not_wanted_any_more_goes_and_others_fields_stay() -> None:
    async with applying() as one:
        await one.applier.apply(config_map("a", x="1", y="2"))
        await one.client.patch(CONFIG_MAPS, Name("default", "a"), {"metadata": {"annotations": {"theirs": "z"}}})
        (answer,) = await one.applier.answers([config_map("a", x="1")])
        assert answer.data == {"x": "1"}
        assert answer.metadata.annotations == {"theirs": "z"}


@in_virtual_time
async def test_an_answer_is_kept_for_whoever_asked_for_it() -> None:
    async with applying() as one:
        (first,) = await one.applier.answers([config_map("a", x="1")])
        one.writes()
        assert await one.applier.answers([config_map("a", x="1")]) == [first]
        assert one.writes() == []


@in_virtual_time
async def test_what_is_forgotten_is_sent_again() -> None:
    async with applying() as one:
        await one.applier.apply(config_map("a", x="1"))
        await one.client.delete(CONFIG_MAPS, Name("default", "a"))
        one.applier.forget(CONFIG_MAPS, Name("default", "a"))
        await one.applier.apply(config_map("a", x="1"))
        assert await one.client.find(CONFIG_MAPS, Name("default", "a")) is not None


@in_virtual_time
async def test_what_was_deleted_is_made_again_although_the_answer_was_lost() -> None:
    async with applying() as one:
        await one.applier.apply(config_map("a", x="1"))
        one.transport.loses = lambda request: request.method == "DELETE"
        with pytest.raises(errors.Unreachable):
            await one.applier.prune(CONFIG_MAPS, "default", LABELS, (), "owner-uid")
        await one.applier.apply(config_map("a", x="1"))
        assert await one.client.find(CONFIG_MAPS, Name("default", "a")) is not None


@in_virtual_time
async def test_a_change_whose_answer_was_lost_is_taken_back() -> None:
    async with applying() as one:
        await one.applier.apply(config_map("a", x="1"))
        one.transport.loses = lambda _: True
        with pytest.raises(errors.Unreachable):
            await one.applier.apply(config_map("a", x="2"))
        one.transport.loses = lambda _: False
        await one.applier.apply(config_map("a", x="1"))
        assert (await one.client.get(CONFIG_MAPS, Name("default", "a"))).data == {"x": "1"}


@in_virtual_time
async def test_one_that_fails_does_not_keep_the_others_out() -> None:
    async with applying() as one:
        one.transport.refuse = lambda request: Refused(403, "Forbidden", "no") if request.path.endswith("/b") else None
        with pytest.raises(errors.Forbidden):
            await one.applier.apply_all([config_map(name, x="1") for name in "abc"])
        listed = await one.client.list(CONFIG_MAPS, "default", LABELS)
        assert {each.metadata.name for each in listed.items} == {"a", "c"}


@in_virtual_time
async def test_only_what_the_owner_owns_is_pruned() -> None:
    async with applying() as one:
        await one.applier.apply_all([config_map("a"), config_map("b"), config_map("c", owned=False)])
        gone = await one.applier.prune(CONFIG_MAPS, "default", LABELS, {"a"}, "owner-uid")
        assert gone == [Name("default", "b")]
        listed = await one.client.list(CONFIG_MAPS, "default", LABELS)
        assert {each.metadata.name for each in listed.items} == {"a", "c"}


@in_virtual_time
async def test_a_cluster_that_is_gone_is_forgotten_but_not_one_with_a_longer_name() -> None:
    async with applying() as one:
        await one.applier.apply_all([config_map("my-cluster-kafka"), config_map("other-kafka")])
        one.writes()
        one.applier.forget_namesakes(Name("default", "my-cluster"))
        await one.applier.apply_all([config_map("my-cluster-kafka"), config_map("other-kafka")])
        assert one.writes() == ["PATCH"]
