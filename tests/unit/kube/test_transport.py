"""The client over real sockets: what only a network does."""

import asyncio
from contextlib import aclosing, suppress
from random import Random

import pytest
from tests.builders.scripted_api import Cut, Pause, ScriptedApi, answer, event, gone, listed, pod, serving, status

from klamm.base.backoff import BackOff
from klamm.base.deadlines import until
from klamm.base.together import ended, side_by_side
from klamm.kube import errors
from klamm.kube.client import connect
from klamm.kube.connection import Connection, FixedToken
from klamm.kube.kinds import Name
from klamm.kube.native import CONFIG_MAPS, PODS
from klamm.kube.sending import Patience
from klamm.kube.transport import CALLS
from klamm.kube.watching import Watched
from klamm.resources.native.configuration import ConfigMap
from klamm.resources.native.metadata import ObjectMeta

QUICK = Patience(attempts=3, back_off=BackOff(first=0.01, longest=0.02))
A = Name("kafka", "a")


async def test_calls_carry_token_and_body_and_read_the_answer() -> None:
    api = ScriptedApi()
    api.answers(answer({"metadata": {"name": "a", "namespace": "kafka"}, "data": {"k": "v"}}))
    async with serving(api) as url, connect(Connection(url, token=FixedToken("t0k3n")), "me", Random(1)) as client:
        made = await client.apply(CONFIG_MAPS, ConfigMap(metadata=ObjectMeta(name="a", namespace="kafka")))
    assert made.data == {"k": "v"}
    assert api.requests[0].doing == "bearer t0k3n"
    assert b'"apiVersion":"v1"' in (api.requests[0].body or b"")


async def test_a_server_that_hangs_up_is_asked_again() -> None:
    api = ScriptedApi()
    api.answers(answer(pod("a", 5)), Cut(), answer(pod("a", 6)))
    async with serving(api) as url, connect(Connection(url), "me", Random(1), QUICK) as client:
        await client.get(PODS, A)
        again = await client.get(PODS, A)
    assert again.metadata.resource_version == "6"


async def test_a_create_whose_connection_is_cut_is_not_sent_twice() -> None:
    api = ScriptedApi()
    api.answers(Cut(), Cut())
    async with serving(api) as url, connect(Connection(url), "me", Random(1), QUICK) as client:
        with pytest.raises(errors.Unreachable) as caught:
            await client.create(CONFIG_MAPS, ConfigMap(metadata=ObjectMeta(name="a", namespace="kafka")))
    assert caught.value.sent
    assert len(api.requests) == 1


async def test_a_burst_of_calls_makes_no_more_connections_than_are_kept() -> None:
    connections, all_busy = 0, asyncio.Event()
    body = b'{"metadata":{"name":"a"}}'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                if connections == CALLS:
                    all_busy.set()
                await all_busy.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(Connection(url), "me", Random(1)) as client:
            await side_by_side(*(client.get(PODS, A) for _ in range(3 * CALLS)))
    assert connections == CALLS


async def test_nobody_listens() -> None:
    async with serving(ScriptedApi()) as url:
        pass
    async with connect(Connection(url), "me", Random(1), QUICK) as client:
        with pytest.raises(errors.Unreachable, match="read Pod kafka/a: ") as caught:
            await client.get(PODS, A)
    assert not caught.value.sent


class _Permit:
    """Gives this many permits; what comes after is held back."""

    def __init__(self, permits: int) -> None:
        self.permits = permits
        self.given_up_writes = 0

    @property
    def reason_to_hold(self) -> str | None:
        self.permits -= 1
        return None if self.permits >= 0 else "another leads"

    def given_up(self) -> None:
        self.given_up_writes += 1


_NO_RETRY = Patience(attempts=1)


async def test_a_process_that_may_not_write_still_reads() -> None:
    api = ScriptedApi()
    api.answers(answer(pod("a", 5)))
    async with serving(api) as url, connect(Connection(url), "me", Random(1), permit=_Permit(0)) as client:
        await client.get(PODS, A)
        with pytest.raises(errors.Held, match="delete Pod kafka/a: another leads"):
            await client.delete(PODS, A, uid="u")
    assert [request.method for request in api.requests] == ["GET"]


