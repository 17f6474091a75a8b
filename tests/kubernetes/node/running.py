"""A whole real Kubernetes on this machine, for as long as someone needs it: three nodes in three zones.

    with real_kubernetes() as kubernetes:
        kubectl --kubeconfig kubernetes.kubeconfig get nodes

What it needs is in `needs.py`, what runs where in `layout.py` and `settings.py`. All of it lives in namespaces (see
`island.py`) whose first process is told by the kernel to end when this process ends, be it by SIGKILL.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kubernetes.node import archives, identities, needs, settings, stores
from tests.kubernetes.node.keeping import in_groups
from tests.kubernetes.node.layout import CACHE, COREDNS_IMAGE, MACHINES, PAUSE_IMAGE, Folders
from tests.kubernetes.node.objects import objects
from tests.kubernetes.node.programs import all_programs
from tests.kubernetes.node.residue import claimed

from klamm.base.clock import SystemClock

CHECKOUT = Path(__file__).resolve().parents[3]
READY_WITHIN = 180.0
_ASKED_WITHIN = 60.0
_CLOCK = SystemClock()


class NotRunning(Exception):
    """The text says what did not come up, or what ended, and the last words of its log."""


@dataclass(frozen=True)
class RealKubernetes:
    folders: Folders
    _island: "subprocess.Popen[bytes]"

    @property
    def kubeconfig(self) -> Path:
        return self.folders.kubeconfig("admin")

    def kubectl(self, *arguments: str, given: str = "") -> str:
        """What it prints. Raises `NotRunning` when it fails."""
        argv = ["kubectl", f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(argv, input=given, capture_output=True, text=True, timeout=_ASKED_WITHIN)
        if done.returncode:
            raise NotRunning(f"kubectl {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def until(self, what: str, condition: Callable[[], object], within: float = READY_WITHIN) -> None:
        """Raises `NotRunning` when it does not come, or as soon as the cluster has ended."""
        begun, why = _CLOCK.monotonic(), ""
        while True:
            try:
                if condition():
                    return
            except NotRunning as error:
                why = str(error)
            if self._island.poll() is not None:
                raise NotRunning(f"it ended with {self._island.returncode}:\n{self._last_words()}")
            if _CLOCK.monotonic() - begun > within:
                raise NotRunning(f"not within {within:g} s: {what} {why}\n{self._last_words()}")
            threading.Event().wait(0.2)

    def _last_words(self) -> str:
        logs = [self.folders.logs, *(self.folders.machine(machine) / "log" for machine in MACHINES)]
        files = [path for folder in logs for path in sorted(folder.glob("*.log"))]
        return "\n".join(f"# {path}\n{_tail(path)}" for path in files)


@contextmanager
def real_kubernetes(images: Sequence[Path] = ()) -> Iterator[RealKubernetes]:
    """Returns when three nodes are Ready and names are resolved; everything is gone at the end.

    `images`: archives whose images every node has. Raises `needs.Missing`, `CannotBuild`, `CannotImport`, `NotRunning`.
    """
    needs.check()
    programs = all_programs()
    with claimed() as (root, groups), socket.create_server(("127.0.0.1", 0)) as listening:
        folders = Folders(root)
        _prepare(folders, [*_own_images(programs), *images], f"https://127.0.0.1:{listening.getsockname()[1]}")
        given = {name: str(path) for name, path in programs.items()}
        island = _start(folders, given, groups, listening.fileno())
        listening.close()
        kubernetes = RealKubernetes(folders, island)
        try:
            _furnish(kubernetes)
            yield kubernetes
        finally:
            island.kill()
            island.wait()


def _own_images(programs: Mapping[str, Path]) -> list[Path]:
    """Of a pod's sandbox and of CoreDNS."""
    archives_folder = CACHE / "images"
    archives_folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, image in (("pause", PAUSE_IMAGE), ("coredns", COREDNS_IMAGE)):
        path = archives_folder / f"{programs[name].parent.name}.tar"
        archives.write(path, image, {name: programs[name]}, [f"/{name}"])
        made.append(path)
    return made


def _prepare(folders: Folders, images: Sequence[Path], url: str) -> None:
    for path in (folders.certificates, folders.logs, folders.temporary, folders.volumes):
        path.mkdir()
    folders.temporary.chmod(0o1777)
    identities.make(folders, url)
    for machine in MACHINES:
        folder = folders.machine(machine)
        for name in ("log", "var/lib", "var/log"):
            (folder / name).mkdir(parents=True)
        for name, text in settings.machine_files(folders, machine).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    stores.fill(images, [folders.machine(machine) / "var/lib/containerd" for machine in MACHINES])


def _start(
    folders: Folders, programs: dict[str, str], groups: Sequence[Path], descriptor: int
) -> "subprocess.Popen[bytes]":
    """In control groups of its own from the first moment; ended by the kernel when this process ends."""
    argv = [
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("unshare", "--mount", "--net", "--uts", "--pid", "--mount-proc", "--fork", "--kill-child", "--"),
        *(sys.executable, "-m", "tests.kubernetes.node.island", str(folders.root)),
        *(json.dumps(programs), json.dumps(list(map(str, groups))), str(descriptor)),
    ]
    with open(folders.logs / "island.log", "wb") as log:
        return subprocess.Popen(
            in_groups(groups, argv),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=CHECKOUT,
            env={"PATH": os.defpath + ":/usr/sbin:/sbin", "PYTHONPATH": f"{CHECKOUT / 'src'}:{CHECKOUT}"},
            pass_fds=[descriptor],
            # Ctrl-C is for the runner, which then ends this.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )


def _furnish(kubernetes: RealKubernetes) -> None:
    kubernetes.until("the API server is ready", lambda: kubernetes.kubectl("get", "--raw", "/readyz") == "ok")
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects()})
    kubernetes.kubectl("apply", "-f", "-", given=listed)
    jsonpath = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    nodes = ("get", "nodes", "-o", f"jsonpath={jsonpath}")
    kubernetes.until("three nodes are Ready", lambda: kubernetes.kubectl(*nodes).split() == ["True"] * len(MACHINES))
    dns = ("get", "deployment/coredns", "-n", "kube-system", "-o", "jsonpath={.status.readyReplicas}")
    kubernetes.until("CoreDNS is ready", lambda: kubernetes.kubectl(*dns) == "1")


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-8:])
