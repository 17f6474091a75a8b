"""Keys and certificates of a local cluster's API, and the kubeconfig that opens it.

Made once per home. Everything is readable by the owner only; the authority signs the API's certificate, the
administrator's client certificate and nothing that leaves this machine.
"""

import os
from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from klamm.cli.errors import Mistake
from klamm.cli.home import Home

if TYPE_CHECKING:
    from klamm.kube.connection import Connection

_DAYS = 3650
SERVER_NAMES = frozenset(
    {
        "127.0.0.1",
        "localhost",
        "10.96.0.1",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    }
)
ADMINISTRATORS = "system:masters"


def ensure_identity(home: Home, now: datetime) -> None:
    """Make what is missing; what is there stays."""
    if (home.certificates / "complete").exists():
        return
    from klamm.certificates.issue import Authority, Subject, issue_authority, issue_leaf
    from klamm.certificates.keys import key_to_pem, new_key

    folder = home.certificates
    authority_key = new_key()
    certificate = issue_authority(Subject("klamm", None), authority_key, now=now, days=_DAYS)
    authority = Authority(certificate, key_to_pem(authority_key))
    _write(folder / "ca.crt", certificate)
    _write(folder / "ca.key", authority.key)
    for name, subject, names in (
        ("api", Subject("kube-apiserver", None), SERVER_NAMES),
        ("admin", Subject("klamm-admin", ADMINISTRATORS), frozenset[str]()),
    ):
        key = new_key()
        leaf = issue_leaf(authority, subject, key, now=now, days=_DAYS, alternative_names=names)
        _write(folder / f"{name}.crt", leaf)
        _write(folder / f"{name}.key", key_to_pem(key))
    _write(folder / "service-accounts.key", key_to_pem(new_key()))
    _write(folder / "complete", (now + timedelta(days=_DAYS)).isoformat().encode())


def write_kubeconfig(home: Home, port: int, namespace: str) -> None:
    """The administrator's kubeconfig, self-contained, with `namespace` as its current one."""
    folder = home.certificates
    lines = [
        "apiVersion: v1",
        "kind: Config",
        "current-context: klamm",
        "clusters:",
        "- name: klamm",
        "  cluster:",
        f"    server: https://127.0.0.1:{port}",
        f"    certificate-authority-data: {_inline(folder / 'ca.crt')}",
        "users:",
        "- name: klamm-admin",
        "  user:",
        f"    client-certificate-data: {_inline(folder / 'admin.crt')}",
        f"    client-key-data: {_inline(folder / 'admin.key')}",
        "contexts:",
        "- name: klamm",
        "  context:",
        "    cluster: klamm",
        "    user: klamm-admin",
        f"    namespace: {namespace}",
        "",
    ]
    _write(home.kubeconfig, "\n".join(lines).encode())


def administrator(home: Home, port: int) -> "Connection":
    """What the kubeconfig says, without reading YAML for it. Raises `Mistake` when a file is gone."""
    from klamm.kube.connection import Connection

    folder = home.certificates
    try:
        return Connection(
            server=f"https://127.0.0.1:{port}",
            authorities=(folder / "ca.crt").read_bytes(),
            certificate=(folder / "admin.crt").read_bytes(),
            key=(folder / "admin.key").read_bytes(),
        )
    except FileNotFoundError as error:
        raise Mistake(
            f"{error.filename} is gone, and without it this cluster cannot be reached. Restore the file; or stop the "
            f"cluster with `klamm down`, remove {folder} and start again: data stays, certificates are made anew"
        ) from error


def _inline(path: Path) -> str:
    return b64encode(path.read_bytes()).decode("ascii")


def _write(path: Path, content: bytes) -> None:
    """Never readable by others, not even for the moment between creation and chmod; never half there."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    beside.replace(path)
