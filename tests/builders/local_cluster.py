"""A whole klamm in a home of its own: real processes, asked by kubectl, damaged by signals, and taken away again.

`local_cluster()` makes the home (a short path, because unix sockets allow 107 bytes), and at the end takes everything
down and fails when a process, a mount or a file of the home is left. Downloads and class archives are shared with the
user's own clusters. Every wait is `until("words", condition)`: it polls, and when its time is over it fails with those
words, with what the cluster looks like, and with the folder where all logs were put.
"""

import errno
import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from klamm.base.clock import SystemClock
from klamm.cli.home import Home
from klamm.localkube.node.processes import rest_of_terminal

Found = TypeVar("Found")
Object = dict[str, Any]

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLES = CHECKOUT / "examples"

CLOCK = SystemClock()
PAUSE = 0.25
"""Seconds between two looks at a condition."""
READY_WITHIN = 180.0
"""Seconds that a cluster may take on a machine that does much else; what it took is printed."""
GONE_WITHIN = 150.0


@dataclass(frozen=True, slots=True)
class User:
    """Who runs klamm: the interpreter that has its libraries, the cache, and the uid (None: whoever runs pytest)."""

    python: str = sys.executable
    cache: Path | None = None
    uid: int | None = None


@dataclass(frozen=True, slots=True)
class HomeProcess:
    """A process that belongs to a home. `host`: its HOSTNAME, which in a pod is the pod's name."""

    pid: int
    command: str
    host: str
    started: str

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class LocalCluster:
    def __init__(self, home: Path, user: User) -> None:
        self.home = home
        self.user = user
        self._tools = home.with_name(home.name + ".u")
        self._memory_key = Home(home, home).memory.name.rsplit("-", 1)[1]
        cache = user.cache or Path(_of_us("KLAMM_CACHE") or Path.home() / ".cache" / "klamm")
        self.environment = {
            "PATH": _of_us("PATH") or os.defpath,
            "HOME": str(self._tools),
            "KLAMM_HOME": str(home),
            "KLAMM_CACHE": str(cache),
            "KUBECONFIG": str(home / "kubeconfig"),
            "PYTHONPATH": str(CHECKOUT / "src"),
            "LC_ALL": "C.UTF-8",
        }

    # Commands

    def klamm(
        self, *arguments: str, exit_code: int = 0, within: float = READY_WITHIN + 60, under: Sequence[str] = ()
    ) -> str:
        """What the command prints; fails when it ends otherwise than with `exit_code`. `under`: it is started by."""
        argv = [*under, self.user.python, "-m", "klamm.programs.klamm", *arguments]
        return self._output(argv, exit_code, within)

    def start_klamm(self, *arguments: str) -> "subprocess.Popen[str]":
        return self._start([self.user.python, "-m", "klamm.programs.klamm", *arguments], self.environment)

    def kubectl(self, *arguments: str, exit_code: int = 0, within: float = 60, given: str = "") -> str:
        return self._output(["kubectl", *arguments], exit_code, within, given)

    def typed(self, line: str, *, exit_code: int = 0, within: float = 60, given: str = "") -> str:
        """What a person sees who types this line in examples/."""
        return self._output(["bash", "-o", "pipefail", "-c", line], exit_code, within, given)

    def typed_in_terminal(self, line: str, *, within: float = 60, given: str = "") -> str:
        """The same with a terminal of 24 rows and 80 columns; `given` is what is typed after the line."""
        code, text = _in_terminal(["bash", "-c", line], self.environment, given, within)
        assert code == 0, f"$ {line}\n{text}\nended with {code}{self.story()}"
        return text

    def _output(self, argv: Sequence[str], exit_code: int, within: float, given: str = "") -> str:
        process = self._start(argv, self.environment)
        try:
            output, _ = process.communicate(given, timeout=within)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise AssertionError(f"{_shown(argv)}: no end after {within:g} s\n{output}{self.story()}") from None
        if process.returncode != exit_code:
            raise AssertionError(f"{_shown(argv)}\n{output}\nended with {process.returncode}{self.story()}")
        return output

    def _start(self, argv: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            argv,
            cwd=EXAMPLES,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=self.user.uid,
            group=self.user.uid,
            extra_groups=None if self.user.uid is None else [],
        )

    # Objects

    def objects(self, *what: str) -> list[Object]:
        """`kubectl get …` of several objects; empty when there is none."""
        listed: Object = json.loads(self.kubectl("get", *what, "-o", "json"))
        items: list[Object] = listed["items"]
        return items

    def found(self, *what: str) -> Object | None:
        """One object, None when it is not there; also None while the API does not answer."""
        process = self._start(["kubectl", "get", *what, "-o", "json", "--ignore-not-found"], self.environment)
        output, _ = process.communicate(timeout=60)
        if process.returncode or not output.strip():
            return None
        found: Object = json.loads(output)
        return found

    def pods(self, namespace: str = "kafka") -> dict[str, Object]:
        """By name; empty while the API does not answer."""
        listed = self.found("pods", "-n", namespace) or {"items": []}
        return {pod["metadata"]["name"]: pod for pod in listed["items"]}

    # Processes

    def processes(self) -> list[HomeProcess]:
        """Everything that runs for this home: named in its command line or environment, or mounted in its root."""
        return [found for entry in Path("/proc").iterdir() if (found := _process_of(entry, str(self.home)))]

    def process_of(self, host: str, *words: str) -> HomeProcess:
        """The one process in this pod (or, with host "", outside pods) whose command line has these words."""
        found = [
            one
            for one in self.processes()
            if (not host or one.host == host) and all(word in one.command for word in words)
        ]
        assert len(found) == 1, f"one process {words} of {host or 'the home'}: {found}"
        return found[0]

    # Waiting

    def until(
        self,
        what: str,
        condition: Callable[[], Found | None],
        *,
        within: float = READY_WITHIN,
        telling: Callable[[], str] = str,
    ) -> Found:
        """What `condition` finds (neither None nor False) in the end.

        Fails by name, with what `telling` tells and with the cluster's story.
        """
        begun = CLOCK.monotonic()
        while not (found := condition()):
            if CLOCK.monotonic() - begun > within:
                raise AssertionError(f"not within {within:g} s: {what}\n{telling()}{self.story()}")
            pause()
        print(f"{CLOCK.monotonic() - begun:6.1f} s until {what}")
        return found

    def until_ready(self, name: str = "my-cluster", *, within: float = READY_WITHIN) -> None:
        """Kafka is Ready, of its newest generation, and so is every pod of the namespace."""
        self.until(f"Kafka {name} is Ready, and every pod", lambda: self.reason_not_ready(name) is None, within=within)

    def reason_not_ready(self, name: str = "my-cluster") -> str | None:
        kafka = self.found("kafka", name, "-n", "kafka")
        if kafka is None:
            return "there is no such Kafka, or the API does not answer"
        status = kafka.get("status", {})
        if status.get("observedGeneration") != kafka["metadata"]["generation"]:
            return "not looked at"
        if not is_true(kafka, "Ready"):
            return f"conditions {status.get('conditions')}"
        return next((f"pod {name}" for name, pod in self.pods().items() if not is_ready_pod(pod)), None)

    # Ends

    def story(self) -> str:
        """What the cluster looks like now, for an assertion's message; all logs go to a folder named in it."""
        shown = []
        for line in (
            "kubectl get kafka,pod -A -o wide",
            "kubectl get kafka -A -o jsonpath='{.items[*].status.conditions}'",
            "kubectl get events -A --sort-by=.lastTimestamp | tail -n 12",
        ):
            shown.append(f"$ {line}\n{self._attempt(line)}")
        for log in ("guardian", "node", "control-plane"):
            path = self.home / "log" / f"{log}.log"
            lines = path.read_text(errors="replace").splitlines()[-12:] if path.exists() else ["(none)"]
            shown.append("\n".join([f"# {log}.log", *lines]))
        operator = "kubectl logs deploy/strimzi-cluster-operator -n kafka --tail=15"
        shown.append(f"$ {operator}\n{self._attempt(operator)}")
        return f"\n\nall logs: {self.keep_logs()}\n" + "\n".join(shown)

    def keep_logs(self) -> Path:
        """A copy of every log, and of every object, that stays when the home goes."""
        folder = Path(tempfile.mkdtemp(prefix="klamm-failed-"))
        if (self.home / "log").exists():
            shutil.copytree(self.home / "log", folder / "log", symlinks=True, ignore_dangling_symlinks=True)
        what = "kafkas,kafkatopics,kafkausers,strimzipodsets,all,pvc,pv,cm,endpointslices,events,nodes"
        (folder / "objects.yaml").write_text(self._attempt(f"kubectl get {what} -A -o yaml"))
        return folder

    def _attempt(self, line: str) -> str:
        process = self._start(["bash", "-c", line], self.environment)
        try:
            return process.communicate(timeout=20)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0] + "(no end after 20 s)"

    def leftovers(self) -> list[str]:
        """What should be gone after `down --delete`, in words."""
        left = [f"process {one.pid}: {one.command[:200]}" for one in self.processes()]
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        left += [f"mount {line}" for line in mounts if str(self.home) in line]
        left += [f"volumes in memory: {path}" for path in Path("/dev/shm").glob(f"*-{self._memory_key}")]
        if self.home.exists():
            left.append(f"folder {self.home}: {sorted(path.name for path in self.home.iterdir())}")
        return left

    def remove(self) -> None:
        """Whatever is left, without asking: after a failure that is already told."""
        for one in self.processes():
            one.kill()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self._tools, ignore_errors=True)

    def prepare(self) -> None:
        self._tools.mkdir(mode=0o700)
        if self.user.uid is not None:
            os.chown(self._tools, self.user.uid, self.user.uid)


