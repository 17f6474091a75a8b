"""klamm's own images, built from images/*/Dockerfile without a registry or a container engine, for nodes of tests.

buildah (a Debian package) runs the Dockerfiles in plain chroots, on a base that mmdebstrap makes from Debian packages.
A finished image is a file below ~/.cache/klamm-tests/images, whose name carries a key of everything in it; nothing
is built while that is there. Steps that did not change come from buildah's own store beside it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.kubernetes.node import needs
from tests.kubernetes.node.layout import CACHE

from klamm import __version__
from klamm.distribution.images import console_image, kafka_image, operator_image

CHECKOUT = Path(__file__).resolve().parents[3]
DEBIAN = "localhost/klamm-tests/debian:12"
_BUILT_WITHIN = 1200.0
_STEPS_KEPT = 100
"""A build leaves a dozen. When there are more, all go, and the next builds take a minute longer."""
_CA = Path("/etc/ssl/certs")
_PIP = Path("/etc/pip.conf")


class CannotBuildImage(Exception):
    """The text says which step failed, and its last words."""


@dataclass(frozen=True)
class Recipe:
    """An image: its name, its Dockerfile, what the content depends on besides, and the Dockerfile's arguments."""

    name: str
    dockerfile: str
    sources: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    base: "Recipe | None" = None
    """An image of ours that is to be built before."""

    def key(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(path for name in (self.dockerfile, *self.sources) for path in _files(CHECKOUT / name)):
            digest.update(f"{path.relative_to(CHECKOUT)}\0".encode() + path.read_bytes())
        digest.update(repr((self.name, sorted(self.arguments.items()), self.base and self.base.key())).encode())
        return digest.hexdigest()[:12]


def operator() -> Recipe:
    name = f"docker.io/{operator_image(__version__)}"
    return Recipe(name, "images/operator/Dockerfile", ("requirements/operator.txt", "src/klamm"))


def console() -> Recipe:
    return Recipe(f"docker.io/{console_image(__version__)}", "images/kafka-ui/Dockerfile", base=operator())


def kafka(version: str) -> Recipe:
    sources = ("requirements/local.txt", "src/klamm/distribution", "src/klamm/programs/image_content.py")
    name = f"docker.io/{kafka_image(__version__, version)}"
    return Recipe(name, "images/kafka/Dockerfile", sources, {"KAFKA": version})


def client(version: str) -> Recipe:
    """What the walkthrough's client pod asks for: the same tools, in another house's folder."""
    name = f"docker.io/bitnami/kafka:{version.rpartition('.')[0]}"
    return Recipe(name, "tests/kubernetes/node/client/Dockerfile", base=kafka(version))


def prometheus() -> Recipe:
    return Recipe("docker.io/prom/prometheus:latest", "tests/kubernetes/node/prometheus/Dockerfile")


def all_of(versions: Iterable[str]) -> list[Recipe]:
    """The operator, the console, and Kafka and its client of these versions."""
    return [operator(), console(), *(recipe for version in versions for recipe in (kafka(version), client(version)))]


def archive(recipe: Recipe) -> Path:
    """The image in a file, as `RealKubernetes.load` takes it; built unless it is there.

    Raises `CannotBuildImage`, `needs.Missing`.
    """
    folder = CACHE / "images"
    path = folder / f"{recipe.name.removeprefix('docker.io/').replace('/', '-').replace(':', '-')}-{recipe.key()}.tar"
    if path.exists():
        return path
    if recipe.base:
        archive(recipe.base)
    needs.install({name for name in ("buildah", "mmdebstrap") if shutil.which(name) is None})
    with _locked(folder):
        if not path.exists():
            print(f"building the image {recipe.name}, once (a minute or two) …", file=sys.stderr, flush=True)
            _build(folder, recipe, path)
    return path


def _build(folder: Path, recipe: Recipe, path: Path) -> None:
    _make_debian(folder)
    base = recipe.base.name if recipe.base else DEBIAN
    if recipe.base and base not in _kept(folder):
        # Its steps went, now or long ago, when there were too many; its file is there.
        _buildah(folder, "pull", f"docker-archive:{archive(recipe.base)}")
    seen = [f"{place}:{place}:ro" for place in (_CA, _PIP) if place.exists()]
    jars = Path.home() / ".cache" / "klamm" / "artifacts"
    jars.mkdir(parents=True, exist_ok=True)
    volumes = [f"--volume={volume}" for volume in (*seen, f"{jars}:/store/artifacts:rw")]
    given = [f"--build-arg={name}={value}" for name, value in {"BASE": base, **recipe.arguments}.items()]
    tag = f"--tag={recipe.name}"
    file = f"--file={recipe.dockerfile}"
    _buildah(folder, "bud", "--isolation=chroot", "--layers", *volumes, *given, file, tag, ".")
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    _buildah(folder, "push", recipe.name, f"docker-archive:{unfinished}:{recipe.name}")
    for older in folder.glob(f"{path.name.rpartition('-')[0]}-*.tar"):
        older.unlink()
    unfinished.rename(path)


def _make_debian(folder: Path) -> None:
    """Debian as mmdebstrap makes it; the Dockerfiles' own default is the same from a registry."""
    if len(_buildah(folder, "images", "--all", "--quiet").split()) > _STEPS_KEPT:
        _buildah(folder, "rmi", "--all", "--force")
    if DEBIAN in _kept(folder):
        return
    tar = folder / "debian.tar"
    if not tar.exists():
        unfinished = tar.with_suffix(".new.tar")
        _run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates", "bookworm", str(unfinished)])
        unfinished.rename(tar)
    container = _buildah(folder, "from", "scratch").strip()
    try:
        _buildah(folder, "add", container, str(tar), "/")
        _buildah(folder, "commit", container, DEBIAN)
    finally:
        _buildah(folder, "rm", container)


def _kept(folder: Path) -> list[str]:
    """Names of the images in buildah's own store."""
    return _buildah(folder, "images", "--format={{.Name}}:{{.Tag}}").split()


def _buildah(folder: Path, *arguments: str) -> str:
    places = [f"--root={folder / 'storage'}", f"--runroot={folder / 'running'}", "--storage-driver=overlay"]
    return _run(["buildah", *places, *arguments])


def _run(argv: Sequence[str]) -> str:
    given = os.environ  # noqa: TID251 (package managers' own)
    done = subprocess.run(argv, cwd=CHECKOUT, env=given, capture_output=True, text=True, timeout=_BUILT_WITHIN)
    if done.returncode:
        words = (done.stdout + done.stderr)[-4000:]
        raise CannotBuildImage(f"{' '.join(argv)} ended with {done.returncode}:\n{words}")
    return done.stdout


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts]
