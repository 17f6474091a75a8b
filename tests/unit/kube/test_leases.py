"""At most one leads; who dies is followed soon; who leaves is followed at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
import pytest
from tests.builders.scripted_api import answer, status
from tests.builders.virtual_time import LoopClock, in_virtual_time

from klamm.kube.client import over
from klamm.kube.errors import Unreachable
from klamm.kube.exchange import Response, Stream
from klamm.kube.kinds import Name
from klamm.kube.leases import Election, LeadershipLost
from klamm.kube.requests import Request

LEASE = Name("kafka", "strimzi-cluster-operator")


@dataclass
class OneLease:
    """A server that holds one object and refuses stale writes; `cut_off` do not reach it, `refused` get a 403."""

    stored: dict[str, Any] | None = None
    version: int = 0
    cut_off: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def answer(self, request: Request) -> Response:
        if request.method == "GET":
            return answer(self.stored) if self.stored else status(404, "NotFound")
        new = msgspec.json.decode(request.body or b"{}")
        if request.method == "POST" and self.stored:
            return status(409, "AlreadyExists")
        if request.method == "PUT" and new["metadata"].get("resourceVersion") != str(self.version):
            return status(409, "Conflict")
        self.version += 1
        self.stored = {**new, "metadata": {**new["metadata"], "resourceVersion": str(self.version)}}
        return answer(self.stored)

    @property
    def holder(self) -> str:
        return str(self.stored["spec"].get("holderIdentity", "")) if self.stored else ""


@dataclass
class _Way:
    """One process's way to the server."""

    lease: OneLease
    process: str

    async def send(self, request: Request) -> Response:
        if self.process in self.lease.cut_off:
            raise Unreachable(request.doing, "cut", sent=False)
        if self.process in self.lease.refused:
            return status(403, "Forbidden")
        return self.lease.answer(request)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Stream]:
        raise AssertionError("a lease is not watched")
        yield

    async def close(self) -> None: ...


class _Process:
    def __init__(self, server: OneLease, name: str, acting: list[str]) -> None:
        client = over(_Way(server, name), name, Random(1))
        self.election = Election(client, LEASE, name, LoopClock(), Random(1))
        self.name, self.acting = name, acting
        self.began = self.ended = -1.0
        self.task = asyncio.ensure_future(self.election.lead(self._act))

    async def _act(self) -> None:
        self.began = asyncio.get_running_loop().time()
        self.acting.append(self.name)
        assert self.acting == [self.name], "two act at once"
        try:
            await asyncio.sleep(1e6)
        finally:
            self.acting.remove(self.name)
            self.ended = asyncio.get_running_loop().time()


async def _end(*processes: _Process) -> None:
    for process in processes:
        process.task.cancel()
    await asyncio.gather(*(process.task for process in processes), return_exceptions=True)


@in_virtual_time
async def test_one_leads_and_the_other_waits() -> None:
    server, acting = OneLease(), list[str]()
    one, two = _Process(server, "one", acting), _Process(server, "two", acting)
    await asyncio.sleep(300)
    assert acting == [server.holder] == ["one"]
    assert two.began == -1
    await _end(one, two)


@in_virtual_time
async def test_who_leaves_gives_the_lease_back() -> None:
    server, acting = OneLease(), list[str]()
    one, two = _Process(server, "one", acting), _Process(server, "two", acting)
    await asyncio.sleep(30)
    await _end(one)
    await asyncio.sleep(3)
    assert acting == ["two"]
    await _end(two)
    assert server.holder == ""


@pytest.mark.parametrize("way", ["cut_off", "refused"])
@in_virtual_time
async def test_a_holder_that_cannot_renew_stops_before_another_begins(way: str) -> None:
    server, acting = OneLease(), list[str]()
    one, two = _Process(server, "one", acting), _Process(server, "two", acting)
    await asyncio.sleep(30)
    getattr(server, way).add("one")
    await asyncio.sleep(20)
    assert acting == ["two"]
    assert one.ended < two.began < 30 + 15 + 3
    with pytest.raises(LeadershipLost):
        one.task.result()
    await _end(two)


@in_virtual_time
async def test_a_process_that_is_killed_is_followed_within_the_leases_duration() -> None:
    server, acting = OneLease(), list[str]()
    server.stored = {
        "metadata": {"name": LEASE.name, "namespace": LEASE.namespace, "resourceVersion": "0"},
        "spec": {"holderIdentity": "killed", "leaseDurationSeconds": 15},
    }
    two = _Process(server, "two", acting)
    await asyncio.sleep(60)
    assert 15 <= two.began <= 15 + 3
    await _end(two)
