"""The first process of a node: python -m tests.kubernetes.node.machine FOLDER NAME PROGRAMS

It has network, mount, UTS and cgroup namespaces of its own, so containerd, kubelet and kube-proxy find their usual
places (/var, /run, the root of the control groups) empty and theirs alone.
"""

import json
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.kubernetes.node import settings
from tests.kubernetes.node.island import run, until
from tests.kubernetes.node.keeping import Keeper, end
from tests.kubernetes.node.layout import MACHINES, Folders


def main(arguments: Sequence[str]) -> None:
    folders, programs = Folders(Path(arguments[0])), json.loads(arguments[2])
    machine = next(each for each in MACHINES if each.name == arguments[1])
    socket.sethostname(machine.name)
    _mount(folders.machine(machine))
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    logs = folders.machine(machine) / "log"
    keeper = Keeper(logs)
    for name, argv in settings.machine_programs(folders, machine, programs).items():
        keeper.start(name, argv)
        if name == "containerd":
            until("containerd listens", lambda: listens(folders.containerd_socket(machine)))
    end(keeper.keep())


def _mount(folder: Path) -> None:
    run("mount", "--bind", str(folder / "var"), "/var")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "machine", "/run")
    for name in settings.KERNEL_SETTINGS:
        run("mount", "--bind", str(folder / "kernel" / name), f"/proc/sys/{name}")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "cgroups", "/sys/fs/cgroup")
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        controllers = line.split(":")[1]
        if controllers and not controllers.startswith("name="):
            place = Path("/sys/fs/cgroup", controllers)
            place.mkdir()
            run("mount", "-t", "cgroup", "-o", controllers, "cgroup", str(place))
    # Volumes that kubelet mounts later are to be seen by containerd and by the containers that ask for it.
    run("mount", "--make-rshared", "/")


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.connect(str(path))
        return True
    return False


if __name__ == "__main__":
    main(sys.argv[1:])
