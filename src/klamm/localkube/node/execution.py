"""From a fork to the program: what a new process does between fork and execve, and how it says that it could not.

The supervisor forks itself (a few MB, copy on write: about a millisecond). The child reports failure through a
pipe that closes by itself at execve: end of file means that the program runs, text says what failed. The child
never returns into the supervisor's code: it executes or exits.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Callable, Mapping, Sequence

from klamm.localkube.node import linux

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REPORTED = 4096


class Identity:
    """Who the program is inside its container.

    Where the node's user namespace maps the wanted ids (klamm runs as root) they are set. Where it maps only the
    caller's own id, the program gets a user namespace of its own in which that id has the wanted number.
    """

    __slots__ = ("group", "nested", "user")

    def __init__(self, user: int | None, group: int | None, maps_all: bool) -> None:
        self.user = user or 0
        self.group = group or 0
        self.nested = not maps_all and (self.user != 0 or self.group != 0)

    @property
    def owner(self) -> int:
        """Whose the program's terminal has to be; 0: it is its own already."""
        return 0 if self.nested else self.user

    def assume(self, entered: bool = False) -> None:
        """`entered`: the process is in the container's own user namespace already (exec)."""
        linux.drop_capabilities()
        if self.nested:
            if not entered:
                self._nest()
            return
        if self.user or self.group:
            os.setgroups([])
            os.setgid(self.group)
            os.setuid(self.user)

    def _nest(self) -> None:
        linux.unshare(linux.CLONE_NEWUSER)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{self.user} 0 1"),
            ("gid_map", f"{self.group} 0 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)


def fork_and_execute(prepare: Callable[[], None], stdio: tuple[int, int, int], program: Program) -> tuple[int, int]:
    """Fork; the child runs `prepare`, takes `stdio` and executes. Returns (pid, descriptor of its report).

    Read the report until end of file: empty means executed.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid:
        os.close(writer)
        os.set_blocking(reader, False)
        return pid, reader
    try:
        _reset_signals()
        writer = _out_of_the_way(writer)
        _take_stdio(stdio, program.terminal)
        prepare()
        program.execute()
    except BaseException as error:
        os.write(writer, f"{error}".encode()[:_REPORTED] or b"unknown error")
    os._exit(127)


class Program:
    __slots__ = ("arguments", "environment", "identity", "terminal", "working_directory")

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        working_directory: str,
        identity: Identity,
        terminal: bool,
    ) -> None:
        self.arguments = list(arguments)
        self.environment = dict(environment)
        self.working_directory = working_directory or "/"
        self.identity = identity
        self.terminal = terminal

    def execute(self) -> None:
        """Look argv[0] up as a shell does, inside the container. Returns only by an exception."""
        os.chdir(self.working_directory)
        name = self.arguments[0]
        candidates = [name]
        path = self.environment.get("PATH", _DEFAULT_PATH)
        if "/" not in name:
            candidates = [os.path.join(folder or ".", name) for folder in path.split(":")]
        refusal: OSError | None = None
        for candidate in candidates:
            try:
                os.execve(candidate, self.arguments, self.environment)
            except OSError as error:
                if refusal is None or error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    refusal = error
        why = os.strerror(refusal.errno or 0) if refusal else "no PATH"
        where = f" in PATH {path}" if "/" not in name else ""
        raise RuntimeError(f'cannot execute "{name}"{where}: {why}')


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGHUP, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _out_of_the_way(fd: int) -> int:
    """The report must not sit where stdio goes."""
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64)


def _take_stdio(stdio: tuple[int, int, int], terminal: bool) -> None:
    os.setsid()
    os.umask(0o022)
    for place, fd in enumerate(stdio):
        os.dup2(fd, place, inheritable=True)
    if terminal:
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    _raise_limits()


def _raise_limits() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))
