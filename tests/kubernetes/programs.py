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
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
VERSION = "1.34.4"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_SOURCES = ("go.mod", "go.sum", "main.go")
_BUILT_WITHIN = 3000.0


class CannotBuild(Exception):
    """The text says what is missing, or what Go said."""


@dataclass(frozen=True)
class GoPrograms:
    """A folder with a main package whose one executable serves under several names. `takes`: the first build."""

    source: Path
    title: str
    version: str
    names: tuple[str, ...]
    takes: str

    def built(self) -> Path:
        """The folder with all `names`; builds them when they are not there. Raises `CannotBuild`."""
        folder = cache() / f"{self.title.lower().replace(' ', '-')}-{self.version}-{self._fingerprint()}"
        if (folder / self.names[-1]).exists():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(folder.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / self.names[-1]).exists():
                print(f"building {self.title} {self.version}, once ({self.takes}) …", file=sys.stderr, flush=True)
                self._build(folder)
        return folder

    def _build(self, folder: Path) -> None:
        unfinished = folder.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        # Without a version some of Kubernetes' programs cannot parse their own.
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
        given = os.environ  # noqa: TID251 (Go's own)
        environment = {**given, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
        try:
            built = subprocess.run(
                argv, cwd=self.source, env=environment, capture_output=True, text=True, timeout=_BUILT_WITHIN
            )
        except FileNotFoundError as error:
            raise CannotBuild("building Kubernetes for tests needs Go 1.24 or newer on PATH") from error
        if built.returncode:
            raise CannotBuild(f"go build in {self.source} ended with {built.returncode}:\n{built.stderr[-3000:]}")
        for name in self.names:
            os.link(unfinished / "all", unfinished / name)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path in (self.source / name for name in _SOURCES):
            digest.update(path.read_bytes() if path.exists() else b"")
        return digest.hexdigest()[:12]


def programs() -> Path:
    """The folder with all `PROGRAMS`; builds them when they are not there. Raises `CannotBuild`."""
    return GoPrograms(HERE, "Kubernetes", VERSION, PROGRAMS, "some ten minutes").built()


def cache() -> Path:
    return Path.home() / ".cache" / "klamm-tests"


if __name__ == "__main__":
    try:
        print(programs())
    except CannotBuild as error:
        sys.exit(str(error))
