"""A container's file system: a plan of mounts, made before the fork, and its execution inside the container.

The root is an empty tmpfs; image and volumes are bound into it, parents first and, at one path, the later over the
earlier. A volume may sit at a path that a read-only image folder does not have: since nothing may be written into
the image, the deepest folder that exists is *unfolded*: replaced by a tmpfs that holds each of its entries as a
bind, where the missing name can then be made. In a writable volume the name is made in the volume, as other
container runtimes do.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from klamm.localkube.node import linux


class Bind:
    """`source` of the host at `target`; `unfold` are folders inside `target` that need room for other mounts."""

    __slots__ = ("read_only", "source", "target", "unfold")

    def __init__(self, source: str, target: str, read_only: bool) -> None:
        self.source = source
        self.target = target
        self.read_only = read_only
        self.unfold: list[str] = []


class Memory:
    """A fresh tmpfs at `target`, of at most `limit` bytes."""

    __slots__ = ("limit", "target")

    def __init__(self, target: str, limit: int | None) -> None:
        self.target = target
        self.limit = limit


class MountFailed(Exception):
    """The text names the mount and the reason."""


_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def normal_path(path: str) -> str:
    """An absolute path without `.`, `..` and doubled slashes: a pod's mount never leaves its root."""
    return os.path.normpath("/" + path.lstrip("/"))


def plan_mounts(
    binds: Sequence[tuple[str, str, bool]],
    memory: Sequence[tuple[str, int | None]],
    exists: Callable[[str], bool] = os.path.exists,
) -> list[Bind | Memory]:
    """Mounts in the order in which they are made, with the folders that must be unfolded for others.

    `binds` are (source, target, read only), the image's first.
    """
    by_target: dict[str, Bind | Memory] = {}
    for source, target, read_only in binds:
        by_target[normal_path(target)] = Bind(source, normal_path(target), read_only)
    for target, limit in memory:
        by_target[normal_path(target)] = Memory(normal_path(target), limit)
    ordered = sorted(by_target.values(), key=lambda mount: mount.target.count("/"))
    for position, mount in enumerate(ordered):
        below = _enclosing(ordered[:position], mount.target)
        if isinstance(below, Bind) and below.read_only:
            folder = _folder_to_unfold(below, mount.target, exists)
            if folder is not None and folder not in below.unfold:
                below.unfold.append(folder)
    for mount in ordered:
        if isinstance(mount, Bind):
            mount.unfold.sort(key=len)
    return ordered


def _enclosing(earlier: Sequence[Bind | Memory], target: str) -> Bind | Memory | None:
    found = [mount for mount in earlier if target.startswith(mount.target.rstrip("/") + "/")]
    return found[-1] if found else None


def _folder_to_unfold(below: Bind, target: str, exists: Callable[[str], bool]) -> str | None:
    """The deepest folder of `below` on the way to `target` when `target` itself is missing; else None."""
    path = target
    while path != below.target:
        if exists(below.source + path[len(below.target.rstrip("/")) :]):
            return None if path == target else path
        path = os.path.dirname(path)
    return below.target


def build(root: str, mounts: Sequence[Bind | Memory], working_directory: str, read_only_root: bool) -> None:
    """Make the file system at `root`, in this process' own mount namespace. Does not enter it."""
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", root, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755")
    for name, mode in (("tmp", 0o1777), ("proc", 0o555), ("dev", 0o755), ("sys", 0o555)):
        os.mkdir(f"{root}/{name}", mode)
        os.chmod(f"{root}/{name}", mode)
    linux.mount("proc", f"{root}/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    _make_devices(f"{root}/dev")
    _mount_sysfs(f"{root}/sys")
    unfolded: list[str] = []
    for mount in mounts:
        try:
            _make_mount(root, mount, unfolded)
        except OSError as error:
            source = mount.source if isinstance(mount, Bind) else "tmpfs"
            raise MountFailed(f"mount {source} at {mount.target}: {error}") from error
    _make_folder(root, normal_path(working_directory))
    for folder in unfolded:
        linux.mount("none", folder, None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _LOCKED)
    if read_only_root:
        linux.mount("none", root, None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _LOCKED)


_LOCKED = linux.MS_NOSUID | linux.MS_NODEV


def _make_devices(folder: str) -> None:
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID, "mode=755,size=1m")
    for name in _DEVICES:
        os.close(os.open(f"{folder}/{name}", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o666))
        linux.mount(f"/dev/{name}", f"{folder}/{name}", None, linux.MS_BIND)
    os.mkdir(f"{folder}/pts")
    linux.mount(
        "devpts",
        f"{folder}/pts",
        "devpts",
        linux.MS_NOSUID | linux.MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=620",
    )
    os.mkdir(f"{folder}/shm")
    linux.mount("tmpfs", f"{folder}/shm", "tmpfs", _LOCKED, "mode=1777,size=64m")
    for name, target in (
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ):
        os.symlink(target, f"{folder}/{name}")


