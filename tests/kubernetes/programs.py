"""Kubernetes' own programs, built from Go modules: once, and kept until the pinned modules or the Go version change.

One executable serves as etcd, kube-apiserver, kube-controller-manager and kube-scheduler, by the name that it is
called. The first build takes some ten minutes on two cores; what is built lies below ~/.cache/klamm-tests.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
VERSION = "1.34.4"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_SOURCES = ("go.mod", "go.sum", "main.go")
_BUILT_WITHIN = 3000.0


class CannotBuild(Exception):
    """The text says what is missing, or what Go said."""


def programs() -> Path:
    """The folder with all `PROGRAMS`; builds them when they are not there. Raises `CannotBuild`."""
    folder = _cache() / f"kubernetes-{VERSION}-{_fingerprint()}"
    if (folder / PROGRAMS[-1]).exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / PROGRAMS[-1]).exists():
            print(f"building Kubernetes {VERSION}, once (some ten minutes) …", file=sys.stderr, flush=True)
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    unfinished = folder.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    names = ("gitVersion", f"v{VERSION}"), ("gitMajor", "1"), ("gitMinor", VERSION.split(".")[1])
    versions = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in names)
    argv = [
        "go",
        "build",
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags",
        f"-s -w {versions}",
        "-o",
        str(unfinished / "all"),
        ".",
    ]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}  # noqa: TID251 (Go's own)
    try:
        built = subprocess.run(argv, cwd=HERE, env=environment, capture_output=True, text=True, timeout=_BUILT_WITHIN)
    except FileNotFoundError as error:
        raise CannotBuild("building Kubernetes for tests needs Go 1.24 or newer on PATH") from error
    if built.returncode:
        raise CannotBuild(f"go build in {HERE} ended with {built.returncode}:\n{built.stderr[-3000:]}")
    for name in PROGRAMS:
        os.link(unfinished / "all", unfinished / name)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()[:12]


def _cache() -> Path:
    return Path.home() / ".cache" / "klamm-tests"


if __name__ == "__main__":
    try:
        print(programs())
    except CannotBuild as error:
        sys.exit(str(error))
