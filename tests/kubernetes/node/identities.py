"""Certificates and kubeconfigs: one authority, which everyone who speaks to the API server is known by."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.kubernetes.node.layout import API_ADDRESS, API_PORT, MACHINES, Folders
from tests.kubernetes.node.settings import SERVER_NAMES

from klamm.certificates.issue import Authority, Subject, issue_authority, issue_leaf
from klamm.certificates.keys import key_to_pem, new_key

_DAYS = 30
_INSIDE = f"https://{API_ADDRESS}:{API_PORT}"
_NODES = {machine.name: Subject(f"system:node:{machine.name}", "system:nodes") for machine in MACHINES}
_CLIENTS: Mapping[str, Subject] = {
    "controllers": Subject("system:kube-controller-manager", None),
    "scheduler": Subject("system:kube-scheduler", None),
    "proxy": Subject("system:kube-proxy", None),
    **_NODES,
}
_ADMINISTRATORS = {
    "admin": Subject("admin", "system:masters"),
    "to-kubelets": Subject("kube-apiserver", "system:masters"),
}


def make(folders: Folders, url: str) -> None:
    """Everything that the cluster's programs need, and admin.kubeconfig with the address outside, for people."""
    now = datetime.now(UTC)  # noqa: TID251 (certificates must be valid now)
    key = new_key()
    pem = issue_authority(Subject("klamm-tests", None), key, now=now, days=_DAYS)
    authority = Authority(pem, key_to_pem(key))
    folder = folders.certificates
    (folder / "ca.crt").write_bytes(pem)
    _leaf(folder, authority, now, "server", Subject("kube-apiserver", None), SERVER_NAMES)
    for name, subject in {**_CLIENTS, **_ADMINISTRATORS}.items():
        _leaf(folder, authority, now, name, subject)
        folders.kubeconfig(name).write_text(_kubeconfig(folder, name, url if name == "admin" else _INSIDE))
    # In the one form of an EC key that kube-apiserver reads as public key, too.
    form = serialization.PrivateFormat.TraditionalOpenSSL
    accounts = ec.generate_private_key(ec.SECP256R1())
    pem = accounts.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "accounts.key").write_bytes(pem)


def _leaf(
    folder: Path,
    authority: Authority,
    now: datetime,
    name: str,
    subject: Subject,
    names: frozenset[str] = frozenset(),
) -> None:
    key = new_key()
    leaf = issue_leaf(authority, subject, key, now=now, days=_DAYS, alternative_names=names)
    (folder / f"{name}.crt").write_bytes(leaf)
    (folder / f"{name}.key").write_bytes(key_to_pem(key))


def _kubeconfig(folder: Path, name: str, url: str) -> str:
    def data(file: str) -> str:
        return base64.b64encode((folder / file).read_bytes()).decode()

    user = {"client-certificate-data": data(f"{name}.crt"), "client-key-data": data(f"{name}.key")}
    cluster = {"server": url, "certificate-authority-data": data("ca.crt")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "klamm-tests", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "klamm-tests", "context": {"cluster": "klamm-tests", "user": name}}],
        "current-context": "klamm-tests",
    }
    return json.dumps(config, indent=1)
