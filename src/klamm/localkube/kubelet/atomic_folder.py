"""Folders whose files change all at once, as Kubernetes' atomic writer does it.

    name -> ..data/name        ..data -> ..1a2b3c        ..1a2b3c/name

A new set of files is written into a folder of its own, then the link `..data` is swapped by one rename: a reader
sees the old files or the new ones, never a mixture, and also when it reads through a bind mount of the folder.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from klamm.localkube.kubelet.payloads import Payload, VolumeFile

_DATA = "..data"
_FOR_ALL = 0o755
"""Of folders, whatever our umask is: containers have users of their own. The pod's folder above lets nobody else in."""


def write(folder: Path, files: Payload, group: int | None = None) -> bool:
    """Make `folder` hold exactly `files`. False: it did already. `group` (fsGroup) may read them too."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(_FOR_ALL)
    wanted = {path: _for_group(file, group) for path, file in files.items()}
    if _holds(folder / _DATA, wanted):
        return False
    fresh = _write_all(folder, wanted, group)
    old = _target(folder)
    _swap(folder, fresh.name)
    _link_top(folder, wanted)
    if old is not None and old != fresh:
        shutil.rmtree(old, ignore_errors=True)
    return True


def _for_group(file: VolumeFile, group: int | None) -> VolumeFile:
    return file if group is None else VolumeFile(file.content, file.mode | 0o040)


def _holds(data: Path, files: Payload) -> bool:
    if not data.is_dir():
        return False
    present = {str(path.relative_to(data)): path for path in data.rglob("*") if path.is_file()}
    return present.keys() == files.keys() and all(
        path.stat().st_mode & 0o777 == files[name].mode and path.read_bytes() == files[name].content
        for name, path in present.items()
    )


def _write_all(folder: Path, files: Payload, group: int | None) -> Path:
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    fresh.chmod(_FOR_ALL)
    for name, file in files.items():
        path = fresh / name
        for parent in reversed(path.relative_to(fresh).parents[:-1]):
            (fresh / parent).mkdir(exist_ok=True)
            (fresh / parent).chmod(_FOR_ALL)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(file.content)
            os.fchmod(handle.fileno(), file.mode)
        give_to_group(path, group)
    return fresh


def give_to_group(path: Path, group: int | None) -> None:
    """As an ordinary user only own groups can be given; the container runs as the same user then, and needs none."""
    if group is not None:
        with suppress(PermissionError, OSError):
            os.chown(path, -1, group)


def _target(folder: Path) -> Path | None:
    link = folder / _DATA
    return folder / os.readlink(link) if link.is_symlink() else None


def _swap(folder: Path, fresh: str) -> None:
    temporary = folder / "..data_tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(fresh)
    temporary.rename(folder / _DATA)


def _link_top(folder: Path, files: Payload) -> None:
    wanted = {name.split("/", 1)[0] for name in files}
    for name in wanted:
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(f"{_DATA}/{name}")
    for entry in folder.iterdir():
        if not entry.name.startswith("..") and entry.name not in wanted:
            entry.unlink()
