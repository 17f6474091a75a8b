"""A server that holds one Lease and counts what else is written, and the processes that compete for it.

Between a process and the server lies a network: `delay` seconds to connect, in which the process may be stopped, and
`delay` seconds on the wire, which nobody stops.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
from tests.builders.scripted_api import answer, event, listed, status
from tests.builders.sleepers import Sleeper
from tests.builders.virtual_time import LoopClock

from klamm.base.together import ended
from klamm.kube.client import over
from klamm.kube.errors import Held, KubeError, Unreachable
from klamm.kube.exchange import Permit, Response, Stream
from klamm.kube.giving_way import GivingWay
from klamm.kube.kinds import Name
from klamm.kube.leases import Election
from klamm.kube.native import CONFIG_MAPS, LEASES
from klamm.kube.requests import Request
from klamm.resources.native.configuration import ConfigMap
from klamm.resources.native.metadata import ObjectMeta

LEASE = Name("kafka", "strimzi-cluster-operator")


@dataclass(frozen=True)
class Act:
    """A write that arrived: whose, when, and who held the Lease then."""

    process: str
    at: float
    holder: str


@dataclass
class OneLease:
    """Refuses stale writes of the Lease; `cut_off` do not reach it, `refused` get a 403."""

    stored: dict[str, Any] | None = None
    version: int = 1
    delay: float = 0.0
    cut_off: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    acts: list[Act] = field(default_factory=list)
    watchers: set["asyncio.Queue[dict[str, Any]]"] = field(default_factory=set)

    def answer(self, process: str, request: Request) -> Response:
        if process in self.refused:
            return status(403, "Forbidden")
        if LEASES.plural not in request.path:
            self.acts.append(Act(process, asyncio.get_running_loop().time(), self.holder))
            return answer({"metadata": {"name": "deed", "namespace": LEASE.namespace}})
        if request.method == "GET":
            return self._read(request)
        new = msgspec.json.decode(request.body or b"{}")
        if request.method == "POST" and self.stored:
            return status(409, "AlreadyExists")
        if request.method == "PUT" and not self.stored:
            return status(404, "NotFound")
        if request.method == "PUT" and new["metadata"].get("resourceVersion") != str(self.version):
            return status(409, "Conflict")
        return answer(self.store(new))

    def _read(self, request: Request) -> Response:
        if not request.path.endswith(LEASE.name):
            return listed([self.stored] if self.stored else [], self.version)
        return answer(self.stored) if self.stored else status(404, "NotFound")

    def store(self, new: dict[str, Any]) -> dict[str, Any]:
        kind = "MODIFIED" if self.stored else "ADDED"
        self.version += 1
        self.stored = {**new, "metadata": {**new["metadata"], "resourceVersion": str(self.version)}}
        self._tell(kind, self.stored)
        return self.stored

    def delete(self) -> None:
        assert self.stored is not None
        self.version += 1
        self._tell(
            "DELETED", {**self.stored, "metadata": {**self.stored["metadata"], "resourceVersion": str(self.version)}}
        )
        self.stored = None

    def _tell(self, kind: str, obj: dict[str, Any]) -> None:
        for watcher in self.watchers:
            watcher.put_nowait(dict(event(kind, obj)))

    @property
    def holder(self) -> str:
        return str(self.stored["spec"].get("holderIdentity") or "") if self.stored else ""

    def acted(self, process: str, since: float = 0.0) -> list[float]:
        return [act.at for act in self.acts if act.process == process and act.at >= since]

    def out_of_turn(self) -> list[Act]:
        """Writes of processes that did not hold the Lease when they arrived."""
        return [act for act in self.acts if act.process != act.holder]


@dataclass
class _Way:
    """One process's way to the server; a `permit` is asked as `HttpTransport` asks it."""

    server: OneLease
    process: str
    random: Random
    permit: Permit | None = None

    async def send(self, request: Request) -> Response:
        self._ask(request)
        try:
            await asyncio.sleep(self._delay())
            self._ask(request)
            loop = asyncio.get_running_loop()
            arrived: asyncio.Future[Response] = loop.create_future()
            loop.call_later(self._delay(), self._arrive, request, arrived)
            return await arrived
        except BaseException:
            if self.permit is not None and request.method != "GET":
                self.permit.given_up()
            raise

    def _arrive(self, request: Request, arrived: "asyncio.Future[Response]") -> None:
        cut = self.process in self.server.cut_off
        answered = None if cut else self.server.answer(self.process, request)
        if arrived.done():
            return
        if answered is None:
            arrived.set_exception(Unreachable(request.doing, "cut", sent=False))
        else:
            arrived.set_result(answered)

    def _ask(self, request: Request) -> None:
        if self.permit is not None and request.method != "GET" and (why := self.permit.reason_to_hold) is not None:
            raise Held(request.doing, why)

    def _delay(self) -> float:
        return self.server.delay * self.random.random()

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Stream]:
        if self.process in self.server.cut_off:
            raise Unreachable(request.doing, "cut", sent=False)
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        if self.server.stored is not None:
            told.put_nowait(dict(event("MODIFIED", self.server.stored)))
        self.server.watchers.add(told)
        try:
            yield Stream(200, {}, self._pieces(request, told))
        finally:
            self.server.watchers.discard(told)

    async def _pieces(self, request: Request, told: "asyncio.Queue[dict[str, Any]]") -> AsyncIterator[bytes]:
        while True:
            said = await told.get()
            if self.process in self.server.cut_off:
                raise Unreachable(request.doing, "cut", sent=True)
            yield msgspec.json.encode(said) + b"\n"

    async def close(self) -> None: ...


