"""ZooKeeper's four-letter word `srvr`: which part a node plays in its ensemble (ZooKeeper Administrator's Guide).

Asked over mutual TLS on the client port, as everything that speaks with our ZooKeepers.
"""

import asyncio
import ssl

CLIENT_PORT = 2181
PATIENCE = 5.0
"""Seconds for a node's answer; a healthy one takes milliseconds, and the caller goes on without it."""


async def zookeeper_mode(host: str, context: ssl.SSLContext) -> str | None:
    """ "leader", "follower" or "standalone"; None when the node does not say."""
    try:
        async with asyncio.timeout(PATIENCE):
            return mode_in(await _asked(host, context))
    except (OSError, TimeoutError):
        return None


async def _asked(host: str, context: ssl.SSLContext) -> bytes:
    reader, writer = await asyncio.open_connection(host, CLIENT_PORT, ssl=context, server_hostname=host)
    try:
        writer.write(b"srvr")
        return await reader.read(4096)
    finally:
        writer.close()


def mode_in(answer: bytes) -> str | None:
    """The mode that an answer to `srvr` names."""
    for line in answer.decode("ascii", "replace").splitlines():
        if line.startswith("Mode: "):
            return line.removeprefix("Mode: ").strip()
    return None
