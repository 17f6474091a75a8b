"""The way from the machine's loopback to the API server inside: python -m tests.kubernetes.node.relay DESCRIPTOR

A socket keeps the network namespace that it was made in. This one was made outside and is handed in; connections that
it accepts are led to the API server's address inside. So no interface and no route is added to the machine.
"""

import asyncio
import socket
import sys
from contextlib import suppress

from tests.kubernetes.node.layout import API_ADDRESS, API_PORT

_CHUNK = 1 << 16


async def _serve(descriptor: int) -> None:
    server = await asyncio.start_server(_lead, sock=socket.socket(fileno=descriptor))
    await server.serve_forever()


async def _lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        reader_inside, writer_inside = await asyncio.open_connection(API_ADDRESS, API_PORT)
        ways = _copy(reader, writer_inside), _copy(reader_inside, writer)
        await asyncio.gather(*ways)  # noqa: TID251 (one that is cut ends both)
    writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """To the end of one direction, which is told to the other side."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
