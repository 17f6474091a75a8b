"""The Linux calls that Python 3.11 lacks: namespaces, mounts, capabilities. A thin door over libc.

Every function raises `OSError` whose text says which call failed on which object; nothing is decided here.
`ctypes` is the only import that costs something, so that the programs of the node stay small.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_SYS_MOUNT_SETATTR = 442
_MOUNT_ATTR_RDONLY = 1
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, doing: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{doing}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), f"unshare namespaces {flags:#x}")


def setns(fd: int, kind: int) -> None:
    _check(_libc.setns(fd, kind), f"enter namespace {kind:#x}")


def mount(source: str, target: str, kind: str | None, flags: int = 0, data: str | None = None) -> None:
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )
    _check(result, f"mount {source} at {target}")


def make_read_only(target: str) -> None:
    """Recursively, by mount_setattr(2) (Linux 5.12): it adds the flag and keeps those that a user namespace locks."""
    attributes = ctypes.create_string_buffer(struct.pack("=QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0), 32)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        _AT_FDCWD,
        os.fsencode(target),
        _AT_RECURSIVE,
        attributes,
        ctypes.c_size_t(32),
    )
    if result < 0 and ctypes.get_errno() == errno.ENOSYS:
        _remount_read_only(target)
        return
    _check(result, f"make {target} read-only")


def _remount_read_only(target: str) -> None:
    """For older kernels: this mount only, with the flags it already has, which a user namespace may not drop."""
    kept = os.statvfs(target).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC | 1024 | 2048 | 4096)
    atime = {1024: 1024, 2048: 2048, 4096: 1 << 21}
    flags = kept & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for bit, flag in atime.items():
        flags |= flag if kept & bit else 0
    mount("none", target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)


def unmount(target: str, flags: int = 0) -> None:
    _check(_libc.umount2(os.fsencode(target), flags), f"unmount {target}")


def enter_root(folder: str) -> None:
    """pivot_root(2) into `folder`, a mount point; the old root is let go."""
    os.chdir(folder)
    _check(_libc.syscall(ctypes.c_long(_pivot_root_number()), b".", b"."), f"pivot_root into {folder}")
    unmount(".", MNT_DETACH)
    os.chdir("/")


def _pivot_root_number() -> int:
    """The one call whose number differs by machine: x86-64 has its own table, newer machines share the generic one."""
    return 155 if os.uname().machine == "x86_64" else 41


def set_hostname(name: str) -> None:
    raw = name.encode()
    _check(_libc.sethostname(raw, ctypes.c_size_t(len(raw))), f"set hostname {name}")


def die_with_parent(signal: int) -> None:
    _check(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal), 0, 0, 0), "set parent death signal")


def adopt_orphans() -> None:
    """Grandchildren whose parent ends become our children (PR_SET_CHILD_SUBREAPER)."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0), "become subreaper")


def set_process_name(name: str) -> None:
    _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


# What container runtimes leave to root in a container; without the rest it can neither unmount what we mounted
# read-only nor change the pod's network.
_KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31})


def drop_capabilities() -> None:
    """Bounds what the next execve gets. Numbers that this kernel lacks end the loop."""
    for capability in range(64):
        if capability in _KEPT_CAPABILITIES:
            continue
        if _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            return
