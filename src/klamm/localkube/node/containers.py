"""One run of one container: its process, its output, its end; and commands run inside it.

A container's first process is number 1 of its own pid namespace, so its death ends every process of the
container, and signals without a handler do not reach it: as in other container runtimes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from klamm.localkube.node import epoll, linux, rootfs
from klamm.localkube.node.execution import Identity, Program, fork_and_execute
from klamm.localkube.node.logs import LogFile, LogStream
from klamm.localkube.node.outputs import OutputPipe
from klamm.localkube.node.sandboxes import Sandbox
from klamm.localkube.node.terminals import Handover, open_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from klamm.localkube.node.wire import Message

_LONGEST_TERMINATION_MESSAGE = 4096


class Report:
    """Watches a child until its program runs (`done("")`) or it says why not (`done(reason)`)."""

    def __init__(self, loop: epoll.Loop, fd: int, done: Callable[[str], None]) -> None:
        self._loop = loop
        self._fd = fd
        self._text = b""
        self._done = done
        loop.watch(fd, epoll.READ, self.read)

    def read(self, _: int = 0) -> None:
        """Idempotent once it has ended. A dead child's report is complete."""
        while self._fd >= 0:
            try:
                data = os.read(self._fd, 4096)
            except BlockingIOError:
                return
            if data:
                self._text += data
                continue
            self._loop.forget(self._fd)
            os.close(self._fd)
            self._fd = -1
            self._done(self._text.decode("utf-8", "replace"))


class Container:
    def __init__(self, spec: Message, sandbox: Sandbox, folder: str, maps_all_ids: bool) -> None:
        self.id: str = spec["id"]
        self.sandbox = sandbox
        self.identity = Identity(spec.get("user"), spec.get("group"), maps_all_ids)
        self.working_directory: str = spec.get("working_directory") or "/"
        self.pid = 0
        self.started_at = 0.0
        self.finished_at: float | None = None
        self.exit_code: int | None = None
        self.signal: int | None = None
        self.message = ""
        self.report: Report | None = None
        self._spec = spec
        self._folder = folder
        self._termination_log = ""
        self.terminal = bool(spec.get("tty"))
        self._outputs: list[OutputPipe] = []
        self._log: LogFile | None = None
        self._handover: Handover | None = None
        """Of the terminal, until the program runs."""
        self._stdin = -1
        """What the program reads as its input is written here."""

    @property
    def running(self) -> bool:
        return self.finished_at is None

    def state(self) -> Message:
        return {
            "id": self.id,
            "running": self.running,
            "pid": self.pid,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "message": self.message,
        }

    def start(self, loop: epoll.Loop, own_pid_namespace: int, now_ns: Callable[[], int], root: str) -> int:
        """Fork the first process; returns the descriptor of its report. OSError: nothing was left behind."""
        mounts = rootfs.plan_mounts(self._binds(), self._memory())
        self._log = LogFile(self._spec.get("log_path", ""), now_ns)
        stdio = self._open_stdio(loop)
        program = Program(
            self._spec["command"], self._spec["environment"], self.working_directory, self.identity, False
        )
        linux.unshare(linux.CLONE_NEWPID)
        try:
            self.pid, report = fork_and_execute(lambda: self._prepare(mounts, root), stdio, program)
        finally:
            linux.setns(own_pid_namespace, linux.CLONE_NEWPID)
            for fd in set(stdio):
                os.close(fd)
        self.started_at = now_ns() / 1e9
        return report

    def _binds(self) -> list[tuple[str, str, bool]]:
        spec = self._spec
        binds = [(m["source"], m["target"], True) for m in spec["root"]]
        for name in ("hosts", "hostname", "resolv.conf"):
            binds.append((os.path.join(self.sandbox.folder, name), f"/etc/{name}", False))
        binds += [(m["source"], m["target"], m["read_only"]) for m in spec["mounts"]]
        path = spec.get("termination_message_path")
        if path:
            name = self.id.replace("/", "_")
            self._termination_log = os.path.join(self._folder, f"{name}.termination")
            with open(self._termination_log, "wb"):
                os.chmod(self._termination_log, 0o666)
            binds.append((self._termination_log, path, False))
        return binds

    def _memory(self) -> list[tuple[str, int | None]]:
        return [(path, limit) for path, limit in self._spec.get("memory_mounts", ())]

    def _open_stdio(self, loop: epoll.Loop) -> tuple[int, int, int]:
        """The program's three descriptors. A stdin that nobody writes to stays open: somebody may attach."""
        assert self._log is not None
        if self.terminal:
            self._handover = Handover()
            nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
            return nothing, nothing, nothing
        if self._spec.get("stdin"):
            stdin, self._stdin = os.pipe2(os.O_CLOEXEC)
        else:
            stdin = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        out_reader, out = os.pipe2(os.O_CLOEXEC)
        err_reader, err = os.pipe2(os.O_CLOEXEC)
        self._outputs = [
            OutputPipe(loop, out_reader, LogStream(self._log, "stdout")),
            OutputPipe(loop, err_reader, LogStream(self._log, "stderr")),
        ]
        return stdin, out, err

    def take_terminal(self, loop: epoll.Loop) -> None:
        """Once the program runs; it has made its terminal before."""
        if self._handover is not None:
            assert self._log is not None
            self._outputs = [OutputPipe(loop, self._handover.take(), LogStream(self._log, "stdout"))]
            self._handover.close()
            self._handover = None

    def attach(self, stdin: bool) -> list[int]:
        """The caller's descriptors, who closes them: [output, terminal], or [stdout, stderr] and perhaps [stdin]."""
        theirs = [output.attach() for output in self._outputs]
        if self.terminal:
            theirs += [os.dup(output.fileno()) for output in self._outputs if output.fileno() >= 0]
        elif stdin and self._stdin >= 0:
            theirs.append(os.dup(self._stdin))
        return theirs

    def close_stdin(self) -> None:
        """The program reads end of file, once nobody who attached holds it open. Idempotent."""
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    def _prepare(self, mounts: list[rootfs.Bind | rootfs.Memory], root: str) -> None:
        """In the child: join the pod, make the file system, enter it, become the user."""
        self._join_pod()
        linux.unshare(linux.CLONE_NEWNS)
        rootfs.build(root, mounts, self.working_directory, bool(self._spec.get("read_only_root")))
        linux.enter_root(root)
        if self._handover is not None:
            self._handover.give("/dev/pts/ptmx", self.identity.owner)
        self.identity.assume()

    def _join_pod(self) -> None:
        for kind, flag in (("net", linux.CLONE_NEWNET), ("uts", linux.CLONE_NEWUTS), ("ipc", linux.CLONE_NEWIPC)):
            linux.setns(self.sandbox.namespaces[kind], flag)

    def send_signal(self, number: int) -> None:
        """The process is our unreaped child, so its number cannot belong to another one."""
        if self.running and self.pid:
            os.kill(self.pid, number)

    def finish(self, status: int, now: float) -> None:
        """Record the end that waitpid told."""
        code = os.waitstatus_to_exitcode(status)
        self.exit_code = code if code >= 0 else 128 - code
        self.signal = -code if code < 0 else None
        self.finished_at = now
        self.message = self._read_termination_message()
        self.let_go()

    def let_go(self) -> None:
        """Close logs and take files back. Idempotent."""
        for output in self._outputs:
            output.finish()
        self._outputs = []
        if self._handover is not None:
            self._handover.close()
            self._handover = None
        self.close_stdin()
        if self._log is not None:
            self._log.close()
        if self._termination_log:
            try:  # noqa: SIM105
                os.unlink(self._termination_log)
            except OSError:
                pass
            self._termination_log = ""

    def _read_termination_message(self) -> str:
        try:
            with open(self._termination_log, "rb") as file:
                return file.read(_LONGEST_TERMINATION_MESSAGE).decode("utf-8", "replace")
        except OSError:
            return ""


