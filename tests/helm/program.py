"""Helm itself, built from its Go module. `python -m tests.helm.program` builds it and prints where it is."""

import sys
from pathlib import Path

from tests.builders.go_builds import CannotBuild, GoBuild

VERSION = "3.22.0"

_KUBERNETES = ("1", "37")
"""Of the modules that it is built with. Helm's own builds set it, and without it `helm template` speaks for 1.20."""
_OF_KUBERNETES = ("helm.sh/helm/v3/pkg/chartutil.k8sVersion", "helm.sh/helm/v3/pkg/lint/rules.k8sVersion")
_BUILD = GoBuild(
    name="helm",
    version=VERSION,
    folder=Path(__file__).parent,
    names=("helm",),
    package="helm.sh/helm/v3/cmd/helm",
    variables={
        "helm.sh/helm/v3/internal/version.version": f"v{VERSION}",
        **{f"{of}Major": _KUBERNETES[0] for of in _OF_KUBERNETES},
        **{f"{of}Minor": _KUBERNETES[1] for of in _OF_KUBERNETES},
    },
    go="1.26",
    takes="a minute or two",
)


def helm_program() -> Path:
    """The executable; builds it when it is not there. Raises `CannotBuild`."""
    return _BUILD.programs() / "helm"


if __name__ == "__main__":
    try:
        print(helm_program())
    except CannotBuild as error:
        sys.exit(str(error))
