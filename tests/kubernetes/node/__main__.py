"""make kubernetes: a real Kubernetes with klamm's images on its nodes, in the foreground, until Ctrl-C.

Arguments are the Kafka versions whose images are wanted beside the operator's; none are named: `DEFAULT_VERSION`.
"""

import signal
import sys
from collections.abc import Sequence

from tests.builders.go_builds import CannotBuild
from tests.kubernetes.node import images
from tests.kubernetes.node.needs import Missing
from tests.kubernetes.node.running import NotRunning, RealKubernetes, real_kubernetes
from tests.kubernetes.node.stores import CannotImport

from klamm.base.clock import SystemClock

DEFAULT_VERSION = "3.6.0"


def main(versions: Sequence[str]) -> None:
    clock = SystemClock()
    ends = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    try:
        archives = [images.archive(recipe) for recipe in images.all_of(versions or [DEFAULT_VERSION])]
        begun = clock.monotonic()
        with real_kubernetes(archives) as kubernetes:
            signal.pthread_sigmask(signal.SIG_BLOCK, ends)
            print(_told(kubernetes, clock.monotonic() - begun), flush=True)
            signal.sigwait(ends)
            print("taking it away …", flush=True)
    except (Missing, CannotBuild, images.CannotBuildImage, CannotImport, NotRunning) as error:
        sys.exit(f"make kubernetes: {error}")
    except KeyboardInterrupt:
        sys.exit("make kubernetes: ended before it was ready; everything is taken away again")


def _told(kubernetes: RealKubernetes, took: float) -> str:
    return f"""A Kubernetes of three nodes came up in {took:.0f} s, and klamm's images are on them. In another terminal:

  export KUBECONFIG={kubernetes.kubeconfig}
  kubectl get nodes --label-columns=topology.kubernetes.io/zone
  kubectl get pods --all-namespaces
  kubectl create namespace kafka

Everything of it lies in {kubernetes.folders.root}, logs below log/ and node-*/log/.
Ctrl-C here ends it and takes everything away again."""


if __name__ == "__main__":
    main(sys.argv[1:])
