"""A Kubernetes with an audit log, in which everything was played once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from tests.kubernetes.control_plane import ControlPlane, control_plane, controller_manager
from tests.kubernetes.operated import Operated, define_kinds, operated
from tests.rights.audit import Asked, read_audit, refusals
from tests.rights.scenarios import play_all, play_one, play_several

Play = Callable[[Operated], Awaitable[None]]


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("kubernetes"), audit=True) as plane:
        asyncio.run(define_kinds(plane))
        with controller_manager(plane):
            yield plane


@dataclass(frozen=True)
class Played:
    asked: tuple[Asked, ...]


@pytest.fixture(scope="session")
def played(audited: ControlPlane) -> Played:
    """What was asked while everything was played. A play that fails says what was refused until then."""
    before = len(list(read_audit(audited.audit_log)))
    try:
        asyncio.run(_play(audited))
    except Exception as error:
        error.add_note(f"refused until then:\n{refusals(_since(audited, before))}")
        raise
    return Played(_since(audited, before))


def _since(plane: ControlPlane, before: int) -> tuple[Asked, ...]:
    return tuple(read_audit(plane.audit_log))[before:]


async def _play(plane: ControlPlane) -> None:
    plays: tuple[Play, ...] = (play_all, play_several, play_one)
    async with operated(plane) as place:
        for play in plays:
            await play(place)
