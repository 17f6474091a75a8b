"""A GET over a stream into a pod, as probes and hooks send it: HTTP/1.1, one request, then the stream is closed.

Kubernetes counts 200 to 399 as success and does not verify certificates; a redirect is a success already, so none
is followed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from klamm.localkube.kubelet.settings import KUBELET_VERSION
from klamm.localkube.objects import PortConnection

_HEAD_LIMIT = 16 * 1024
_USER_AGENT = f"kube-probe/{KUBELET_VERSION.removeprefix('v').rsplit('.', 1)[0]}"


class BadAnswer(Exception):
    """What came back is no HTTP."""


@dataclass(frozen=True, slots=True)
class HttpGet:
    port: int
    path: str = "/"
    host: str = ""
    tls: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, action: Mapping[str, Any], port: int) -> "HttpGet":
        headers = tuple((entry["name"], entry["value"]) for entry in action.get("httpHeaders") or ())
        path = action.get("path") or "/"
        return cls(
            port,
            path if path.startswith("/") else f"/{path}",
            action.get("host") or "",
            (action.get("scheme") or "HTTP").upper() == "HTTPS",
            headers,
        )


async def http_status(connection: PortConnection, get: HttpGet, pod_ip: str) -> int:
    """Send the request and read the status code. Raises OSError and `BadAnswer`; the caller closes the stream."""
    if get.tls:
        from klamm.localkube.kubelet.tls import over_tls

        connection = await over_tls(connection)
    await connection.write(_request(get, pod_ip))
    head = b""
    while b"\r\n" not in head and len(head) < _HEAD_LIMIT:
        chunk = await connection.read()
        if not chunk:
            break
        head += chunk
    return _status_of(head)


def _request(get: HttpGet, pod_ip: str) -> bytes:
    given = {name.lower() for name, _ in get.headers}
    own = [
        ("Host", f"{get.host or pod_ip}:{get.port}"),
        ("User-Agent", _USER_AGENT),
        ("Accept", "*/*"),
        ("Connection", "close"),
    ]
    headers = [(name, value) for name, value in own if name.lower() not in given] + list(get.headers)
    lines = [f"GET {get.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    # A manifest must not smuggle lines into the request.
    return "\r\n".join(line.replace("\r", "").replace("\n", "") for line in [*lines, "", ""]).encode()


def _status_of(head: bytes) -> int:
    words = head.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise BadAnswer(f"the answer is no HTTP: {head[:40]!r}" if head else "the connection was closed unanswered")
    return int(words[1])
