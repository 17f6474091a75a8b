"""What nodes run that is built from Go modules: kubelet and kube-proxy, CoreDNS, and the program of a pod's sandbox.

Modules of their own, so that tests which need only the API server do not build them.
"""

from pathlib import Path

from tests.kubernetes.programs import VERSION, GoPrograms, programs

_GO = Path(__file__).parent / "go"
NODE = GoPrograms(_GO / "node", "Kubernetes node", VERSION, ("kubelet", "kube-proxy"), "some ten minutes")
COREDNS = GoPrograms(_GO / "coredns", "CoreDNS", "1.12.4", ("coredns",), "some five minutes")
PAUSE = GoPrograms(_GO / "pause", "pause", "1", ("pause",), "seconds")


def all_programs() -> dict[str, Path]:
    """Each program's path by its name; builds what is not there. Raises `CannotBuild`."""
    folders = [programs(), *(each.built() for each in (NODE, COREDNS, PAUSE))]
    return {path.name: path for folder in folders for path in folder.iterdir()}