async def test_a_permit_that_ends_while_a_connection_is_made_keeps_the_write_back() -> None:
    api, permit = ScriptedApi(), _Permit(1)
    api.answers(answer(pod("a", 5)))
    async with serving(api) as url, connect(Connection(url), "me", Random(1), _NO_RETRY, permit) as client:
        with pytest.raises(errors.Unreachable, match="held back: another leads"):
            await client.delete(PODS, A, uid="u")
    assert api.requests == []
    assert permit.given_up_writes == 1


async def test_a_permit_that_ends_while_a_write_waits_for_its_turn_keeps_all_of_it_back() -> None:
    """Also its first lines: a server tells of half a request in its audit log."""
    heard: list[bytes] = []
    all_busy, go_on = asyncio.Event(), asyncio.Event()
    body = b'{"metadata":{"name":"a"}}'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                heard.append(head.split(b" ")[0])
                if len(heard) == CALLS:
                    all_busy.set()
                await go_on.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    permit = _Permit(1)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(Connection(url), "me", Random(1), _NO_RETRY, permit) as client:
            reads = [asyncio.ensure_future(client.get(PODS, A)) for _ in range(CALLS)]
            await all_busy.wait()
            write = asyncio.ensure_future(client.delete(PODS, A, uid="u"))
            await asyncio.sleep(0)
            permit.permits = 0
            go_on.set()
            await side_by_side(*reads)
            with pytest.raises(errors.Held, match="another leads"):
                await write
    assert set(heard) == {b"GET"}
    assert permit.given_up_writes == 0


async def test_a_write_with_a_permit_arrives_whole_and_one_that_is_cut_is_told() -> None:
    api, permit = ScriptedApi(), _Permit(4)
    api.answers(answer({"metadata": {"name": "a", "namespace": "kafka"}}), Cut())
    made = ConfigMap(metadata=ObjectMeta(name="a", namespace="kafka"))
    async with serving(api) as url, connect(Connection(url), "me", Random(1), _NO_RETRY, permit) as client:
        await client.apply(CONFIG_MAPS, made)
        assert permit.given_up_writes == 0
        with pytest.raises(errors.Unreachable):
            await client.create(CONFIG_MAPS, made)
    assert all(b'"name":"a"' in (request.body or b"") for request in api.requests)
    assert permit.given_up_writes == 1


async def test_a_watch_ends_in_each_way() -> None:
    api = ScriptedApi()
    api.watches([event("ADDED", pod("a", 8))], [event("ADDED", pod("a", 8)), Cut()], [gone()], status(410, "Expired"))
    ends: list[str] = []
    async with serving(api) as url, connect(Connection(url), "me", Random(1), QUICK) as client:
        for _ in range(4):
            try:
                async with aclosing(client.watch(PODS, "7", "kafka")) as events:
                    ends.extend([each.change async for each in events])
            except errors.KubeError as error:
                ends.append(type(error).__name__)
    assert ends == ["OPENED", "ADDED", "Unreachable", "Gone", "Gone"]


async def test_an_event_of_a_megabyte_comes_whole() -> None:
    api = ScriptedApi()
    large = {"metadata": {"name": "a", "namespace": "kafka", "resourceVersion": "8"}, "data": {"k": "v" * 1_000_000}}
    api.watches([event("ADDED", large)])
    async with (
        serving(api) as url,
        connect(Connection(url), "me", Random(1)) as client,
        aclosing(client.watch(CONFIG_MAPS, "7")) as events,
    ):
        sizes = [len(each.object.data["k"]) async for each in events if isinstance(each.object, ConfigMap)]
    assert sizes == [1_000_000]


async def test_the_cache_over_a_real_connection_survives_cuts_and_410() -> None:
    api = ScriptedApi()
    api.answers(listed([pod("a", 5)], 7), listed([pod("a", 20), pod("b", 21)], 22))
    api.watches([event("MODIFIED", pod("a", 8)), Cut()], [gone()], [event("DELETED", pod("b", 23)), Pause(60)])
    async with serving(api) as url, connect(Connection(url), "me", Random(1), QUICK) as client:
        watched = Watched(client, PODS, Random(1), back_off=BackOff(first=0.01, longest=0.02))
        running = asyncio.ensure_future(watched.run())

        def reason() -> str | None:
            state = {each.metadata.name: each.metadata.resource_version for each in watched.all()}
            return None if state == {"a": "20"} else f"it holds {state}"

        await until(5, "the cache to hold what the server has", reason, every=0.01)
        await ended(running)
