"""The transport of programs that stay: aiohttp's connections (see `exchange.py` for what a transport is)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from klamm.kube.connection import Connection
from klamm.kube.errors import Held, Unreachable
from klamm.kube.exchange import CONNECT, Permit, Response, Stream
from klamm.kube.requests import JSON, Request

IDLE = 75.0
"""Seconds that an unused connection is kept. kube-apiserver keeps its side for minutes, so we end it first."""

CALLS = 16
"""So many calls are under way at a time, others wait. Each needs a connection, which is kept for a while and costs a
third of a MB; and a server that is asked by a hundred passes at once answers none of them sooner."""


class HttpTransport:
    """HTTP/1.1 over kept-alive connections; made inside a running loop.

    `permit` is asked before each write, and once more when its bytes leave: in between a connection may have to be
    made, and a process may sleep for a minute.
    """

    def __init__(self, connection: Connection, permit: Permit | None = None) -> None:
        self._connection = connection
        self._permit = permit
        context = connection.tls_context()
        self._slots = asyncio.Semaphore(CALLS)
        # No limit of connections: each watch holds one beside those of calls.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE, ssl=context if context else True)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            # Compressing costs both sides more CPU than the bytes on a local connection.
            headers={"Accept-Encoding": "identity", "Accept": "application/json", "User-Agent": "klamm"},
            auto_decompress=True,
        )

    async def send(self, request: Request) -> Response:
        # Permits are asked for when it is this call's turn: in line it may have slept.
        async with self._slots:
            with self._permitted(request):
                return await self._answered(request)

    async def _answered(self, request: Request) -> Response:
        try:
            timeout = aiohttp.ClientTimeout(total=request.timeout, sock_connect=CONNECT)
            async with self._asked(request, timeout) as answer:
                return Response(answer.status, await answer.read(), answer.headers)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(request, error) from error

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Stream]:
        try:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=request.timeout)
            answered = self._asked(request, timeout)
            answer = await answered.__aenter__()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(request, error) from error
        try:
            yield Stream(answer.status, answer.headers, _pieces(request, answer))
        finally:
            # Closing, not releasing: what is left of a watch would never be read to its end.
            answer.close()

    def _asked(
        self, request: Request, timeout: aiohttp.ClientTimeout
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = {"Content-Type": request.content_type} if request.body is not None else {}
        if request.accept != JSON:
            headers["Accept"] = request.accept
        if self._connection.token is not None:
            headers["Authorization"] = f"Bearer {self._connection.token.current()}"
        return self._session.request(
            request.method,
            URL(self._connection.server + request.target, encoded=True),
            data=self._body(request),
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            server_hostname=self._connection.server_name,
        )

    @contextmanager
    def _permitted(self, request: Request) -> Iterator[None]:
        if self._permit is None or request.method == "GET":
            yield
            return
        if (why := self._permit.reason_to_hold) is not None:
            raise Held(request.doing, why)
        try:
            yield
        except BaseException:
            self._permit.given_up()
            raise

    def _body(self, request: Request) -> "bytes | _HeldBody | None":
        return request.body if self._permit is None or request.body is None else _HeldBody(request.body, self._permit)

    async def close(self) -> None:
        await self._session.close()
        # The TLS goodbye is sent by the loop's next rounds; without them a warning about an open transport appears.
        await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _HeldBody(aiohttp.BytesPayload):
    """Cut off before its first byte when the permit is gone: a server does nothing with half a request."""

    def __init__(self, body: bytes, permit: Permit) -> None:
        super().__init__(body)
        self._permit = permit

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if (why := self._permit.reason_to_hold) is not None:
            raise aiohttp.ClientConnectionError(f"held back: {why}")
        await super().write_with_length(writer, content_length)


async def _pieces(request: Request, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.content.iter_any():
            yield piece
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise _unreachable(request, error) from error


def _unreachable(request: Request, error: Exception) -> Unreachable:
    never_sent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    if isinstance(error, TimeoutError):
        said = f"no answer within {CONNECT if never_sent else request.timeout:g} s"
    else:
        said = str(error) or type(error).__name__
    return Unreachable(request.doing, said, sent=not never_sent)
