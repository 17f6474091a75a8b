"""etcd and a kube-apiserver on loopback ports of their own, for as long as a test needs them; several side by side.

No kubelet, no controllers: objects are stored, checked and watched, and nothing else happens to them, unless a test
wants Kubernetes' controllers beside it (`controller_manager`). What it writes lies in the folder that it is given, and
goes with it.
"""

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.builders.api_server import make_certificates, write_kubeconfig
from tests.builders.ports import free_ports
from tests.kubernetes.programs import programs

from klamm.base.clock import SystemClock
from klamm.kube.connection import Connection

ISSUER = "https://kubernetes.default.svc.cluster.local"
READY_WITHIN = 240.0
_ENDS_WITHIN = 20.0
_CLOCK = SystemClock()


def _nobody_restarts() -> None:
    raise NotImplementedError("this server is not one that the test can kill")


@dataclass(frozen=True)
class ControlPlane:
    url: str
    folder: Path
    """ca.crt, admin.crt, admin.key, kubeconfig; a log of each program."""
    restart: Callable[[], None] = _nobody_restarts
    """kill -9 for kube-apiserver, which is started anew; returns when it is ready."""

    def connection(self) -> Connection:
        """As the administrator."""
        authority, certificate, key = (
            (self.folder / name).read_bytes() for name in ("ca.crt", "admin.crt", "admin.key")
        )
        return Connection(self.url, authorities=authority, certificate=certificate, key=key)

    @property
    def audit_log(self) -> Path:
        """What service accounts asked, a JSON object a line; there with `audit`. Written before the answer is sent."""
        return self.folder / "audit.log"


@contextmanager
def control_plane(folder: Path, *, audit: bool = False) -> Iterator[ControlPlane]:
    """Returns when /readyz answers; ends every process at the end."""
    built = programs()
    make_certificates(folder)
    _make_account_key(folder / "accounts.key")
    clients, peers, api = free_ports(3)
    with ExitStack() as running:
        etcd = [
            *("--data-dir", str(folder / "etcd"), "--unsafe-no-fsync", "--logger=zap", "--log-level=error"),
            f"--listen-client-urls=http://127.0.0.1:{clients}",
            f"--advertise-client-urls=http://127.0.0.1:{clients}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}",
        ]
        running.enter_context(_process(built / "etcd", etcd, folder))
        flags = [*_api_flags(folder, clients, api), *(_audit_flags(folder) if audit else ())]
        url = f"https://127.0.0.1:{api}"

        def start() -> "subprocess.Popen[bytes]":
            server = running.enter_context(_process(built / "kube-apiserver", flags, folder))
            _until_ready(url, folder, server)
            return server

        server = start()

        def restart() -> None:
            nonlocal server
            server.kill()
            server.wait()
            server = start()

        write_kubeconfig(folder, url)
        yield ControlPlane(url, folder, restart)


CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "deployment-controller",
    "replicaset-controller",
    "persistentvolumeclaim-protection-controller",
    "serviceaccount-controller",
)
"""Those whose deeds an operator meets: objects that go with their owners, Deployments, claims in use, accounts."""


@contextmanager
def controller_manager(beside: ControlPlane, controllers: Sequence[str] = CONTROLLERS) -> Iterator[None]:
    """Kubernetes' own controllers. Definitions of custom kinds come before: it looks for new ones every 30 s only."""
    flags = [
        f"--kubeconfig={beside.folder / 'kubeconfig'}",
        f"--controllers={','.join(controllers)}",
        *("--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000", "--v=0"),
    ]
    with _process(programs() / "kube-controller-manager", flags, beside.folder):
        yield


@contextmanager
def scheduler(beside: ControlPlane) -> Iterator[None]:
    flags = [
        f"--kubeconfig={beside.folder / 'kubeconfig'}",
        *("--leader-elect=false", "--secure-port=0", "--v=0"),
    ]
    with _process(programs() / "kube-scheduler", flags, beside.folder):
        yield


def _api_flags(folder: Path, etcd: int, port: int) -> list[str]:
    accounts = folder / "accounts.key"
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        f"--secure-port={port}",
        *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"),
        f"--tls-cert-file={folder / 'server.crt'}",
        f"--tls-private-key-file={folder / 'server.key'}",
        f"--client-ca-file={folder / 'ca.crt'}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={accounts}",
        f"--service-account-signing-key-file={accounts}",
        *("--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=RBAC", "--allow-privileged=true"),
        *("--profiling=false", "--v=0"),
    ]


_AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts"]
- level: None
"""


def _audit_flags(folder: Path) -> list[str]:
    policy = folder / "audit-policy.yaml"
    policy.write_text(_AUDIT_POLICY)
    return [
        f"--audit-policy-file={policy}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--audit-log-mode=blocking-strict",
    ]


def _make_account_key(path: Path) -> None:
    """In the one form of an EC key that kube-apiserver reads as public key, too."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


@contextmanager
def _process(program: Path, arguments: Sequence[str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with open(folder / f"{program.name}.log", "ab") as log:
        process = subprocess.Popen([str(program), *arguments], stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_ready(url: str, folder: Path, server: "subprocess.Popen[bytes]") -> None:
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    begun, why = _CLOCK.monotonic(), "it was not asked"
    while _CLOCK.monotonic() - begun < READY_WITHIN and server.poll() is None:
        try:
            with urlopen(f"{url}/readyz", context=context, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError) as error:
            why = str(error)
        threading.Event().wait(0.1)
    log = (folder / "kube-apiserver.log").read_text(errors="replace")[-3000:]
    raise AssertionError(f"kube-apiserver is not ready after {READY_WITHIN:g} s: {why}\n{log}")
