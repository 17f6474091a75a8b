"""kafka-init: tells a broker where its node stands and how clients outside reach it.

Runs as the pod's init container, reads the Node named NODE_NAME through the API with the pod's service account,
writes two files for kafka_run.sh into the init volume and ends:

    rack.id            the value of the node's label RACK_TOPOLOGY_KEY, when that is set
    external.address   with EXTERNAL_ADDRESS=TRUE: `export STRIMZI_NODEPORT_<KIND>_ADDRESS=<address>` for the kinds
                       DEFAULT, EXTERNALIP, EXTERNALDNS, INTERNALIP, INTERNALDNS and HOSTNAME

DEFAULT is the first address there is, in the order ExternalDNS, ExternalIP, InternalDNS, InternalIP, Hostname
(Strimzi's order). It costs milliseconds because every broker waits for it: the standard library only, and of that
not even an HTTP client; run it by its path with `python -I -S`.
"""

import json
import os
import re
import socket
import ssl
import sys
from collections.abc import Mapping
from typing import Any

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
INIT_FOLDER = "/opt/kafka/init"
TIMEOUT_SECONDS = 10.0
LARGEST_ANSWER = 8 << 20

PREFERENCE = ("ExternalDNS", "ExternalIP", "InternalDNS", "InternalIP", "Hostname")

# What may stand in a host name or an address; anything else in a Node would end up in a broker's settings.
_ADDRESS = re.compile(r"[A-Za-z0-9.:_-]+")


class CannotTell(Exception):
    """The node could not be read or lacks what is asked for; the message says what to do."""


def main() -> None:
    try:
        run(os.environ)  # noqa: TID251 (a program reads its environment)
    except CannotTell as error:
        sys.exit(f"kafka-init: {error}")


def run(environment: Mapping[str, str]) -> None:
    name = environment.get("NODE_NAME", "")
    if not name:
        raise CannotTell("NODE_NAME is not set; the pod must give it from spec.nodeName")
    node = read_node(name, environment)
    folder = environment.get("INIT_FOLDER", INIT_FOLDER)
    if key := environment.get("RACK_TOPOLOGY_KEY"):
        write(folder, "rack.id", rack_of(node, name, key) + "\n")
    if environment.get("EXTERNAL_ADDRESS", "").upper() == "TRUE":
        write(folder, "external.address", external_address(node, name))


def rack_of(node: Mapping[str, Any], name: str, key: str) -> str:
    rack = (node.get("metadata", {}).get("labels") or {}).get(key)
    if not rack:
        raise CannotTell(f"node {name} has no label {key}, which rack.topologyKey asks for; label the node")
    return str(rack)


def external_address(node: Mapping[str, Any], name: str) -> str:
    """The lines of external.address."""
    addresses: dict[str, str] = {}
    for entry in node.get("status", {}).get("addresses") or []:
        kind, address = str(entry.get("type", "")), str(entry.get("address", ""))
        if kind in PREFERENCE and kind not in addresses and _ADDRESS.fullmatch(address):
            addresses[kind] = address
    chosen = next((addresses[kind] for kind in PREFERENCE if kind in addresses), None)
    if chosen is None:
        raise CannotTell(f"node {name} has no address in its status; clients outside could not reach the broker")
    lines = [f"export STRIMZI_NODEPORT_DEFAULT_ADDRESS={chosen}"]
    lines += [
        f"export STRIMZI_NODEPORT_{kind.upper()}_ADDRESS={addresses[kind]}" for kind in PREFERENCE if kind in addresses
    ]
    return "\n".join(lines) + "\n"


def write(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def read_node(name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    host = environment.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc")
    port = int(environment.get("KUBERNETES_SERVICE_PORT", "443"))
    account = environment.get("SERVICE_ACCOUNT_FOLDER", SERVICE_ACCOUNT)
    what = f"reading node {name} from {host}:{port}"
    if not re.fullmatch(r"[a-z0-9.-]+", name):
        raise CannotTell(f"{what}: this is no node's name")
    try:
        with open(os.path.join(account, "token"), encoding="ascii") as file:
            token = file.read().strip()
        context = ssl.create_default_context(cafile=os.path.join(account, "ca.crt"))
        status, body = get(host, port, f"/api/v1/nodes/{name}", token, context)
    except OSError as error:
        raise CannotTell(f"{what}: {error}") from error
    if status != 200:
        raise CannotTell(f"{what}: HTTP status {status}: {_message(body)}")
    node: dict[str, Any] = json.loads(body)
    return node


def get(host: str, port: int, path: str, token: str, context: ssl.SSLContext) -> tuple[int, bytes]:
    """One GET over TLS. HTTP/1.0, so that the answer ends with the connection and is never chunked."""
    request = (
        f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
        "Accept: application/json\r\nUser-Agent: klamm-kafka-init\r\nConnection: close\r\n\r\n"
    )
    with (
        socket.create_connection((host, port), timeout=TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall(request.encode("ascii"))
        answer = bytearray()
        while chunk := connection.recv(65536):
            answer += chunk
            if len(answer) > LARGEST_ANSWER:
                raise OSError("the answer is too large for a Node")
    return parse(bytes(answer))


def parse(answer: bytes) -> tuple[int, bytes]:
    """Status and body of a whole HTTP/1.x answer."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    first, *headers = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not separator or len(words) < 2 or not words[1].isdigit():
        raise OSError("what answered does not speak HTTP")
    fields = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in headers)}
    if fields.get("transfer-encoding", "").lower() == "chunked":
        body = _unchunked(body)
    if "content-length" in fields and len(body) < int(fields["content-length"]):
        raise OSError("the answer was cut off")
    return int(words[1]), body


def _unchunked(body: bytes) -> bytes:
    """Some servers chunk even for HTTP/1.0."""
    whole = bytearray()
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if length == 0:
            return bytes(whole)
        whole += body[:length]
        body = body[length + 2 :]
    raise OSError("the answer was cut off")


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body).get("message", ""))
    except ValueError:
        return body[:200].decode("utf-8", "replace")


if __name__ == "__main__":
    main()
