"""A real API server on a free port of the loopback, with its certificates and kubeconfig, for tests of clients."""

import base64
import contextlib
import json
import random
import socket
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from klamm.base.clock import SystemClock
from klamm.certificates.issue import Authority, Subject, issue_authority, issue_leaf
from klamm.certificates.keys import key_to_pem, new_key
from klamm.localkube.apiserver.authentication import Authenticator, Tokens
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.server import Server, server_context
from klamm.localkube.apiserver.storage import Storage
from klamm.localkube.apiserver.subresources import bound_exists
from klamm.localkube.apiserver.upgrades import PING_SECONDS
from klamm.localkube.apiserver.web import build_app
from klamm.localkube.objects import Streams


def api_registry(store: Storage | Path | str = ":memory:", seed: int = 1) -> Registry:
    """`store`: one that is there already, or where it is to be."""
    storage = store if isinstance(store, Storage) else Storage(store)
    return Registry(storage, SystemClock(), random.Random(seed), lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class RunningApi:
    registry: Registry
    tokens: Tokens
    url: str
    kubeconfig: Path
    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> None:
    now = datetime.now(UTC)  # noqa: TID251 (a test's certificates must be valid now)
    authority_key = new_key()
    authority_pem = issue_authority(Subject("localkube-ca", None), authority_key, now=now, days=1)
    authority = Authority(authority_pem, key_to_pem(authority_key))
    (folder / "ca.crt").write_bytes(authority_pem)
    leaves = {
        "server": (Subject("kube-apiserver", None), frozenset(["localhost", "127.0.0.1"])),
        "admin": (Subject("admin", "system:masters"), frozenset[str]()),
    }
    for name, (subject, names) in leaves.items():
        key = new_key()
        leaf = issue_leaf(authority, subject, key, now=now, days=1, alternative_names=names)
        (folder / f"{name}.crt").write_bytes(leaf)
        (folder / f"{name}.key").write_bytes(key_to_pem(key))


def write_kubeconfig(folder: Path, url: str) -> Path:
    def data(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    user = {"client-certificate-data": data("admin.crt"), "client-key-data": data("admin.key")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url, "certificate-authority-data": data("ca.crt")}}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "admin"}}],
        "current-context": "c",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


@contextlib.asynccontextmanager
async def running_api(
    folder: Path, streams: Streams, registry: Registry | None = None, ping_seconds: float = PING_SECONDS
) -> AsyncIterator[RunningApi]:
    make_certificates(folder)
    registry = registry or api_registry(folder / "objects.db")
    tokens = Tokens(ec.generate_private_key(ec.SECP256R1()), registry.clock, lambda: str(uuid.uuid4()))
    authenticator = Authenticator(tokens, lambda bound: bound_exists(registry, bound))
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    context = server_context(folder / "server.crt", folder / "server.key", folder / "ca.crt")
    server = Server(build_app(registry, streams, authenticator, tokens, ping_seconds), [listening], context)
    await server.start()
    try:
        yield RunningApi(
            registry,
            tokens,
            url,
            write_kubeconfig(folder, url),
            folder / "ca.crt",
            folder / "admin.crt",
            folder / "admin.key",
        )
    finally:
        await server.stop()
