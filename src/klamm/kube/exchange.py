"""What one exchange with the API server is made of, and the seam (`Transport`) where a request becomes bytes.

Kept apart from the transports, so that who brings a transport of its own pays for importing no other.

`Transport.send` answers with any HTTP status; it raises only when there is no answer (`Unreachable`). Judging the
answer and trying again is `sending.py`'s.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from klamm.kube.requests import Request

CONNECT = 10.0
"""Seconds to reach the server, TLS included: on the same machine or network it takes milliseconds."""


class Permit(Protocol):
    """Who says whether we may write: leader election (`leases.Election`)."""

    @property
    def reason_to_hold(self) -> str | None:
        """Asked where the bytes of a write leave: why they may not, or None."""
        ...

    def given_up(self) -> None:
        """A write was cut short, or had no answer: it may arrive later."""
        ...


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body comes in pieces. A cut raises `Unreachable` from the iterator."""

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


class Transport(Protocol):
    async def send(self, request: Request) -> Response: ...

    def stream(self, request: Request) -> AbstractAsyncContextManager[Stream]: ...

    async def close(self) -> None: ...