class Execution:
    """A command inside a running container. Its stdio goes to the caller as descriptors, not through here."""

    def __init__(self, container: Container, number: int) -> None:
        self.container = container
        self.number = number
        self.pid = 0
        self.report: Report | None = None
        self.ended = False

    def start(self, request: Message, own_pid_namespace: int) -> tuple[int, list[int]]:
        """Returns (report, the caller's descriptors: [terminal] or [stdout, stderr] and [stdin] when wanted)."""
        terminal = bool(request.get("tty"))
        namespaces = self._open_namespaces()
        theirs: list[int] = []
        try:
            stdio, theirs = self._open_stdio(terminal, bool(request.get("stdin")))
            program = Program(
                request["command"],
                request["environment"],
                self.container.working_directory,
                self.container.identity,
                terminal,
            )
            linux.setns(namespaces["pid"], linux.CLONE_NEWPID)
            try:
                self.pid, report = fork_and_execute(lambda: self._enter(namespaces), stdio, program)
            finally:
                linux.setns(own_pid_namespace, linux.CLONE_NEWPID)
                _close_all(set(stdio))
        except BaseException:
            _close_all(theirs)
            raise
        finally:
            _close_all(namespaces.values())
        return report, theirs

    def _open_namespaces(self) -> dict[str, int]:
        opened: dict[str, int] = {}
        try:
            for kind in ("pid", "mnt", "user"):
                path = f"/proc/{self.container.pid}/ns/{kind}"
                opened[kind] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            _close_all(opened.values())
            raise RuntimeError(f"container {self.container.id} is ending: {error.strerror}") from error
        return opened

    def _open_stdio(self, terminal: bool, stdin: bool) -> tuple[tuple[int, int, int], list[int]]:
        if terminal:
            ptmx = f"/proc/{self.container.pid}/root/dev/pts/ptmx"
            master, slave = open_terminal(ptmx, self.container.identity.owner)
            return (slave, slave, slave), [master]
        out_reader, out = os.pipe2(os.O_CLOEXEC)
        err_reader, err = os.pipe2(os.O_CLOEXEC)
        if not stdin:
            return (os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC), out, err), [out_reader, err_reader]
        in_reader, in_writer = os.pipe2(os.O_CLOEXEC)
        return (in_reader, out, err), [out_reader, err_reader, in_writer]

    def _enter(self, namespaces: dict[str, int]) -> None:
        self.container._join_pod()
        linux.setns(namespaces["mnt"], linux.CLONE_NEWNS)
        if self.container.identity.nested:
            linux.setns(namespaces["user"], linux.CLONE_NEWUSER)
        self.container.identity.assume(entered=True)

    def kill(self) -> None:
        """The command and what it started in its session."""
        if self.pid and not self.ended:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                os.kill(self.pid, signal.SIGKILL)  # before its setsid


def _close_all(descriptors: object) -> None:
    for fd in descriptors:  # type: ignore[attr-defined]
        os.close(fd)
