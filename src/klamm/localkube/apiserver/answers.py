"""What handlers share: the server's parts, and the plain sorts of answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from aiohttp import web

from klamm.localkube.apiserver.authentication import Authenticator, Tokens
from klamm.localkube.apiserver.registry import Registry
from klamm.localkube.apiserver.upgrades import PING_SECONDS
from klamm.localkube.apiserver.watching import Watch
from klamm.localkube.objects import Object, Streams


@dataclass(eq=False)
class Api:
    """What handlers need. One per server."""

    registry: Registry
    streams: Streams
    authenticator: Authenticator
    tokens: Tokens
    ping_seconds: float = PING_SECONDS
    """Between two looks for a streaming client (`upgrades`)."""
    watches: set[Watch] = field(default_factory=set)
    documents: dict[tuple[int, str], bytes] = field(default_factory=dict)
    """Discovery and OpenAPI bodies by (state of the CRDs, path)."""

    def now(self) -> datetime:
        return self.registry.clock.now()

    def document(self, name: str, make: Callable[[], Object]) -> bytes:
        key = (self.registry.kinds_changed, name)
        body = self.documents.get(key)
        if body is None:
            self.documents = {at: kept for at, kept in self.documents.items() if at[0] == key[0]}
            body = self.documents[key] = msgspec.json.encode(make())
        return body


def json_response(obj: Object, status: int = 200) -> web.Response:
    return bytes_response(msgspec.json.encode(obj), status)


def bytes_response(body: bytes, status: int = 200, content_type: str = "application/json") -> web.Response:
    headers = {"Content-Type": content_type, "Cache-Control": "no-cache, private"}
    return web.Response(body=body, status=status, headers=headers)


def nothing_here() -> web.Response:
    return bytes_response(b"404 page not found\n", 404, "text/plain; charset=utf-8")
