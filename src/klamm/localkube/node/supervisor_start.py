"""The node's supervisor comes to be: out of the host's namespaces and into its own, with the guardian's help.

Started by the guardian. It waits for the node of an earlier guardian, leaves the host's namespaces, waits until the
guardian has written its id maps, forks into the new pid namespace and becomes the `Supervisor` there.
"""

from __future__ import annotations

import fcntl
import gc
import os
import resource
import signal
import socket
import time

from klamm.localkube.node import epoll, linux, wire
from klamm.localkube.node.folders import Folders
from klamm.localkube.node.supervisor import Supervisor

_OTHER_NODE_ENDS_WITHIN = 60


def clear_leftovers(folders: Folders) -> None:
    """No pod outlives a node: the pods' files and the addresses that the relay kept are an earlier node's."""
    if os.path.exists(folders.network_file):
        os.unlink(folders.network_file)
    for pod in os.scandir(folders.pods):
        for file in os.scandir(pod.path):
            os.unlink(file.path)
        os.rmdir(pod.path)


def _lock_node(folders: Folders) -> int:
    """Wait for the node of a guardian that was killed: it is ending its pods, which own data folders."""
    fd = os.open(folders.node_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def give_up(*_: object) -> None:
        raise TimeoutError(f"the node of an earlier run still ends its pods after {_OTHER_NODE_ENDS_WITHIN} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_OTHER_NODE_ENDS_WITHIN)
    fcntl.flock(fd, fcntl.LOCK_EX)
    signal.alarm(0)
    return fd


def _leave_host(guardian: wire.Channel) -> None:
    """Into new namespaces; the guardian, who stays outside, writes the id maps. Returns in process 1."""
    linux.unshare(
        linux.CLONE_NEWUSER
        | linux.CLONE_NEWNS
        | linux.CLONE_NEWNET
        | linux.CLONE_NEWPID
        | linux.CLONE_NEWIPC
        | linux.CLONE_NEWUTS
    )
    guardian.send({"map": os.getpid()})
    _await(guardian, "mapped")
    pid = os.fork()
    if pid:
        guardian.send({"supervisor": pid})
        os._exit(0)
    _await(guardian, "known")
    linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)


def _await(guardian: wire.Channel, word: str) -> None:
    guardian.socket.settimeout(10)
    for message, _ in guardian.receive():
        if message.get("failed"):
            raise RuntimeError(message["failed"])
        if message.get(word):
            guardian.socket.setblocking(False)
            return
    raise RuntimeError(f"the guardian did not answer {word}")


def main(arguments: list[str]) -> int:
    """`--home FOLDER --guardian-fd N`"""
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    folders = Folders(given["--home"])
    guardian = wire.Channel(socket.socket(fileno=int(given["--guardian-fd"])))
    os.set_inheritable(guardian.fileno(), False)
    try:
        _lock_node(folders)
        os.umask(0o022)  # what pods see (/etc/hosts) is for every user in them; the run folder itself is 0700
        _leave_host(guardian)
        linux.set_process_name("klamm-node")
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        clear_leftovers(folders)
        loop = epoll.Loop(time.monotonic)  # noqa: TID251 (this is a program: its clock begins here)
        Supervisor(loop, folders, guardian, time.time_ns)
    except (OSError, RuntimeError) as error:
        guardian.send({"failed": f"start the node: {error}"})
        return 1
    gc.collect()
    gc.freeze()
    loop.run()
    clear_leftovers(folders)
    return 0
