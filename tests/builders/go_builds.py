"""Programs for tests that are built from Go modules: once, and kept until the pinned modules or the sources change.

Nothing is downloaded but modules, whose contents go.sum holds. What is built lies below ~/.cache/klamm-tests.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_BUILT_WITHIN = 3000.0


class CannotBuild(Exception):
    """The text says what is missing, or what Go said."""


@dataclass(frozen=True, kw_only=True)
class GoBuild:
    """One executable, and the names that it is called by (it may do one thing or another by its name)."""

    name: str
    version: str
    folder: Path
    """Has go.mod and go.sum."""
    names: Sequence[str]
    package: str = "."
    sources: Sequence[str] = ()
    """Files of `folder` besides go.mod and go.sum."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """String variables of packages that the linker sets."""
    go: str
    """The oldest Go that builds it."""
    takes: str

    def programs(self) -> Path:
        """The folder with all `names`; builds them when they are not there. Raises `CannotBuild`."""
        folder = Path.home() / ".cache" / "klamm-tests" / f"{self.name}-{self.version}-{self._fingerprint()}"
        if (folder / self.names[-1]).exists():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(folder.parent / f"{folder.name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / self.names[-1]).exists():
                print(f"building {self.name} {self.version}, once ({self.takes}) …", file=sys.stderr, flush=True)
                self._build(folder)
        return folder

    def _build(self, folder: Path) -> None:
        unfinished = folder.parent / f"{folder.name}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        variables = " ".join(f"-X {name}={value}" for name, value in self.variables.items())
        argv = ["go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {variables}"]
        argv += ["-o", str(unfinished / "all"), self.package]
        environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}  # noqa: TID251 (Go's own)
        try:
            built = subprocess.run(
                argv, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=_BUILT_WITHIN
            )
        except FileNotFoundError as error:
            raise CannotBuild(f"building {self.name} for tests needs Go {self.go} or newer on PATH") from error
        if built.returncode:
            raise CannotBuild(f"go build in {self.folder} ended with {built.returncode}:\n{built.stderr[-3000:]}")
        for name in self.names:
            os.link(unfinished / "all", unfinished / name)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for name in ("go.mod", "go.sum", *self.sources):
            digest.update((self.folder / name).read_bytes())
        return digest.hexdigest()[:12]
