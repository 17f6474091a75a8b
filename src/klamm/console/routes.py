"""What the console answers to: one line in a table for each path, from which the server, the OpenAPI document, the
rights of every endpoint and their test are made.

    Route("GET", "/api/clusters/{cluster}/topics", topics, "Topics, page by page", TOPIC_VIEW, query=TopicsQuery)

A handler is a plain async function of one `Call`. What it returns is a Struct, sent as JSON; an `Events` stream, sent
as server-sent events; a `Download`; or None (204). Query and body are read into their Structs before it is called, so
a handler never meets a wrong type; whoever may not do it never reaches it. `Turn` also sets cookies and leads on: for
log-in only.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from klamm.console.access.rights import Principal, Right

if TYPE_CHECKING:
    from klamm.console.clusters import Place
    from klamm.console.scene import Scene

Q = TypeVar("Q", bound=msgspec.Struct | None)
B = TypeVar("B", bound=msgspec.Struct | None)


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request says of where it comes from. `origin`: this console as the browser names it, "https://host"."""

    remote: str = ""
    origin: str = ""
    secure: bool = False
    cookies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request. `place` is the cluster of the path; asking for it where there is none is a bug."""

    scene: "Scene"
    who: Principal
    path: Mapping[str, str]
    query: Q
    body: B
    of: "Place | None" = None
    visit: Visit = field(default_factory=Visit)

    @property
    def place(self) -> "Place":
        assert self.of is not None, "this route has no {cluster}"
        return self.of

    def may(self, resource: str, action: str, name: str | None = None) -> bool:
        return self.who.may(self.of.name if self.of else None, resource, action, name)


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event; `data` is a Struct."""

    name: str
    data: Any


@dataclass(frozen=True, slots=True)
class Events:
    """Sent one by one; the stream is closed when the reader goes."""

    stream: AsyncIterator[Event]


@dataclass(frozen=True, slots=True)
class Download:
    """A file for the reader's disk."""

    name: str
    kind: str
    stream: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Cookie:
    """For the server only (HttpOnly), of this console only. `seconds`: how long the browser keeps it, 0 removes it,
    None: until it is closed."""

    name: str
    value: str
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Cookies, and where the browser goes then (302), or nothing more (204)."""

    cookies: tuple[Cookie, ...]
    location: str | None = None


Answer = msgspec.Struct | Events | Download | Turn | None
Handler = Callable[[Any], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """`right`: None needs none beyond the log-in (and, of a cluster's path, that the cluster may be seen at all).

    `answer` and `event` are for the OpenAPI document: what the handler returns, or the data of its events.
    `public` routes need no log-in.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    right: Right | None = None
    query: type[msgspec.Struct] = NoQuery
    body: type[msgspec.Struct] | None = None
    answer: type[msgspec.Struct] | None = None
    events: tuple[type[msgspec.Struct], ...] = ()
    public: bool = False

    @property
    def changes(self) -> bool:
        """Refused on read-only clusters, noted by the audit."""
        return self.right.changes if self.right else self.method != "GET"
