"""An LDAP server that holds a few entries, over a real socket: simple binds and searches, in BER as RFC 4511 writes it.

with fake_directory({"cn=ann,dc=x": Kept("pw", {"uid": ["ann"]})}) as directory:
    Ldap((directory.url,), ...)
"""

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

_BIND, _BOUND, _UNBIND, _SEARCH, _ENTRY, _DONE = 0x60, 0x61, 0x42, 0x63, 0x64, 0x65
_AND, _OR, _NOT, _EQUAL, _PRESENT = 0xA0, 0xA1, 0xA2, 0xA3, 0x87
_OK, _WRONG = 0, 49


@dataclass(frozen=True)
class Kept:
    """An entry. `password`: None cannot be bound to."""

    password: str | None = None
    attributes: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass
class FakeDirectory:
    """`asked`: binds and searches, as text. `names`: other names that an entry is bound by (user@domain)."""

    entries: Mapping[str, Kept]
    names: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    asked: list[str] = field(default_factory=list)
    is_silent: bool = False
    """It hangs up on everybody."""

    def answers(self, message: bytes) -> Iterator[bytes]:
        number, operation, *_ = _parts(_parts(message)[0][1])
        tag, content = operation
        if tag == _BIND:
            yield _message(number[1], _BOUND, self._bind(content))
        elif tag == _SEARCH:
            for dn, kept in self._search(content):
                yield _message(number[1], _ENTRY, _octets(dn) + _attributes(kept))
            yield _message(number[1], _DONE, _result(_OK))

    def _bind(self, content: bytes) -> bytes:
        _, name, secret = _parts(content)
        dn, password = name[1].decode(), secret[1].decode()
        self.asked.append(f"bind {dn}")
        if not password:
            return _result(_OK)  # RFC 4513, 5.1.2: nobody's log-in, which succeeds
        kept = self.entries.get(self.names.get(dn, dn))
        return _result(_OK if kept is not None and kept.password == password else _WRONG)

    def _search(self, content: bytes) -> Iterator[tuple[str, Kept]]:
        base, *_, wanted, _ = _parts(content)
        self.asked.append(f"search {base[1].decode()} {_text(wanted)}")
        for dn, kept in self.entries.items():
            if dn.lower().endswith(base[1].decode().lower()) and _fits(wanted, kept):
                yield dn, kept


def _fits(wanted: tuple[int, bytes], kept: Kept) -> bool:
    tag, content = wanted
    if tag in (_AND, _OR):
        return (all if tag == _AND else any)(_fits(one, kept) for one in _parts(content))
    if tag == _NOT:
        return not _fits(_parts(content)[0], kept)
    if tag == _PRESENT:
        return content.decode() in kept.attributes
    assert tag == _EQUAL, hex(tag)
    name, value = (one[1].decode() for one in _parts(content))
    return value.lower() in [one.lower() for one in kept.attributes.get(name, [])]


def _text(wanted: tuple[int, bytes]) -> str:
    tag, content = wanted
    if tag == _PRESENT:
        return f"({content.decode()}=*)"
    if tag == _EQUAL:
        name, value = (one[1].decode() for one in _parts(content))
        return f"({name}={value})"
    return f"({ {_AND: '&', _OR: '|', _NOT: '!'}[tag] }{''.join(map(_text, _parts(content)))})".replace(" ", "")


# --- BER


def _parts(content: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(content):
        size, begin = _length(content, at + 1)
        found.append((content[at], content[begin : begin + size]))
        at = begin + size
    return found


def _length(content: bytes, at: int) -> tuple[int, int]:
    """The length that is written there, and where what it is about begins."""
    first = content[at]
    if first < 0x80:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    return int.from_bytes(content[at + 1 : end]), end


def _written(tag: int, content: bytes) -> bytes:
    size = len(content)
    return bytes([tag]) + (bytes([size]) if size < 0x80 else b"\x82" + size.to_bytes(2)) + content


def _octets(text: str) -> bytes:
    return _written(4, text.encode())


def _result(code: int) -> bytes:
    return _written(10, bytes([code])) + _octets("") + _octets("")


def _attributes(kept: Kept) -> bytes:
    lines = b"".join(
        _written(0x30, _octets(name) + _written(0x31, b"".join(map(_octets, values))))
        for name, values in kept.attributes.items()
    )
    return _written(0x30, lines)


def _message(number: bytes, tag: int, content: bytes) -> bytes:
    return _written(0x30, _written(2, number) + _written(tag, content))


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        directory: FakeDirectory = self.server.directory  # type: ignore[attr-defined]
        while not directory.is_silent and (begin := self.rfile.read(2)):
            more = self.rfile.read(begin[1] & 0x7F) if begin[1] >= 0x80 else b""
            size = int.from_bytes(more) if more else begin[1]
            message = begin + more + self.rfile.read(size)
            if _parts(_parts(message)[0][1])[1][0] == _UNBIND:
                return
            for answer in directory.answers(message):
                self.wfile.write(answer)


@contextmanager
def fake_directory(entries: Mapping[str, Kept], names: Mapping[str, str] | None = None) -> Iterator[FakeDirectory]:
    directory = FakeDirectory(entries, names or {})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.directory = directory  # type: ignore[attr-defined]
        directory.url = f"ldap://127.0.0.1:{server.server_address[1]}"
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield directory
        finally:
            server.shutdown()
            serving.join()
