"""What a node's containerd holds when it starts: the images, imported and unpacked once, and shared by all nodes.

A node gets a store of its own that is made of hard links: layers and blobs are never written again once they are there
(containers write elsewhere), and only the databases that list them are copied. So three nodes and many clusters cost
the disk, and the page cache, one copy; and a cluster with a gigabyte of images is up as fast as one without.
"""

import fcntl
import hashlib
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.kubernetes.node.layout import CACHE

from klamm.base.clock import SystemClock

_KEPT = 3
_UP_WITHIN = 60.0
_IMPORTED_WITHIN = 300.0
_CLOCK = SystemClock()


class CannotImport(Exception):
    """The text says which image, and containerd's words."""


def fill(archives: Sequence[Path], places: Sequence[Path]) -> None:
    """Make each of `places` a containerd root with the images of `archives`. Raises `CannotImport`.

    An archive's name says all of what is in it: another content has another name.
    """
    key = hashlib.sha256("\n".join(path.name for path in archives).encode()).hexdigest()[:12]
    stores = CACHE / "stores"
    stores.mkdir(parents=True, exist_ok=True)
    with open(stores / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        store = stores / key
        if not store.exists():
            shutil.rmtree(stores / "new", ignore_errors=True)
            kept = sorted((path for path in stores.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
            for older in kept[: 1 - _KEPT]:
                shutil.rmtree(older)
            _import(archives, stores / "new")
            (stores / "new").rename(store)
        for place in places:
            _link(store, place)


def _link(store: Path, place: Path) -> None:
    place.mkdir(parents=True)
    subprocess.run(["cp", "--archive", "--link", f"{store}/.", str(place)], check=True)
    for database in store.rglob("*.db"):
        linked = place / database.relative_to(store)
        linked.unlink()
        shutil.copy2(database, linked)


def _import(archives: Sequence[Path], root: Path) -> None:
    root.mkdir()
    with _containerd(root) as socket:
        for archive in archives:
            argv = ["ctr", "--address", str(socket), "--namespace", "k8s.io", "images", "import", str(archive)]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=_IMPORTED_WITHIN)
            if done.returncode:
                raise CannotImport(f"{' '.join(argv)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    for name in ("containerd.sock", "containerd.sock.ttrpc", "settings.toml"):
        (root / name).unlink(missing_ok=True)


@contextmanager
def _containerd(root: Path) -> Iterator[Path]:
    """One without nodes, in a mount namespace of its own, for as long as images are imported."""
    socket, settings, state = root / "containerd.sock", root / "settings.toml", root / "state"
    settings.write_text(
        f'version = 2\nroot = "{root}"\nstate = "{state}"\noom_score = 0\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{socket}"\n'
        f'[plugins."io.containerd.internal.v1.opt"]\npath = "{root / "opt"}"\n'
    )
    argv = ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--", "containerd", "--config", str(settings)]
    with open(root.with_suffix(".log"), "wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT)
    try:
        begun = _CLOCK.monotonic()
        while not socket.exists():
            if process.poll() is not None or _CLOCK.monotonic() - begun > _UP_WITHIN:
                words = root.with_suffix(".log").read_text()[-2000:]
                raise CannotImport(f"containerd is not up after {_UP_WITHIN:g} s:\n{words}")
            threading.Event().wait(0.05)
        yield socket
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(state, ignore_errors=True)
