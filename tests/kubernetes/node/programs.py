"""What nodes run that is built from Go modules: kubelet and kube-proxy, CoreDNS, and the program of a pod's sandbox.

Modules of their own, so that tests which need only the API server do not build them.
"""

from collections.abc import Mapping
from pathlib import Path

from tests.builders.go_builds import GoBuild
from tests.kubernetes.programs import VERSION, programs

_GO = Path(__file__).parent / "go"
_SOURCES = ("main.go",)
_GO_VERSION = "1.24"
# Without a version kubelet cannot parse its own.
_VARIABLES: Mapping[str, str] = {"k8s.io/component-base/version.gitVersion": f"v{VERSION}"}

NODE = GoBuild(
    name="kubernetes-node",
    version=VERSION,
    folder=_GO / "node",
    names=("kubelet", "kube-proxy"),
    sources=_SOURCES,
    variables=_VARIABLES,
    go=_GO_VERSION,
    takes="two minutes, ten with nothing of Kubernetes built yet",
)
COREDNS = GoBuild(
    name="coredns",
    version="1.12.4",
    folder=_GO / "coredns",
    names=("coredns",),
    sources=_SOURCES,
    go=_GO_VERSION,
    takes="a minute or two",
)
PAUSE = GoBuild(
    name="pause",
    version="1",
    folder=_GO / "pause",
    names=("pause",),
    sources=_SOURCES,
    go=_GO_VERSION,
    takes="seconds",
)


def all_programs() -> dict[str, Path]:
    """Each program's path by its name; builds what is not there. Raises `CannotBuild`."""
    folders = [programs(), *(each.programs() for each in (NODE, COREDNS, PAUSE))]
    return {path.name: path for folder in folders for path in folder.iterdir()}
