"""The clusters that one and the same test runs against, by the words that its parameter has."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.builders.cluster import Cluster
from tests.builders.local_cluster import local_cluster
from tests.builders.real_cluster import real_cluster

ON_ONE_MACHINE = ("early readiness", "readiness as in a cluster")
ON_KUBERNETES = ("a real Kubernetes",)


@contextmanager
def cluster_of_kind(kind: str) -> Iterator[Cluster]:
    """Without anything of a user's in it; the operator comes with `install_operator`."""
    if kind in ON_KUBERNETES:
        with real_cluster() as real:
            yield real
        return
    with local_cluster() as local:
        local.klamm("up", *(["--no-early-readiness"] if kind != "early readiness" else []))
        yield local
