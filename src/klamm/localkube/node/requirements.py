"""What the node needs of this host, tried for real in children that end at once, with the mend for each refusal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from klamm.localkube.node import linux
from klamm.localkube.node.addresses import hardware_address
from klamm.localkube.node.netlink import Netlink


class Check:
    """`problem` is "" when the host allows it."""

    __slots__ = ("mend", "name", "problem")

    def __init__(self, name: str, problem: str = "", mend: str = "") -> None:
        self.name = name
        self.problem = problem
        self.mend = mend


_IN_DOCKER = (
    "In a Docker container the default seccomp and AppArmor profiles forbid it: run the container with "
    "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`."
)


def check(read: Callable[[str], str | None] | None = None) -> list[Check]:
    """Every requirement, in the order in which the node meets them; those after a failed one are tried all the same."""
    reader = read or _read
    if not sys.platform.startswith("linux"):
        return [Check("Linux", f"this is {sys.platform}.", "klamm's node needs Linux namespaces: use a Linux machine.")]
    trials: tuple[tuple[str, Callable[[], None]], ...] = (
        ("user namespaces", lambda: None),
        ("network namespaces", _make_network),
        ("mounts in a user namespace", _mount_tmpfs),
        ("/proc in a pid namespace", _mount_proc),
        ("terminals (devpts)", _mount_devpts),
    )
    checks = []
    for name, work in trials:
        reason = _try_in_namespaces(work)
        checks.append(Check(name, reason, mend_for(reader) if reason else ""))
    checks.append(_check_open_files())
    return checks


def mends(checks: list[Check]) -> list[str]:
    """Each mend once: one setting mostly forbids several things."""
    return list(dict.fromkeys(check.mend for check in checks if check.problem))


def mend_for(read: Callable[[str], str | None]) -> str:
    """The setting that forbids namespaces here, and the command that changes it."""
    if read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        return "kernel.unprivileged_userns_clone is 0: `sudo sysctl -w kernel.unprivileged_userns_clone=1`."
    if read("/proc/sys/user/max_user_namespaces") == "0":
        return "user.max_user_namespaces is 0: `sudo sysctl -w user.max_user_namespaces=10000`."
    if read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "kernel.apparmor_restrict_unprivileged_userns is 1 (the default of Ubuntu 24.04): "
            "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or run klamm as root."
        )
    if read("/.dockerenv") is not None or read("/run/.containerenv") is not None:
        return _IN_DOCKER
    if (read("/proc/self/status") or "").find("Seccomp:\t2") >= 0:
        return f"This process runs under a seccomp filter. {_IN_DOCKER}"
    return "No setting that klamm knows of forbids it: look into the kernel's log (`dmesg`)."


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


def _try_in_namespaces(work: Callable[[], None]) -> str:
    """Run `work` as root of fresh namespaces, in process 1 of a pid namespace; "" or why it failed."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            _enter_namespaces()
            inner = os.fork()
            if inner == 0:
                _report_failure(work, writer)
            os.waitpid(inner, 0)
        except BaseException as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        reason = file.read().decode("utf-8", "replace")
    os.waitpid(pid, 0)
    return reason


def _enter_namespaces() -> None:
    user, group = os.geteuid(), os.getegid()
    linux.unshare(linux.CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWPID)


def _report_failure(work: Callable[[], None], writer: int) -> None:
    try:
        work()
    except BaseException as error:
        os.write(writer, str(error).encode())
    os._exit(0)


def _make_network() -> None:
    netlink = Netlink()
    netlink.set_up(1)
    netlink.add_bridge("cni0", hardware_address("10.244.0.1"))
    linux.unshare(linux.CLONE_NEWNET)
    inside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM):
        netlink.add_veth("veth1", 2, "eth0", inside, hardware_address("10.244.0.2"))


def _mount_tmpfs() -> None:
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV)


def _mount_proc() -> None:
    linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)


def _mount_devpts() -> None:
    linux.mount("devpts", "/dev/pts", "devpts", linux.MS_NOSUID, "newinstance,ptmxmode=0666,mode=620")


def _check_open_files() -> Check:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    name = "open files"
    if hard == resource.RLIM_INFINITY or hard >= 8192:
        return Check(name)
    return Check(name, f"the hard limit is {hard}.", "Raise it to 8192 or more: `ulimit -Hn`, limits.conf(5).")


def main(arguments: list[str]) -> int:
    """Print every check (no arguments); 1 when one fails."""
    checks = check()
    for found in checks:
        print(f"no  {found.name}: {found.problem}" if found.problem else f"ok  {found.name}")
    for mend in mends(checks):
        print(mend)
    return 1 if any(found.problem for found in checks) else 0
