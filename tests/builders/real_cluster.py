"""A real Kubernetes with klamm installed by Helm: what `local_cluster` is on one machine, for the same tests."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.builders.cluster import CHECKOUT, CLOCK, Cluster
from tests.helm.program import helm_program
from tests.kubernetes.node import images
from tests.kubernetes.node.layout import MACHINES
from tests.kubernetes.node.residue import left_of
from tests.kubernetes.node.running import RealKubernetes, real_kubernetes

RELEASE = "kafka-operator"
_HELM_WITHIN = 120.0


class RealCluster(Cluster):
    """`tools`: a folder for kubectl's and Helm's own files."""

    def __init__(self, kubernetes: RealKubernetes, tools: Path) -> None:
        self._folders = kubernetes.folders
        config = json.loads(kubernetes.kubeconfig.read_text())
        config["contexts"][0]["context"]["namespace"] = "kafka"
        (tools / "kubeconfig").write_text(json.dumps(config))
        environment = {
            "PATH": os.environ["PATH"],  # noqa: TID251 (a test hands on what it was started with)
            "HOME": str(tools),
            "KUBECONFIG": str(tools / "kubeconfig"),
            "LC_ALL": "C.UTF-8",
        }
        super().__init__(environment)

    def install_operator(self) -> None:
        """Helm waits until the operator is ready."""
        chart = str(CHECKOUT / "charts" / "klamm")
        self._helm("install", RELEASE, chart, "--namespace", "kafka", "--wait", "--timeout", "90s")

    def uninstall_operator(self) -> None:
        self._helm("uninstall", RELEASE, "--namespace", "kafka")

    def _helm(self, *arguments: str) -> None:
        argv = [str(helm_program()), *arguments]
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=_HELM_WITHIN)
        assert done.returncode == 0, f"$ helm {' '.join(arguments)}\n{done.stdout}{done.stderr}{self.story()}"

    def logs(self) -> dict[str, Path]:
        machines = {machine.name: self._folders.machine(machine) for machine in MACHINES}
        pods = {f"{name}-pods": folder / "var/log/pods" for name, folder in machines.items()}
        return {"log": self._folders.logs, **{name: folder / "log" for name, folder in machines.items()}, **pods}

    def most_telling_logs(self) -> Sequence[Path]:
        return [self._folders.logs / "island.log", *(self._folders.logs / f"{each.name}.log" for each in MACHINES)]


@contextmanager
def real_cluster(
    kafka: str = "3.6.0", others: Sequence[str] = (), programs: Sequence[images.Recipe] = ()
) -> Iterator[RealCluster]:
    """Three nodes with the images of the operator, of this Kafka and of its client; nothing is left at the end.

    `others`: versions of Kafka of which there is an image, too. `programs`: images besides.
    """
    recipes = [*images.all_of([kafka]), *map(images.kafka, others), *programs]
    archives = [images.archive(recipe) for recipe in recipes]
    begun = CLOCK.monotonic()
    with tempfile.TemporaryDirectory(prefix="klamm-tools-") as tools, real_kubernetes(archives) as kubernetes:
        print(f"{CLOCK.monotonic() - begun:6.1f} s until a real Kubernetes is ready")
        yield RealCluster(kubernetes, Path(tools))
        begun = CLOCK.monotonic()
    print(f"{CLOCK.monotonic() - begun:6.1f} s until it is taken away")
    assert left_of(kubernetes.folders.root) == []
