"""Children of guardian and supervisor: starting them, starting them again, and mapping the node's user namespace."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator

from klamm.localkube.node import epoll, linux

TYPE_CHECKING = False
if TYPE_CHECKING:
    from klamm.localkube.node.wire import Message

API_DESCRIPTOR = 3
"""The control plane finds the API's listening socket here; `{api_fd}` in its arguments becomes this number."""

_RESTART_AFTER = (0.0, 0.2, 1.0, 2.0, 5.0, 10.0)
_STEADY_AFTER = 30.0


class Process:
    """A child that is started again, later each time while it keeps ending soon after its start."""

    def __init__(
        self, loop: epoll.Loop, name: str, spawn: Callable[[], int], restart_after: tuple[float, ...] = _RESTART_AFTER
    ) -> None:
        """`restart_after`: seconds before the first, second, … start anew; the last one counts for all that follow."""
        self.name = name
        self._restart_after = restart_after
        self.pid = 0
        self.restarts = 0
        self.last_end = ""
        self.wanted = True
        self._loop = loop
        self._spawn = spawn
        self._failures = 0
        self._started = 0.0

    def start(self) -> None:
        if self.wanted and not self.pid:
            self._started = self._loop.monotonic()
            self.pid = self._spawn()

    def ended(self, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        self.last_end = f"signal {-code}" if code < 0 else f"exit code {code}"
        self.pid = 0
        if not self.wanted:
            return
        if self._loop.monotonic() - self._started > _STEADY_AFTER:
            self._failures = 0
        delay = self._restart_after[min(self._failures, len(self._restart_after) - 1)]
        self._failures += 1
        self.restarts += 1
        print(f"{self.name} ended: {self.last_end}; starts again in {delay} s", file=sys.stderr, flush=True)
        self._loop.later(delay, self.start)

    def signal(self, number: int) -> None:
        if self.pid:
            os.kill(self.pid, number)

    def state(self) -> Message:
        return {"pid": self.pid, "restarts": self.restarts, "last_end": self.last_end}


def reap() -> Iterator[tuple[int, int]]:
    """(pid, wait status) of every child that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def program_argv(arguments: list[str]) -> list[str]:
    """argv of a program of the node, started without what it does not need."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")
    return [sys.executable, "-I", "-S", program, *arguments]


def spawn(
    argv: list[str], environment: dict[str, str], third: socket.socket, log: str, on_our_death: int | None = None
) -> int:
    """Start a program in a session of its own: stdin empty, output appended to `log`, `third` as descriptor 3."""
    pid = os.fork()
    if pid:
        return pid
    try:
        if on_our_death is not None:
            linux.die_with_parent(on_our_death)
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for place, fd in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
            os.dup2(fd, place, inheritable=True)
        if third.fileno() == API_DESCRIPTOR:
            os.set_inheritable(API_DESCRIPTOR, True)
        else:
            os.dup2(third.fileno(), API_DESCRIPTOR, inheritable=True)
        os.execve(argv[0], argv, environment)
    except BaseException as error:
        os.write(2, f"start {argv[0]}: {error}\n".encode())
    os._exit(127)


def write_id_maps(pid: int) -> None:
    """Map the new user namespace: for root every id that we have ourselves, else the caller's own as root."""
    if os.geteuid() == 0:
        try:
            for kind in ("uid", "gid"):
                with open(f"/proc/self/{kind}_map", encoding="ascii") as file:
                    ranges = [line.split() for line in file]
                _write_proc(pid, f"{kind}_map", "".join(f"{first} {first} {count}\n" for first, _, count in ranges))
            return
        except PermissionError:
            pass  # root of a container that may not map ids: as an ordinary user
    _write_proc(pid, "setgroups", "deny")
    _write_proc(pid, "uid_map", f"0 {os.geteuid()} 1\n")
    _write_proc(pid, "gid_map", f"0 {os.getegid()} 1\n")


def _write_proc(pid: int, name: str, text: str) -> None:
    fd = os.open(f"/proc/{pid}/{name}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
