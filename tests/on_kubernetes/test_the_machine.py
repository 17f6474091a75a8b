"""A real Kubernetes leaves the machine as it was: while it runs, after its end, and after its runner was killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.builders.cluster import CHECKOUT, CLOCK, pause
from tests.kubernetes.node.layout import CACHE, MACHINES
from tests.kubernetes.node.residue import claimed, left_of
from tests.kubernetes.node.running import RealKubernetes, real_kubernetes
from tests.kubernetes.node.settings import KERNEL_SETTINGS, ZONE_LABELS

GONE_WITHIN = 20.0
STARTS_WITHIN = 180.0
_HOLD = """
import signal
from tests.kubernetes.node.running import real_kubernetes
with real_kubernetes() as kubernetes:
    print(kubernetes.folders.root, flush=True)
    signal.pause()
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: ZONE}
spec:
  nodeSelector: {topology.kubernetes.io/zone: ZONE}
  containers:
  - {name: one, image: "docker.io/klamm-tests/pause:1", volumeMounts: [{name: data, mountPath: /data}]}
  volumes: [{name: data, persistentVolumeClaim: {claimName: ZONE}}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ZONE}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def test_pods_with_volumes_run_in_three_zones_and_the_machine_stays_as_it_was() -> None:
    before = state_of_the_machine()
    with real_kubernetes() as kubernetes:
        zones = [machine.zone for machine in MACHINES]
        kubernetes.kubectl("apply", "-f", "-", given="---".join(POD.replace("ZONE", zone) for zone in zones))
        names = [f"pod/{zone}" for zone in zones]
        kubernetes.kubectl("wait", "--for=condition=Ready", *names, "--timeout=40s")
        assert nodes_by_zone(kubernetes) == {machine.zone: machine.name for machine in MACHINES}
        assert state_of_the_machine() == before
    assert left_of(kubernetes.folders.root) == []
    assert processes_of(kubernetes.folders.root) == []
    assert state_of_the_machine() == before


def test_a_killed_runner_leaves_no_process_and_no_mount_and_the_next_one_takes_its_folder_and_groups() -> None:
    before = state_of_the_machine()
    with runner() as process:
        assert process.stdout is not None
        root = Path(process.stdout.readline().strip())
        assert root.parent == CACHE / "clusters"
        assert len(processes_of(root)) > 12
        process.send_signal(signal.SIGKILL)
        process.wait()
    begun = CLOCK.monotonic()
    while left := processes_of(root):
        assert CLOCK.monotonic() - begun < GONE_WITHIN, left
        pause()
    assert state_of_the_machine() == before
    assert [word.split()[0] for word in left_of(root) if not word.startswith("control group")] == ["folder"]
    with claimed():
        assert left_of(root) == []


@contextmanager
def runner() -> Iterator["subprocess.Popen[str]"]:
    environment = {"PATH": "/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(Path.home())}
    environment["PYTHONPATH"] = f"{CHECKOUT / 'src'}:{CHECKOUT}"
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD], cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def nodes_by_zone(kubernetes: RealKubernetes) -> dict[str, str]:
    label = ZONE_LABELS[0].replace(".", "\\.")
    text = f"{{range .items[*]}}{{.metadata.labels.{label}}}={{.metadata.name}} {{end}}"
    listed = kubernetes.kubectl("get", "nodes", "-o", f"jsonpath={text}")
    return dict(pair.split("=") for pair in listed.split())


def state_of_the_machine() -> dict[str, str]:
    """What Kubernetes changes of a machine that it has for itself."""
    commands = ("ip -brief link", "ip -brief address", "ip route", "iptables-save", "ip netns list")
    said = {line: _said(line) for line in commands}
    kernel = ("net/ipv4/ip_forward", *KERNEL_SETTINGS)
    return {**said, **{name: Path("/proc/sys", name).read_text() for name in kernel}}


def _said(line: str) -> str:
    """Without the times that iptables-save writes into comments, and its counters."""
    done = subprocess.run(line.split(), capture_output=True, text=True, check=True, timeout=20)
    return "\n".join(line.split(" [")[0] for line in done.stdout.splitlines() if not line.startswith("#"))


def processes_of(root: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(root) in command:
                found.append(f"{entry.name} {command}")
    return found
