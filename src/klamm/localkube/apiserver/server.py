"""Serves the API on sockets that already listen: the guardian's TCP socket, and a unix socket for the cluster inside.

Both speak TLS and ask for a client certificate without insisting: a bearer token does as well.
"""

import logging
import ssl
from collections.abc import Sequence
from pathlib import Path
from socket import socket

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

_SHUTDOWN_SECONDS = 2.0


def server_context(certificate: Path, key: Path, client_authority: Path) -> ssl.SSLContext:
    """TLS with the server's certificate; client certificates count when `client_authority` signed them."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(client_authority))
    context.load_cert_chain(str(certificate), str(key))
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _is_ours(record: logging.LogRecord) -> bool:
    """What is no HTTP is answered with 400; a stack for each would let any caller fill the disk."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


class Server:
    def __init__(self, app: web.Application, sockets: Sequence[socket], context: ssl.SSLContext) -> None:
        logger = logging.getLogger("klamm.localkube.connections")
        logger.addFilter(_is_ours)
        self._runner = web.AppRunner(
            app,
            logger=logger,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_SHUTDOWN_SECONDS,
            keepalive_timeout=300,
        )
        self._sockets = sockets
        self._context = context

    async def start(self) -> None:
        await self._runner.setup()
        for listening in self._sockets:
            await web.SockSite(self._runner, listening, ssl_context=self._context, backlog=512).start()

    async def stop(self) -> None:
        """Ends watches and streams, then the connections."""
        await self._runner.cleanup()
