"""TLS over a `PortConnection`, without verification: what HTTPS probes need. Imported only when one is used."""

import ssl

from klamm.localkube.objects import PortConnection


class TlsConnection:
    """The same kind of stream, encrypted. Made by `over_tls`."""

    def __init__(self, below: PortConnection) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing)

    async def handshake(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            else:
                return await self._flush()

    async def read(self) -> bytes:
        while True:
            try:
                return self._tls.read(65536)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            except ssl.SSLZeroReturnError:
                return b""

    async def write(self, data: bytes) -> None:
        self._tls.write(data)
        await self._flush()

    async def end_input(self) -> None:
        await self._below.end_input()

    async def close(self) -> None:
        await self._below.close()

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._below.write(data)

    async def _feed(self) -> None:
        data = await self._below.read()
        if not data:
            raise ConnectionResetError("the connection was closed in the middle of TLS")
        self._incoming.write(data)


async def over_tls(below: PortConnection) -> PortConnection:
    """Raises OSError (of which ssl.SSLError is one) when the other side does not speak TLS."""
    connection = TlsConnection(below)
    await connection.handshake()
    return connection