@contextmanager
def local_cluster(user: User | None = None) -> Iterator[LocalCluster]:
    """A home without anything in it yet; taken down and checked at the end."""
    folder = Path(tempfile.mkdtemp(prefix="kl-", dir="/tmp"))
    cluster = LocalCluster(folder / "h", user or User())
    try:
        if cluster.user.uid is not None:
            os.chown(folder, cluster.user.uid, cluster.user.uid)
        cluster.prepare()
        yield cluster
        begun = CLOCK.monotonic()
        cluster.klamm("down", "--delete", within=120)
        print(f"{CLOCK.monotonic() - begun:6.1f} s until klamm down --delete has ended")
        assert cluster.leftovers() == []
    finally:
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


def pause(seconds: float = PAUSE) -> None:
    """Between two looks at a named condition."""
    threading.Event().wait(seconds)


def is_true(obj: Object, condition: str) -> bool:
    conditions = obj.get("status", {}).get("conditions", [])
    return any(one["type"] == condition and one["status"] == "True" for one in conditions)


def is_ready_pod(pod: Object) -> bool:
    return is_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]


def restarts_of(pod: Object) -> int:
    return sum(one["restartCount"] for one in pod["status"].get("containerStatuses", []))


def _of_us(name: str) -> str | None:
    return os.environ.get(name)  # noqa: TID251 (a test hands on what it was started with)


