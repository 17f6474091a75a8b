"""Kubernetes' own programs: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, one executable.

`python -m tests.kubernetes.programs` builds them; the first build takes some ten minutes on two cores.
"""

import sys
from pathlib import Path

from tests.builders.go_builds import CannotBuild, GoBuild

VERSION = "1.34.4"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

_VARIABLES = {"gitVersion": f"v{VERSION}", "gitMajor": "1", "gitMinor": VERSION.split(".")[1]}
_BUILD = GoBuild(
    name="kubernetes",
    version=VERSION,
    folder=Path(__file__).parent,
    names=PROGRAMS,
    sources=("main.go",),
    variables={f"k8s.io/component-base/version.{name}": value for name, value in _VARIABLES.items()},
    go="1.24",
    takes="some ten minutes",
)


def programs() -> Path:
    """The folder with all `PROGRAMS`; builds them when they are not there. Raises `CannotBuild`."""
    return _BUILD.programs()


if __name__ == "__main__":
    try:
        print(programs())
    except CannotBuild as error:
        sys.exit(str(error))
