"""Start and command a home's guardian: for the command line (blocking; each call is short or has a deadline)."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klamm.localkube.node import wire
from klamm.localkube.node.folders import Folders

_ENDS_AFTER_ANSWER_WITHIN = 5.0


class GuardianError(Exception):
    """The guardian refused, or did not answer. The text is for the person who asked."""


class AlreadyGuarded(GuardianError):
    """Another guardian owns this home: use it."""


class PortInUse(GuardianError):
    """The API's port on 127.0.0.1 belongs to another program."""


class NodeForbidden(GuardianError):
    """The host does not allow what the node needs; the text names settings and mends (see `requirements`)."""


@dataclass(frozen=True, slots=True)
class Started:
    api_port: int
    pid: int


_ERRORS: Mapping[str, type[GuardianError]] = {
    "guarded": AlreadyGuarded,
    "port": PortInUse,
    "node": NodeForbidden,
}


def start_guardian(
    home: str,
    control_plane: Sequence[str],
    *,
    environment: Mapping[str, str],
    api_port: int = 0,
    settings: Mapping[str, str] | None = None,
    within_seconds: float = 75.0,
) -> Started:
    """Leave a guardian behind, in a session of its own, and wait until node and API socket stand.

    `control_plane` is its argv; `{api_fd}` in it becomes the number of the inherited listening socket. It and
    `environment` reach only the control plane, never a pod. `settings` (the klamm version, …) are shown by status.
    The wait is long because the node of a killed guardian first ends its pods.
    """
    folders = Folders(home)
    try:
        folders.make()
    except OSError as error:
        raise GuardianError(f"make the home {home}: {error}") from error
    reader, writer = os.pipe2(os.O_CLOEXEC)
    log = os.path.join(folders.logs, "guardian.log")
    try:
        _spawn(folders.home, control_plane, environment, api_port, settings or {}, writer, log)
    finally:
        os.close(writer)
    with open(reader, "rb") as file:
        if not select.select([file], [], [], within_seconds)[0]:
            raise GuardianError(f"the guardian of {home} was not ready within {within_seconds:g} s; see {log}")
        line = file.readline()
        if b'"failed"' in line:
            file.read()
    answer: dict[str, Any] = (
        json.loads(line) if line else {"failed": f"the guardian ended at once; see {log}", "code": ""}
    )
    if "failed" in answer:
        raise _ERRORS.get(answer["code"], GuardianError)(answer["failed"])
    return Started(answer["api_port"], answer["pid"])


def _spawn(
    home: str,
    control_plane: Sequence[str],
    environment: Mapping[str, str],
    api_port: int,
    settings: Mapping[str, str],
    ready: int,
    log: str,
) -> None:
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")
    argv = [sys.executable, "-I", "-S", program, "guardian", "--home", home, "--api-port", str(api_port)]
    argv += ["--ready-fd", "3", "--detach", *(f"--setting={name}={value}" for name, value in settings.items())]
    argv += ["--", *control_plane]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        (os.POSIX_SPAWN_DUP2, ready, 3),
    ]
    pid = os.posix_spawn(
        sys.executable,
        argv,
        dict(environment),
        file_actions=actions,
        setsid=True,
        setsigdef=(signal.SIGPIPE, signal.SIGINT),
    )
    os.waitpid(pid, 0)


class GuardianClient:
    def __init__(self, home: str) -> None:
        self._folders = Folders(home)

    def is_running(self) -> bool:
        try:
            self.status()
        except GuardianError:
            return False
        return True

    def status(self) -> dict[str, Any]:
        """pid, home, api_port, control_plane and node {pid, restarts, last_end, …}, node_ports, settings."""
        return self._ask({"op": "status"}, 5.0)

    def restart_control_plane(
        self,
        argv: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """With another program when `argv` is given: how a newer klamm takes over a running home."""
        request = {"argv": list(argv), "environment": dict(environment or {}), "settings": dict(settings or {})}
        self._ask({"op": "restart_control_plane", **request}, 5.0)

    def stop(self, grace_seconds: float = 30.0) -> None:
        """End control plane, pods and node; returns when none is left. Raises `GuardianError` when none runs."""
        guardian = os.pidfd_open(self.status()["pid"])
        try:
            self._ask({"op": "stop", "grace_seconds": grace_seconds}, grace_seconds + 20.0)
            select.select([guardian], [], [], _ENDS_AFTER_ANSWER_WITHIN)
        finally:
            os.close(guardian)

    def _ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        try:
            answer, _ = wire.ask(self._folders.guardian_socket, request, timeout)
        except OSError as error:
            raise GuardianError(f"home {self._folders.home}: no guardian answers ({error})") from error
        if "error" in answer:
            raise GuardianError(str(answer["error"]))
        answer.pop("id", None)
        return answer
