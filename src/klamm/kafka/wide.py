"""Large answers taken from their socket in large pieces.

The library takes 4 KB at a time, and after each it waits for its turn among our threads: while others look through
records, that is most of the time of a large answer.
"""

import ssl
from typing import Any

_AT_ONCE = 256 << 10


def take_much_at_once(manager: Any, node: int) -> None:
    """From here on, of this broker's answers over the connection that is open; nothing where none is."""
    connection = manager._conns.get(node)
    transport = None if connection is None else connection.transport
    if transport is not None and not hasattr(transport, "taken_wide"):
        transport.taken_wide = True
        transport._sock_recv = lambda: _received(transport._sock)


def _received(sock: Any) -> tuple[bytes, Exception | None]:
    """All that is there. With TLS it must be all, for what waits inside of it wakes nobody."""
    from kafka.errors import KafkaConnectionError

    pieces: list[bytes] = []
    failure: Exception | None = None
    try:
        while data := sock.recv(_AT_ONCE):
            pieces.append(data)
        failure = KafkaConnectionError("socket disconnected")
    except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        pass
    except Exception as error:
        failure = KafkaConnectionError(error)
    return b"".join(pieces), failure
