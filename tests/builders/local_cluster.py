"""A whole klamm in a home of its own: real processes, asked by kubectl, damaged by signals, and taken away again.

`local_cluster()` makes the home (a short path, because unix sockets allow 107 bytes), and at the end takes everything
down and fails when a process, a mount or a file of the home is left. Downloads and class archives are shared with the
user's own clusters.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.builders.cluster import CHECKOUT, CLOCK, READY_WITHIN, Cluster

from klamm.cli.home import Home


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


class LocalCluster(Cluster):
    def __init__(self, home: Path, user: User) -> None:
        self.home = home
        self.user = user
        self._tools = home.with_name(home.name + ".u")
        self._memory_key = Home(home, home).memory.name.rsplit("-", 1)[1]
        cache = user.cache or Path(_of_us("KLAMM_CACHE") or Path.home() / ".cache" / "klamm")
        environment = {
            "PATH": _of_us("PATH") or os.defpath,
            "HOME": str(self._tools),
            "KLAMM_HOME": str(home),
            "KLAMM_CACHE": str(cache),
            "KUBECONFIG": str(home / "kubeconfig"),
            "PYTHONPATH": str(CHECKOUT / "src"),
            "LC_ALL": "C.UTF-8",
        }
        super().__init__(environment, user.uid)

    def install_operator(self) -> None:
        """klamm has seen the namespace, and does it."""

    def uninstall_operator(self) -> None:
        self.kubectl("delete", "deployment", "strimzi-cluster-operator", "-n", "kafka")

    def logs(self) -> dict[str, Path]:
        return {"log": self.home / "log"}

    def most_telling_logs(self) -> list[Path]:
        return [self.home / "log" / f"{name}.log" for name in ("guardian", "node", "control-plane")]

    # Commands

    def klamm(
        self, *arguments: str, exit_code: int = 0, within: float = READY_WITHIN + 60, under: Sequence[str] = ()
    ) -> str:
        """What the command prints; fails when it ends otherwise than with `exit_code`. `under`: it is started by."""
        argv = [*under, self.user.python, "-m", "klamm.programs.klamm", *arguments]
        return self._output(argv, exit_code, within)

    def start_klamm(self, *arguments: str) -> "subprocess.Popen[str]":
        return self._start([self.user.python, "-m", "klamm.programs.klamm", *arguments], self.environment)

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

    # Ends

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
        cluster.klamm("down", "--delete")
        print(f"{CLOCK.monotonic() - begun:6.1f} s until klamm down --delete has ended")
        assert cluster.leftovers() == []
    finally:
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


def _of_us(name: str) -> str | None:
    return os.environ.get(name)  # noqa: TID251 (a test hands on what it was started with)


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
