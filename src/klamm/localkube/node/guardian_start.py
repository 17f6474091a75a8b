"""The guardian's program: become the home's one guardian, and tell the caller whether that worked."""

from __future__ import annotations

import argparse
import fcntl
import os
import time

from klamm.localkube.node import epoll, linux
from klamm.localkube.node.folders import Folders
from klamm.localkube.node.guardian import Guardian, listen_on_loopback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from klamm.localkube.node.wire import Message


class CannotGuard(Exception):
    """The guardian cannot start; the text is for the person who ran `klamm up`."""


def lock_home(folders: Folders) -> int:
    """Become the home's guardian; the kernel lets the lock go with this process."""
    fd = os.open(folders.guardian_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(fd, 32).decode("ascii", "replace").strip()
        os.close(fd)
        raise CannotGuard(
            f"home {folders.home} is already guarded by process {holder or 'that just started'}"
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd


def run(folders: Folders, api_port: int, control_plane: list[str], settings: dict[str, str], ready_fd: int) -> int:
    """Guard until stopped. On `ready_fd` one JSON line: {"api_port": …, "pid": …} or {"failed": …, "code": …}."""
    loop = epoll.Loop(time.monotonic)  # noqa: TID251 (this is a program: its clock begins here)
    failures: list[str] = []
    try:
        folders.make()
        lock = lock_home(folders)
    except (CannotGuard, OSError) as error:
        _tell(ready_fd, {"failed": str(error), "code": "guarded" if isinstance(error, CannotGuard) else "home"})
        return 3
    try:
        api = listen_on_loopback(api_port, "the API")
        linux.adopt_orphans()
        guardian = Guardian(loop, folders, api, control_plane, settings)
    except OSError as error:
        _tell(ready_fd, {"failed": str(error), "code": "port"})
        return 4

    def ready(problem: str) -> None:
        if problem:
            failures.append(problem)
            guardian.node.wanted = False
            loop.stop()
            return
        _tell(ready_fd, {"api_port": api.getsockname()[1], "pid": os.getpid()})

    guardian.start(ready)
    loop.run()
    if failures:
        _tell(ready_fd, {"failed": explain(failures[0]), "code": "node"})
    for path in (folders.guardian_socket, folders.node_socket, folders.relay_socket, folders.api_socket):
        if os.path.exists(path):
            os.unlink(path)
    os.close(lock)
    return 5 if failures else 0


def explain(problem: str) -> str:
    """The node's failure with what this host forbids, when that can be found."""
    from klamm.localkube.node import requirements

    unmet = [check for check in requirements.check() if check.problem]
    told = [f"{check.name}: {check.problem}" for check in unmet]
    return "\n".join([problem, *told, *requirements.mends(unmet)])


def _tell(fd: int, message: Message) -> None:
    import json

    os.write(fd, json.dumps(message).encode() + b"\n")
    if fd > 2 and "failed" not in message:
        os.close(fd)  # after a failure its end of file tells that we are gone


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="guardian", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", required=True)
    parser.add_argument("--api-port", type=int, default=0, help="on 127.0.0.1; 0: any free one")
    parser.add_argument("--ready-fd", type=int, default=1, help="one line of JSON is written here")
    parser.add_argument("--detach", action="store_true", help="go on in a child, so that the caller need not wait")
    parser.add_argument("--setting", action="append", default=[], help="name=value, shown by status")
    parser.add_argument("control_plane", nargs="+", help="argv; {api_fd} is the number of the listening socket")
    options = parser.parse_args(arguments)
    if options.detach and os.fork():
        return 0
    os.umask(0o077)
    linux.set_process_name("klamm-guardian")
    settings = dict(setting.split("=", 1) for setting in options.setting)
    return run(Folders(options.home), options.api_port, options.control_plane, settings, options.ready_fd)
