"""The first process inside: python -m tests.kubernetes.node.island FOLDER PROGRAMS CGROUPS DESCRIPTOR

It has network, mount, PID and UTS namespaces of its own, which the nodes' are made in. So everything that Kubernetes
does to a machine (processes, mounts, bridges, addresses, firewall rules, kernel settings of a network) is done to
namespaces that end with this process, however it ends. All that it can write is FOLDER: the rest is mounted
read-only. What namespaces do not hold, and the runner takes away, is FOLDER itself and the control groups.

PROGRAMS: JSON, path of each program by name. CGROUPS: JSON, the cluster's folder in each hierarchy. DESCRIPTOR: of a
socket that listens on the machine's loopback; the relay answers there for the API server.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.kubernetes.node import settings
from tests.kubernetes.node.keeping import Keeper, end, in_groups
from tests.kubernetes.node.layout import API_ADDRESS, LAN, MACHINES, SERVICES, Folders, Machine

from klamm.base.clock import SystemClock

UP_WITHIN = 60.0
_CHECKOUT = Path(__file__).parents[3]
"""Programs that run inside are of this one, wherever it lies."""
_CLOCK = SystemClock()


def main(arguments: Sequence[str]) -> None:
    folders, programs, cgroups = Folders(Path(arguments[0])), json.loads(arguments[1]), json.loads(arguments[2])
    _mount(folders)
    _connect()
    keeper = Keeper(folders.logs)
    for name, argv in settings.control_plane(folders, programs).items():
        keeper.start(name, argv)
        if name == "kube-apiserver":
            # Whoever comes earlier is refused what the API server has not granted yet, and gives up.
            until("the API server is ready", lambda: _is_ready(folders))
    keeper.start("volumes", [sys.executable, "-m", "tests.kubernetes.node.volumes", str(folders.volumes)])
    keeper.start("relay", [sys.executable, "-m", "tests.kubernetes.node.relay", arguments[3]])
    for machine in MACHINES:
        keeper.start(machine.name, _on_machine(folders, machine, programs, cgroups))
    end(keeper.keep())


def _mount(folders: Folders) -> None:
    run("mount", "--bind", str(folders.root), str(folders.root))
    run("mount", "-t", "tmpfs", "-o", "mode=755", "island", "/run")
    if _CHECKOUT.is_relative_to("/tmp"):
        shown = folders.temporary / _CHECKOUT.relative_to("/tmp")
        shown.mkdir(parents=True)
        run("mount", "--bind", str(_CHECKOUT), str(shown))
    run("mount", "--rbind", str(folders.temporary), "/tmp")
    run("mount", "-o", "remount,bind,ro", "/")


def _connect() -> None:
    """A bridge with the API's address, and a cable from it to each node; pods are reached through their node."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "lan", "type", "bridge")
    run("ip", "address", "add", f"{API_ADDRESS}/{LAN.rsplit('/', 1)[1]}", "dev", "lan")
    run("ip", "link", "set", "lan", "up")
    for machine in MACHINES:
        _plug(machine)
    for machine in MACHINES:
        run("ip", "route", "add", machine.pods, "via", machine.address)
        for other in MACHINES:
            if other != machine:
                run("ip", "-n", machine.name, "route", "add", other.pods, "via", other.address)
        # kube-proxy rewrites these addresses, but only of packets that have a way to go.
        run("ip", "-n", machine.name, "route", "add", SERVICES, "dev", "eth0")


def _plug(machine: Machine) -> None:
    inside = ("ip", "-n", machine.name)
    run("ip", "netns", "add", machine.name)
    run("ip", "link", "add", machine.name, "type", "veth", "peer", "name", "eth0", "netns", machine.name)
    run("ip", "link", "set", machine.name, "master", "lan", "up")
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "address", "add", f"{machine.address}/{LAN.rsplit('/', 1)[1]}", "dev", "eth0")
    run(*inside, "link", "set", "eth0", "up")


def _on_machine(
    folders: Folders, machine: Machine, programs: Mapping[str, str], cgroups: Sequence[str]
) -> Sequence[str]:
    """A node's control groups are the root of what it sees, so it enters them before it gets a namespace of them."""
    own = [f"{folder}/{machine.name}" for folder in cgroups]
    namespaces = ["ip", "netns", "exec", machine.name, "unshare", "--mount", "--uts", "--cgroup"]
    inside = [sys.executable, "-m", "tests.kubernetes.node.machine", str(folders.root), machine.name]
    return in_groups(own, [*namespaces, *inside, json.dumps(programs)])


def run(*argv: str) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        end(f"{' '.join(argv)} ended with {done.returncode}: {done.stdout.strip()}")


def _is_ready(folders: Folders) -> bool:
    argv = ["kubectl", f"--kubeconfig={folders.kubeconfig('controllers')}", "get", "--raw", "/readyz"]
    return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def until(what: str, condition: Callable[[], bool]) -> None:
    """The whole island ends when it does not come: why is in the program's log, which the runner shows."""
    begun = _CLOCK.monotonic()
    while not condition():
        if _CLOCK.monotonic() - begun > UP_WITHIN:
            end(f"not within {UP_WITHIN:g} s: {what}")
        threading.Event().wait(0.1)


if __name__ == "__main__":
    main(sys.argv[1:])