def _shown(argv: Sequence[str]) -> str:
    return f"$ {argv[-1]}" if argv[0] == "bash" else f"$ {' '.join(argv)}"


def _process_of(entry: Path, home: str) -> HomeProcess | None:
    if not entry.name.isdigit() or int(entry.name) == os.getpid():
        return None
    try:
        command = (entry / "cmdline").read_bytes()
        environment = (entry / "environ").read_bytes()
        mounts = (entry / "mountinfo").read_bytes()
        stat = (entry / "stat").read_text()
    except OSError:
        return None  # it ended while we looked, or belongs to somebody else
    if not command or not any(home.encode() in text for text in (command, environment, mounts)):
        return None
    variables = dict(part.split(b"=", 1) for part in environment.split(b"\0") if b"=" in part)
    return HomeProcess(
        pid=int(entry.name),
        # A guardian's command line ends with that of the control plane, which is another process.
        command=command.replace(b"\0", b" ").decode(errors="replace").strip().split(" -- ")[0],
        host=variables.get(b"HOSTNAME", b"").decode(),
        started=stat.rsplit(")", 1)[1].split()[19],
    )


def _in_terminal(argv: Sequence[str], environment: Mapping[str, str], given: str, within: float) -> tuple[int, str]:
    """(exit code, everything on the screen)"""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        argv,
        cwd=EXAMPLES,
        env={**environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    timer = threading.Timer(within, process.kill)
    timer.start()
    try:
        os.write(ours, given.encode())
        screen = b"".join(iter(lambda: _read_terminal(ours), b""))
        return process.wait(), screen.decode(errors="replace")
    finally:
        timer.cancel()
        os.close(ours)


def _read_terminal(fd: int) -> bytes:
    try:
        return os.read(fd, 1 << 16)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return rest_of_terminal(fd)  # its last holder closed it
