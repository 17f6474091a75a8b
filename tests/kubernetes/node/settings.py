"""The settings of every program of a real Kubernetes: texts and command lines, no deeds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from tests.kubernetes.node.layout import (
    API_ADDRESS,
    API_PORT,
    API_SERVICE,
    DNS_SERVICE,
    DOMAIN,
    PAUSE_IMAGE,
    PODS,
    SERVICES,
    Folders,
    Machine,
)
from tests.kubernetes.node.needs import PLUGINS

ZONE_LABELS = ("topology.kubernetes.io/zone", "topology.ebs.csi.aws.com/zone")
"""Kubernetes' own label, and the one that the walkthrough's manifests spread pods by."""

SERVER_NAMES = frozenset(
    ["localhost", "127.0.0.1", API_ADDRESS, API_SERVICE]
    + [f"kubernetes{rest}" for rest in ("", ".default", ".default.svc", f".default.svc.{DOMAIN}")]
)
ETCD = "http://127.0.0.1:2379"

KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}
"""What kubelet sets for the whole machine. It finds files that say so already, and the machine stays as it is."""


def control_plane(folders: Folders, programs: Mapping[str, str]) -> dict[str, list[str]]:
    """Command lines by the program's name, in the order in which they start."""
    return {
        "etcd": [programs["etcd"], *_etcd(folders)],
        "kube-apiserver": [programs["kube-apiserver"], *_api_server(folders.certificates)],
        "kube-controller-manager": [programs["kube-controller-manager"], *_controllers(folders)],
        "kube-scheduler": [
            programs["kube-scheduler"],
            *_with_kubeconfig(folders.kubeconfig("scheduler")),
            # It was seen to miss that a pod's volume was bound in the moment in which it gave the pod up: that pod
            # then waited five minutes.
            "--pod-max-in-unschedulable-pods-duration=10s",
            "--leader-elect=false",
        ],
    }


def _etcd(folders: Folders) -> list[str]:
    return [
        *("--data-dir", str(folders.root / "etcd"), "--unsafe-no-fsync", "--logger=zap", "--log-level=error"),
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
    ]


def _api_server(certificates: Path) -> list[str]:
    accounts = certificates / "accounts.key"
    return [
        f"--etcd-servers={ETCD}",
        *(f"--secure-port={API_PORT}", f"--bind-address={API_ADDRESS}", f"--advertise-address={API_ADDRESS}"),
        f"--tls-cert-file={certificates / 'server.crt'}",
        f"--tls-private-key-file={certificates / 'server.key'}",
        f"--client-ca-file={certificates / 'ca.crt'}",
        f"--kubelet-client-certificate={certificates / 'to-kubelets.crt'}",
        f"--kubelet-client-key={certificates / 'to-kubelets.key'}",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        f"--service-account-issuer=https://kubernetes.default.svc.{DOMAIN}",
        f"--service-account-key-file={accounts}",
        f"--service-account-signing-key-file={accounts}",
        *(f"--service-cluster-ip-range={SERVICES}", "--authorization-mode=Node,RBAC", "--allow-privileged=true"),
        *("--profiling=false", "--v=0"),
    ]


def _controllers(folders: Folders) -> list[str]:
    certificates = folders.certificates
    return [
        *_with_kubeconfig(folders.kubeconfig("controllers")),
        *("--leader-elect=false", "--use-service-account-credentials=true", "--enable-hostpath-provisioner=true"),
        f"--root-ca-file={certificates / 'ca.crt'}",
        f"--service-account-private-key-file={certificates / 'accounts.key'}",
        f"--cluster-cidr={PODS}",
        f"--service-cluster-ip-range={SERVICES}",
    ]


def _with_kubeconfig(path: Path) -> list[str]:
    return [f"--{name}={path}" for name in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")]


def machine_programs(folders: Folders, machine: Machine, programs: Mapping[str, str]) -> dict[str, list[str]]:
    folder = folders.machine(machine)
    labels = ",".join(f"{label}={machine.zone}" for label in ZONE_LABELS)
    return {
        "containerd": ["containerd", "--config", str(folder / "containerd.toml")],
        "kubelet": [
            programs["kubelet"],
            f"--config={folder / 'kubelet.yaml'}",
            # Where it reads what single containers take; its configuration has no field for that.
            f"--containerd={folders.containerd_socket(machine)}",
            f"--kubeconfig={folders.kubeconfig(machine.name)}",
            f"--hostname-override={machine.name}",
            f"--node-ip={machine.address}",
            f"--node-labels={labels}",
        ],
        "kube-proxy": [programs["kube-proxy"], f"--config={folder / 'proxy.yaml'}"],
    }


def machine_files(folders: Folders, machine: Machine) -> dict[str, str]:
    """Texts by their path below the machine's folder."""
    return {
        "containerd.toml": _containerd(folders, machine),
        "kubelet.yaml": yaml.safe_dump(_kubelet(folders, machine)),
        "proxy.yaml": yaml.safe_dump(_proxy(folders, machine)),
        "cni/10-pods.conflist": json.dumps(_pod_network(machine)),
        "resolv.conf": f"nameserver {DNS_SERVICE}\n",
        **{f"kernel/{name}": f"{value}\n" for name, value in KERNEL_SETTINGS.items()},
    }


def _containerd(folders: Folders, machine: Machine) -> str:
    """`restrict_oom_score_adj`: where lowering oom_score_adj is forbidden, every sandbox would die without it."""
    folder = folders.machine(machine)
    return f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp"]

[grpc]
address = "{folders.containerd_socket(machine)}"

[plugins."io.containerd.internal.v1.opt"]
path = "/var/lib/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{PLUGINS}"
conf_dir = "{folder / "cni"}"
"""


def _kubelet(folders: Folders, machine: Machine) -> Mapping[str, object]:
    folder = folders.machine(machine)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": machine.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(folders.certificates / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": DOMAIN,
        "containerRuntimeEndpoint": f"unix://{folders.containerd_socket(machine)}",
        # The machine is shared with much else: a nearly full disk is no reason to throw a test's pods out.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "oomScoreAdj": 0,
        "resolvConf": str(folder / "resolv.conf"),
        "volumePluginDir": "/var/lib/kubelet/plugins/volume",
    }


def _proxy(folders: Folders, machine: Machine) -> Mapping[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(folders.kubeconfig("proxy"))},
        "clusterCIDR": PODS,
        "hostnameOverride": machine.name,
        "mode": "iptables",
        # Limits of connection tracking belong to the whole machine.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _pod_network(machine: Machine) -> Mapping[str, object]:
    """Routed, not bridged: frames that pass only a bridge would miss the rules that turn Services into pods."""
    ranges = [[{"subnet": machine.pods}]]
    address = {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "/var/lib/cni"}
    plugins: Sequence[object] = [
        {"type": "ptp", "ipMasq": False, "mtu": 1500, "ipam": address},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": plugins}