class Process:
    """It writes something again and again while it leads. `sleeper.stop()` stops it."""

    def __init__(self, server: OneLease, name: str, seed: int, permit: Permit | None) -> None:
        self.random = Random(seed)
        self.server, self.name = server, name
        self.client = over(_Way(server, name, self.random, permit), name, self.random)
        self.began = self.ended = -1.0
        self.held: list[float] = []
        """When a write of it was held back."""
        self.sleeper = Sleeper(self.random)
        self.task = self.sleeper.start(self._lead())

    async def _lead(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        """Whatever it would still do arrives nowhere."""
        self.server.cut_off.add(self.name)
        self.sleeper.wake()
        self.task.cancel()

    async def _act(self) -> None:
        self.began = asyncio.get_running_loop().time()
        try:
            while True:
                await self._write()
                await asyncio.sleep(0.5 * self.random.random())
        finally:
            self.ended = asyncio.get_running_loop().time()

    async def _write(self) -> None:
        deed = ConfigMap(metadata=ObjectMeta(name="deed", namespace=LEASE.namespace))
        try:
            await self.client.apply(CONFIG_MAPS, deed)
        except Held:
            self.held.append(asyncio.get_running_loop().time())
        except KubeError:
            pass


class Competitor(Process):
    """It leads while it holds the Lease."""

    def __init__(self, server: OneLease, name: str, seed: int = 1, *, held: bool = True) -> None:
        random = Random(seed)
        self.election = Election(over(_Way(server, name, random), name, random), LEASE, name, LoopClock(), random)
        super().__init__(server, name, seed, self.election if held else None)

    async def _lead(self) -> None:
        await self.election.lead(self._act)


class Polite(Process):
    """It leads while nobody holds the Lease."""

    def __init__(self, server: OneLease, name: str, seed: int = 1) -> None:
        self.way = GivingWay(LEASE, LoopClock(), Random(seed))
        super().__init__(server, name, seed, self.way)

    async def _lead(self) -> None:
        await self.way.lead(self.client, self._act)


async def leave(*processes: Process) -> None:
    """As after SIGTERM."""
    await ended(*(process.task for process in processes))
