"""Where the API server is and how we show who we are: from a kubeconfig file, or from the files in a pod.

All paths are parameters; which file to take (KUBECONFIG, --kubeconfig, ~/.kube/config) is for `programs/` to say.
Not supported, and refused with a sentence: exec plugins, auth providers, user name and password.
"""

import base64
import binascii
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from klamm.base import tls

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a kubelet puts a pod's token, authority and namespace."""


class BadConnection(Exception):
    """The files do not say how to reach the API server; the message names file, entry and mend."""


class Token(Protocol):
    def current(self) -> str: ...


@dataclass(frozen=True, slots=True)
class FixedToken:
    value: str = field(repr=False)

    def current(self) -> str:
        return self.value


class FileToken:
    """A token that a kubelet renews: read again whenever the file has changed, which one `stat` per request tells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._value = ""

    def current(self) -> str:
        try:
            status = self.path.stat()
            seen = (status.st_mtime_ns, status.st_ino)
            if seen != self._seen:
                self._value, self._seen = self.path.read_text().strip(), seen
        except OSError as error:
            # The old token is good for minutes yet; the file is missing only while the kubelet swaps it.
            if not self._value:
                raise BadConnection(f"read the API token from {self.path}: {error}") from error
        return self._value


@dataclass(frozen=True, slots=True)
class Connection:
    server: str
    """"https://127.0.0.1:6443", without a slash at the end."""
    authorities: bytes | None = field(default=None, repr=False)
    """PEM; None: those that the system trusts."""
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    token: Token | None = field(default=None, repr=False)
    namespace: str = "default"
    server_name: str | None = None
    """The name that the server's certificate must show, when it is not the address that we dial."""
    insecure: bool = False
    """Trust any server: only when the kubeconfig says so."""

    def tls_context(self) -> ssl.SSLContext | None:
        """None for plain http."""
        if not self.server.startswith("https:"):
            return None
        context = tls.client_context(self.authorities) if self.authorities else ssl.create_default_context()
        if self.certificate is not None and self.key is not None:
            tls.load_identity(context, self.certificate, self.key)
        if self.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def in_cluster(host: str, port: str, folder: Path = IN_CLUSTER) -> Connection:
    """From within a pod. `host` and `port` are KUBERNETES_SERVICE_HOST and _PORT, which `programs/` reads."""
    address = f"[{host}]" if ":" in host else host
    namespace = folder / "namespace"
    return Connection(
        server=f"https://{address}:{port}",
        authorities=_read(folder / "ca.crt", "the API server's authority"),
        token=FileToken(folder / "token"),
        namespace=namespace.read_text().strip() if namespace.exists() else "default",
    )


def from_kubeconfig(path: Path, context: str | None = None) -> Connection:
    """From the current (or given) context of a kubeconfig file; relative file names count from its folder."""
    import yaml  # 1 MB that a pod, which reads no kubeconfig, need not have

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        config = yaml.load(_read(path, "the kubeconfig"), Loader=loader)
    except yaml.YAMLError as error:
        raise BadConnection(f"read the kubeconfig {path}: it is not YAML: {error}") from error
    return _Kubeconfig(path, config if isinstance(config, dict) else {}).connection(context)


@dataclass(frozen=True, slots=True)
class _Kubeconfig:
    path: Path
    config: Mapping[str, Any]

    def connection(self, context_name: str | None) -> Connection:
        name = context_name or self.config.get("current-context")
        if not name:
            raise self._bad("it names no current-context; choose one with `kubectl config use-context`")
        context = self._entry("contexts", "context", name)
        cluster = self._entry("clusters", "cluster", context.get("cluster"))
        user = self._entry("users", "user", context["user"]) if context.get("user") else {}
        self._refuse_unsupported(user)
        return Connection(
            server=str(cluster.get("server", "")).rstrip("/") or self._no_server(context.get("cluster")),
            authorities=self._data(cluster, "certificate-authority"),
            certificate=self._data(user, "client-certificate"),
            key=self._data(user, "client-key"),
            token=self._token(user),
            namespace=context.get("namespace") or "default",
            server_name=cluster.get("tls-server-name"),
            insecure=bool(cluster.get("insecure-skip-tls-verify", False)),
        )

    def _entry(self, section: str, key: str, name: object) -> Mapping[str, Any]:
        for entry in self.config.get(section) or ():
            if isinstance(entry, dict) and entry.get("name") == name:
                return entry.get(key) or {}
        raise self._bad(f"{section} has no entry named {name!r}")

    def _data(self, entry: Mapping[str, Any], key: str) -> bytes | None:
        """`<key>-data` in base64 goes before the file that `<key>` names."""
        if inline := entry.get(f"{key}-data"):
            try:
                return base64.b64decode(inline, validate=True)
            except (binascii.Error, ValueError) as error:
                raise self._bad(f"{key}-data is not base64") from error
        if named := entry.get(key):
            return _read(self.path.parent / named, key)
        return None

    def _token(self, user: Mapping[str, Any]) -> Token | None:
        # A file goes before an inline token, as in kubectl: the inline one may be an old copy.
        if named := user.get("tokenFile"):
            return FileToken(self.path.parent / named)
        return FixedToken(user["token"]) if user.get("token") else None

    def _refuse_unsupported(self, user: Mapping[str, Any]) -> None:
        for key in ("exec", "auth-provider", "username"):
            if user.get(key):
                raise self._bad(f"its user signs in by {key!r}; use a client certificate or a token")

    def _no_server(self, cluster: object) -> str:
        raise self._bad(f"cluster {cluster!r} has no server address")

    def _bad(self, what: str) -> BadConnection:
        return BadConnection(f"read the kubeconfig {self.path}: {what}")


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadConnection(f"read {what} from {path}: {error.strerror}") from error