def _mount_sysfs(folder: str) -> None:
    """Some hosts hide parts of /sys, and then the kernel gives no fresh one: programs live without it."""
    try:
        flags = _LOCKED | linux.MS_NOEXEC | linux.MS_RDONLY
        linux.mount("sysfs", folder, "sysfs", flags)
    except OSError:
        return


def _make_mount(root: str, mount: Bind | Memory, unfolded: list[str]) -> None:
    if isinstance(mount, Memory):
        _make_folder(root, mount.target)
        size = f",size={mount.limit}" if mount.limit else ""
        linux.mount("tmpfs", root + mount.target, "tmpfs", _LOCKED, f"mode=1777{size}")
        return
    if mount.target == "/":
        _unfold(mount.source, root, skipping=("proc", "dev", "sys", "tmp"), read_only=mount.read_only)
        return
    place = _make_place(root, mount.target, stat.S_ISDIR(os.stat(mount.source).st_mode))
    linux.mount(mount.source, place, None, linux.MS_BIND | linux.MS_REC)
    if mount.read_only:
        linux.make_read_only(place)
    for folder in mount.unfold:
        inside = folder[len(mount.target.rstrip("/")) :]
        linux.mount("tmpfs", root + folder, "tmpfs", _LOCKED, "mode=755")
        _unfold(mount.source + inside, root + folder, skipping=(), read_only=True)
        unfolded.append(root + folder)


def _unfold(source: str, folder: str, skipping: Sequence[str], read_only: bool) -> None:
    """Fill `folder` with a bind of each entry of `source`; links stay links."""
    for entry in os.scandir(source):
        place = f"{folder}/{entry.name}"
        if entry.name in skipping or os.path.lexists(place):
            continue
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), place)
            continue
        if not (entry.is_dir() or entry.is_file()):
            continue
        _make_leaf(place, entry.is_dir())
        linux.mount(entry.path, place, None, linux.MS_BIND | linux.MS_REC)
        if read_only:
            linux.make_read_only(place)


def _make_place(root: str, target: str, folder: bool) -> str:
    """The mount point for `target`, made where it is missing. Links of the image are followed inside the root."""
    parent = _make_folder(root, os.path.dirname(target))
    place = _inside(root, f"{parent}/{os.path.basename(target)}")
    if not os.path.lexists(place):
        _make_leaf(place, folder)
    return place


def _make_leaf(place: str, folder: bool) -> None:
    if folder:
        os.mkdir(place, 0o755)
    else:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))


def _make_folder(root: str, path: str) -> str:
    """`path` inside `root` as a folder, each step resolved inside the root; returns the host's path of it."""
    place = root
    for name in path.split("/"):
        if not name:
            continue
        place = _inside(root, f"{place}/{name}")
        if not os.path.isdir(place):
            os.mkdir(place, 0o755)
    return place


def _inside(root: str, place: str) -> str:
    """Follow a symbolic link as a process inside the root would: an absolute one starts at the root."""
    for _ in range(40):
        if not os.path.islink(place):
            return place
        link = os.readlink(place)
        where = link if link.startswith("/") else f"{os.path.dirname(place)[len(root) :]}/{link}"
        place = root + normal_path(where).rstrip("/")
    raise OSError(40, f"too many levels of symbolic links at {place[len(root) :]}")
