"""Bring the processes of a home up: content of images, identity, guardian. Each part is skipped when it is there."""

import asyncio
import fcntl
import os
import re
import select
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from klamm import __version__
from klamm.cli.context import Context
from klamm.cli.errors import Impossible, Mistake, Unfinished
from klamm.cli.home import Home
from klamm.cli.identity import ensure_identity, write_kubeconfig
from klamm.cli.settings import LocalSettings, pretended_nodes, read_settings, write_settings
from klamm.localkube.node.client import (
    AlreadyGuarded,
    GuardianClient,
    GuardianError,
    NodeForbidden,
    PortInUse,
    start_guardian,
)
from klamm.localkube.node.folders import Folders

if TYPE_CHECKING:
    from klamm.kube.client import Client

_LONGEST_START = 120.0
_MOST_NODES = 100
_ROOM = 64 << 20
"""Bytes for the objects, logs and sockets of a cluster that has just begun; what its pods write is theirs to miss."""
_RESTARTS = 3
"""So often a control plane may end at its start before we call it broken (one crash is mended by the guardian)."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks of a cluster; None: as it is, or the default."""

    nodes: int | None = None
    early_readiness: bool | None = None
    api_port: int | None = None
    namespace: str | None = None


def settle(context: Context, wishes: Wishes) -> LocalSettings:
    """The home's settings with the wishes in them. Raises `Mistake` when a running cluster cannot have them."""
    if wishes.nodes is not None and not 1 <= wishes.nodes <= _MOST_NODES:
        raise Mistake(f"--nodes {wishes.nodes}: a cluster has 1 to {_MOST_NODES} nodes here")
    if wishes.api_port is not None and not 1 <= wishes.api_port <= 65535:
        raise Mistake(f"--api-port {wishes.api_port}: a port is a number from 1 to 65535")
    old = read_settings(context.home.settings)
    if old and wishes.nodes is not None and wishes.nodes < len(old.nodes):
        raise Mistake(f"--nodes {wishes.nodes}: this cluster has {len(old.nodes)} nodes, and nodes are not taken away")
    found = old or LocalSettings(nodes=pretended_nodes(wishes.nodes or 3))
    if wishes.nodes is not None and wishes.nodes > len(found.nodes):
        found = msgspec.structs.replace(found, nodes=pretended_nodes(wishes.nodes))
    if wishes.early_readiness is not None:
        found = msgspec.structs.replace(found, early_readiness=wishes.early_readiness)
    if wishes.api_port is not None:
        found = msgspec.structs.replace(found, api_port=wishes.api_port)
    if old is None and wishes.namespace is not None:
        found = msgspec.structs.replace(found, operator_namespace=wishes.namespace)
    return found


async def provide_content(context: Context, versions: Iterable[str]) -> None:
    """Fetch what the manifests will run, with progress. Nothing to do costs milliseconds.

    A version that this klamm does not have is left out: the operator answers it in the resource's status.
    """
    from klamm.cli.progress import Reporter
    from klamm.distribution.artifacts import releases
    from klamm.distribution.provide import provide
    from klamm.distribution.store import Store

    with Reporter(context.err) as reporter:
        await provide(
            Store(context.home.cache),
            [version for version in sorted(versions) if version in releases()],
            java_home=context.java_home,
            clock=context.clock,
            report=reporter.show,
        )


def ensure_running(context: Context, settings: LocalSettings) -> bool:
    """Start what does not run; True when something was started. A newer klamm takes over a running home.

    Two `up`s of one home at the same time: the second waits for the first and uses what that one has started.
    """
    try:
        context.home.make()
    except (FileExistsError, NotADirectoryError) as error:
        raise Impossible(f"{error.filename} is a file where klamm needs a folder: move it away") from error
    with _only_one(context):
        guardian = GuardianClient(str(context.home.path))
        status = _status(guardian)
        if status is None:
            return _start(context, settings)
        if status.get("stopping"):
            raise Unfinished(f"the cluster of {context.home.path} is going down: run `klamm up` again in a moment")
        _join(context, settings, guardian, status)
        return False


def _status(guardian: GuardianClient) -> dict[str, Any] | None:
    try:
        return guardian.status()
    except GuardianError:
        return None


def _join(context: Context, settings: LocalSettings, guardian: GuardianClient, status: dict[str, Any]) -> None:
    """Bring a running cluster to the settings; its processes and ports stay."""
    port = int(status["api_port"])
    if settings.api_port not in (0, port):
        raise Mistake(
            f"--api-port {settings.api_port}: the API of this running cluster listens on {port}. "
            "Stop it with `klamm down`, then start it with the other port"
        )
    wanted = msgspec.structs.replace(settings, api_port=port)
    changed = wanted != read_settings(context.home.settings)
    if changed:
        write_settings(context.home.settings, wanted)
    if not context.home.kubeconfig.exists():
        # The `up` that started this cluster was interrupted before it came to that.
        write_kubeconfig(context.home, port, wanted.operator_namespace)
    if status.get("settings", {}).get("version") != __version__ or changed:
        guardian.restart_control_plane(context.control_plane, context.environment, settings={"version": __version__})


