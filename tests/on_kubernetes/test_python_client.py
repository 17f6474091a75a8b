"""Streams through a real kube-apiserver, kubelet and containerd: what localkube's tests expect is what they say."""

from pathlib import Path

from tests.conformance.python_client import streams
from tests.conformance.python_client.told import asked
from tests.kubernetes.node import images
from tests.kubernetes.node.running import real_kubernetes

OPERATOR = images.operator()
RUN = ["run", streams.POD, f"--image={OPERATOR.name}", "--image-pull-policy=Never", "--command", "--"]


def test_python_s_client_runs_commands_and_reaches_ports(tmp_path: Path) -> None:
    with real_kubernetes([images.archive(OPERATOR)]) as kubernetes:
        kubernetes.kubectl(*RUN, "python3", "-c", streams.ECHO)
        kubernetes.kubectl("wait", f"pod/{streams.POD}", "--for=condition=Ready", "--timeout=50s")
        assert asked(kubernetes.kubeconfig, "default", tmp_path, streams.conversation) == streams.EXPECTED
