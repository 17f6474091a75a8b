"""Operators as processes of their own on a real API server: one leads; who is killed, or leaves, is followed soon."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tests.builders.ports import free_port
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.operated import Operated, operated, until
from tests.rights.accounts import connection_of, install, token_id, write_kubeconfig
from tests.rights.audit import Asked, read_audit
from tests.rights.scenarios import EPHEMERAL, Scene

from klamm.desired.cluster_operator.naming import NAME
from klamm.kube import errors
from klamm.kube.kinds import Name
from klamm.kube.native import LEASES

OPERATORS = "strimzi-of-two"
SOURCES = Path(__file__).parents[2] / "src"
READY_WITHIN = 120.0
ENDS_WITHIN = 60.0
AFTER_A_KILL = 15.0
"""What is promised: up to 14 s, the Lease's 12 and the 2 between two tries."""
AFTER_A_FAREWELL = 9.0
"""It takes a third of a second; on a busy machine passes may need the 2 s that they get to end. Without a farewell the
Lease would be kept for 10 s at least."""
_CONFLICT = 409
_READS = frozenset({"get", "list", "watch"})


@dataclass(frozen=True)
class Operator:
    name: str
    token: str
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    def page(self, path: str) -> str | None:
        """None when it says ok, else why not."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return None if answer.status == 200 else str(answer.status)
        except HTTPError as error:
            return error.read().decode()
        except (URLError, OSError) as error:
            return f"{error}; its log ends with {self.log.read_text()[-500:]}"

    def asked(self, plane: ControlPlane) -> list[Asked]:
        return [one for one in read_audit(plane.audit_log) if one.token == self.token]


@contextmanager
def _started(name: str, kubeconfig: Path, token: str) -> Iterator[Operator]:
    port, log = free_port(), kubeconfig.parent / f"{name}.log"
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(SOURCES),
        "KUBECONFIG": str(kubeconfig),
        "KLAMM_HEALTH_PORT": str(port),
        "STRIMZI_OPERATOR_NAMESPACE": OPERATORS,
        "STRIMZI_KAFKA_IMAGES": "3.6.0=kafka:3.6.0",
        "STRIMZI_LEADER_ELECTION_ENABLED": "true",
        "STRIMZI_LEADER_ELECTION_IDENTITY": name,
    }
    argv = [sys.executable, "-m", "klamm.programs.cluster_operator"]
    with log.open("wb") as output:
        process = subprocess.Popen(argv, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Operator(name, token, port, process, log)
    finally:
        process.kill()
        process.wait()


async def test_a_standby_takes_over_soon_after_a_kill_and_at_once_after_a_farewell(
    audited: ControlPlane, tmp_path: Path
) -> None:
    async with operated(audited) as place:
        await _install(place)
        with (
            _started("one", *await _identity(place, tmp_path / "one")) as one,
            _started("two", *await _identity(place, tmp_path / "two")) as two,
        ):
            await _ready(one, two)
            await _worked_on(place, "before")
            leader, standby = (one, two) if await _holder(place) == "one" else (two, one)
            assert _deeds(standby, audited) == []
            assert standby.page("/healthy") is None

            leader.process.kill()
            after_kill = await _worked_on(place, "after-a-kill")
            assert after_kill < AFTER_A_KILL
            assert await _holder(place) == standby.name

            with _started("three", *await _identity(place, tmp_path / "three")) as three:
                await _ready(three)
                assert _deeds(three, audited) == []
                standby.process.send_signal(signal.SIGTERM)
                after_farewell = await _led_by(place, "three")
                await _worked_on(place, "after-a-farewell")
        print(f"taken over {after_kill:.1f} s after a kill, {after_farewell:.2f} s after a farewell")


async def test_a_leader_that_was_stopped_does_nothing_when_it_wakes_and_ends(
    audited: ControlPlane, tmp_path: Path
) -> None:
    async with operated(audited) as place:
        await _install(place)
        with (
            _started("four", *await _identity(place, tmp_path / "four")) as four,
            _started("five", *await _identity(place, tmp_path / "five")) as five,
        ):
            await _ready(four, five)
            await _worked_on(place, "before-it-stops")
            leader, standby = (four, five) if await _holder(place) == "four" else (five, four)
            leader.process.send_signal(signal.SIGSTOP)
            await _worked_on(place, "while-it-is-stopped")
            assert await _holder(place) == standby.name

            done = _deeds(leader, audited)
            leader.process.send_signal(signal.SIGCONT)
            assert await asyncio.to_thread(leader.process.wait, ENDS_WITHIN) == 1
            assert _deeds(leader, audited) == done
            assert re.search(r"WARNING .* ends, because .* was not renewed for 8 s", leader.log.read_text())


async def _install(place: Operated) -> None:
    with suppress(errors.AlreadyExists):
        await place.make_namespace(OPERATORS)
    await install(place, OPERATORS, [])


async def _identity(place: Operated, folder: Path) -> tuple[Path, str]:
    """A token of its own for each process, by which the audit log tells them apart."""
    connection = await connection_of(place, Name(OPERATORS, NAME))
    folder.mkdir()
    write_kubeconfig(connection, folder / "kubeconfig")
    return folder / "kubeconfig", token_id(connection)


async def _ready(*operators: Operator) -> None:
    for operator in operators:

        async def why_not(operator: Operator = operator) -> str | None:
            return await asyncio.to_thread(operator.page, "/ready")

        await until(f"operator {operator.name} to be ready", why_not, READY_WITHIN)


async def _worked_on(place: Operated, namespace: str) -> float:
    """Seconds until a cluster that is made now is being worked on."""
    await place.make_namespace(namespace)
    loop = asyncio.get_running_loop()
    scene, began = Scene(place, namespace), loop.time()
    await scene.put(**EPHEMERAL)

    async def why_not() -> str | None:
        resource = await place.resource(scene.name)
        return None if resource and resource.get("status") else "it has no status"

    await until(f"Kafka {scene.name} to be worked on", why_not, 3 * AFTER_A_KILL)
    return loop.time() - began


async def _led_by(place: Operated, name: str) -> float:
    """Seconds until it holds the Lease."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def why_not() -> str | None:
        holder = await _holder(place)
        return None if holder == name else f"{holder or 'nobody'} leads"

    await until(f"{name} to lead", why_not, AFTER_A_FAREWELL)
    return loop.time() - began


async def _holder(place: Operated) -> str | None:
    return (await place.client.get(LEASES, Name(OPERATORS, NAME))).spec.holder_identity


def _deeds(operator: Operator, plane: ControlPlane) -> list[str]:
    """What it wrote, or tried to. A bid for the Lease that comes too late is how an election is lost, and no deed."""
    asked = operator.asked(plane)
    assert asked, "the audit log does not know its token"
    return [str(one) for one in asked if one.right.verb not in _READS and not _is_late_bid(one)]


def _is_late_bid(one: Asked) -> bool:
    return one.right.resource == LEASES.plural and one.code == _CONFLICT