@contextmanager
def _only_one(context: Context) -> Iterator[None]:
    """One start of a home at a time. The kernel lets the lock go however its holder ends."""
    descriptor = os.open(context.home.run / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            context.say("another `klamm up` is starting this home: waiting for it")
            _wait_for_lock(context, descriptor)
        yield
    finally:
        os.close(descriptor)


def _wait_for_lock(context: Context, descriptor: int) -> None:
    deadline = context.clock.monotonic() + _LONGEST_START
    while context.clock.monotonic() < deadline:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            select.select([], [], [], 0.05)
        else:
            return
    raise Unfinished(
        f"another `klamm up` has been starting {context.home.path} for {_LONGEST_START:g} s; "
        f"`fuser {context.home.run / 'up.lock'}` shows which process it is"
    )


def _start(context: Context, settings: LocalSettings) -> bool:
    home = context.home
    _check_room(home.path)
    ensure_identity(home, context.clock.now())
    write_settings(home.settings, settings)
    try:
        started = start_guardian(
            str(home.path),
            context.control_plane,
            environment=context.environment,
            api_port=settings.api_port,
            settings={"version": __version__},
        )
    except AlreadyGuarded:
        # A guardian that is just going down, or one that a program other than `klamm up` has started.
        raise Unfinished(
            f"the cluster of {home.path} is just starting or stopping: run `klamm up` again in a moment"
        ) from None
    except PortInUse as error:
        raise Impossible(
            f"{without_number(str(error))}. Stop that program, or choose another port with --api-port"
        ) from error
    except NodeForbidden as error:
        raise Impossible(_what_is_forbidden(error)) from error
    except GuardianError as error:
        raise Impossible(f"the cluster's processes did not start: {error}") from error
    if started.api_port != settings.api_port:
        write_settings(home.settings, msgspec.structs.replace(settings, api_port=started.api_port))
    write_kubeconfig(home, started.api_port, settings.operator_namespace)
    return True


def _what_is_forbidden(error: NodeForbidden) -> str:
    """Each mend once, however many things it is that one setting forbids."""
    from klamm.localkube.node.requirements import check

    unmet = [one for one in check() if one.problem]
    if not unmet:
        return f"this machine does not let klamm run pods: {without_number(str(error))}"
    names = ", ".join(one.name for one in unmet)
    mends = "\n".join(dict.fromkeys(one.mend for one in unmet))
    return (
        f"this machine does not let klamm run pods; it forbids: {names} (Linux says: "
        f"{without_number(unmet[0].problem)})\n{mends}\n`klamm doctor` tries it all again"
    )


def without_number(text: str) -> str:
    """An OSError's text without "[Errno 28]", which helps nobody who reads the words after it."""
    return re.sub(r"\[Errno \d+\] ", "", text)


def _check_room(folder: Path) -> None:
    """A cluster that cannot write its objects is worse than none: say so before anything runs."""
    free = shutil.disk_usage(folder).free
    if free < _ROOM:
        raise Impossible(
            f"the disk of {folder} has {free >> 20} MiB left, too little to start a cluster. Nothing was started; make "
            "room there, or point KLAMM_HOME at another disk (`klamm doctor` shows what is needed)"
        )


async def until_api_answers(context: Context, client: "Client", seconds: float) -> None:
    """Raises `Impossible` when the control plane does not stay, with what it wrote last; `Unfinished` in the end."""
    from klamm.kube import errors
    from klamm.kube.requests import Request

    deadline = context.clock.monotonic() + seconds
    while True:
        try:
            await client.raw(Request("GET", "/version", "ask for the API's version", idempotent=True, timeout=5.0))
            return
        except (errors.Unreachable, errors.ServerFault) as error:
            _check_control_plane(context)
            if context.clock.monotonic() > deadline:
                log = context.home.logs / "control-plane.log"
                raise Unfinished(f"the API does not answer after {seconds:g} s ({error.message}); see {log}") from error
        await asyncio.sleep(0.1)


def running_since(home: Home) -> datetime | None:
    """When this home's guardian began: what objects say of an earlier time is of processes that are no more."""
    try:
        written = Path(Folders(str(home.path)).guardian_lock).stat().st_mtime
    except FileNotFoundError:
        return None
    return datetime.fromtimestamp(written, UTC).replace(microsecond=0)


def _check_control_plane(context: Context) -> None:
    status = _status(GuardianClient(str(context.home.path)))
    log = context.home.logs / "control-plane.log"
    if status is None:
        raise Unfinished(f"the cluster of {context.home.path} was stopped meanwhile (another `klamm down`?)")
    process = status["control_plane"]
    if process["restarts"] >= _RESTARTS and process["last_end"] not in ("", "exit code 0"):
        raise Impossible(
            f"the control plane ends as soon as it starts ({process['last_end']}); it wrote last:\n{last_lines(log)}\n"
            f"All of it is in {log}"
        )


def last_lines(path: Path, count: int = 5) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-count:])
