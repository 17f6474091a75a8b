"""Sends a request until it has an answer that is worth having, within bounds.

What is tried again, and what is not:

    no connection                          any request: it never arrived
    429                                    any request: the server did nothing; after Retry-After
    cut or too late, 5xx                   idempotent requests only (see `requests.py`)
    everything else                        never: the answer would be the same

A server that asks for more patience than `longest_wait` gets it from the loop (`TooBusy.retry_after`), not from here:
a pass should not hang in one call.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from klamm.base import logs
from klamm.base.backoff import BackOff
from klamm.kube import errors
from klamm.kube.exchange import Response, Stream, Transport
from klamm.kube.requests import Request

_log = logs.room("kube")

_SHORT = BackOff(first=0.1, factor=3.0, longest=2.0, jitter=0.5)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often one call is tried, with which waits, and how long one wait may be at most (seconds)."""

    attempts: int = 4
    back_off: BackOff = _SHORT
    longest_wait: float = 5.0


class Sender:
    def __init__(self, transport: Transport, random: Random, patience: Patience | None = None) -> None:
        self._transport = transport
        self._random = random
        self._patience = patience or Patience()

    async def send(self, request: Request) -> Response:
        """An answer below 400, or the KubeError of the last attempt."""
        attempt = 1
        while True:
            error = await self._tried(request)
            if isinstance(error, Response):
                return error
            wait = self._wait_before_retry(request, error, attempt)
            if wait is None:
                raise error
            _log.debug("tried again", doing=request.doing, because=error.message, after=round(wait, 2))
            await asyncio.sleep(wait)
            attempt += 1

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Stream]:
        """One attempt: whoever streams knows where to go on."""
        async with self._transport.stream(request) as stream:
            if stream.status >= 400:
                body = b"".join([piece async for piece in stream.pieces])
                raise errors.of_answer(request.doing, stream.status, body, stream.headers)
            yield stream

    async def close(self) -> None:
        await self._transport.close()

    async def _tried(self, request: Request) -> Response | errors.KubeError:
        try:
            response = await self._transport.send(request)
        except errors.Unreachable as error:
            return error
        if response.status < 400:
            return response
        return errors.of_answer(request.doing, response.status, response.body, response.headers)

    def _wait_before_retry(self, request: Request, error: errors.KubeError, attempt: int) -> float | None:
        """Seconds, or None when this error is the caller's."""
        if attempt >= self._patience.attempts or not may_retry(request, error):
            return None
        wait = self._patience.back_off.delay(attempt, self._random)
        if isinstance(error, errors.TooBusy) and error.retry_after is not None:
            wait = max(wait, error.retry_after)
        return wait if wait <= self._patience.longest_wait else None


def may_retry(request: Request, error: errors.KubeError) -> bool:
    match error:
        case errors.TooBusy():
            return True
        case errors.Unreachable():
            return request.idempotent or not error.sent
        case errors.ServerFault():
            return request.idempotent
    return False
