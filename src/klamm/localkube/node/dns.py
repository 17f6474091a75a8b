"""The cluster's DNS answers (RFC 1035): pure functions from a query and the table of names to an answer.

A records for the names of the table. A known name asked for another type gets an empty NOERROR; an unknown name
inside the cluster domain NXDOMAIN, which lets a resolver go on with its search list; a name outside it SERVFAIL,
because the node's network has no way to the host's resolvers and a client should learn that at once. Names of one
label get NXDOMAIN.

Addresses lead back to names (PTR): ZooKeeper's quorum TLS looks its callers up and checks the name that it finds
against their certificate. As in a cluster's DNS, a pod's own name under its headless Service is the one that is told.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

from klamm.localkube.node.addresses import CLUSTER_DOMAIN

_HEADER = struct.Struct("!HHHHHH")
_RESPONSE, _AUTHORITATIVE, _TRUNCATED, _RECURSION_DESIRED = 0x8000, 0x0400, 0x0200, 0x0100
_RECURSION_AVAILABLE = 0x0080
_NOERROR, _FORMERR, _SERVFAIL, _NXDOMAIN, _NOTIMP = 0, 1, 2, 3, 4
_TYPE_A, _TYPE_PTR, _TYPE_ANY, _CLASS_IN = 1, 12, 255, 1
_REVERSE = ".in-addr.arpa"
_SECONDS_TO_LIVE = 5
UDP_LIMIT = 512


def with_parents(names: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """`names` and, without addresses, every name above them: those exist too (RFC 8020)."""
    table: dict[str, tuple[str, ...]] = {CLUSTER_DOMAIN: ()}
    for name in names:
        parent = name.partition(".")[2]
        while "." in parent and parent not in table:
            table[parent] = ()
            parent = parent.partition(".")[2]
    table.update(names)
    table.update(_backwards(names))
    return table


def _backwards(names: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Reverse name of each address -> its longest name, the one of a single pod rather than of a whole Service."""
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(names, key=lambda each: (each.count("."), each)):
        for address in names[name]:
            found[".".join(reversed(address.split("."))) + _REVERSE] = (name,)
    return found


def answer(query: bytes, names: Mapping[str, tuple[str, ...]], limit: int = UDP_LIMIT, turn: int = 0) -> bytes | None:
    """The answer in at most `limit` bytes (cut off with TC, so that the client asks by TCP); None: no query at all.

    `turn` rotates a name's addresses, so that clients that take the first one spread.
    """
    if len(query) < _HEADER.size:
        return None
    ident, flags, questions, _, _, _ = _HEADER.unpack_from(query)
    if flags & _RESPONSE:
        return None
    recursion = flags & _RECURSION_DESIRED
    if (flags >> 11) & 15:
        return _HEADER.pack(ident, _RESPONSE | recursion | _NOTIMP, 0, 0, 0, 0)
    question = _question(query) if questions == 1 else None
    if question is None:
        return _HEADER.pack(ident, _RESPONSE | recursion | _FORMERR, 0, 0, 0, 0)
    name, kind, end = question
    code, values = _look_up(name, names)
    wanted = _TYPE_PTR if name.endswith(_REVERSE) else _TYPE_A
    if kind not in (wanted, _TYPE_ANY):
        values = ()
    first = turn % len(values) if values else 0
    values = values[first:] + values[:first]
    encode = _encoded_name if wanted == _TYPE_PTR else socket.inet_aton
    records = [_record(wanted, encode(value)) for value in values]
    return _pack(ident, recursion | code, query[_HEADER.size : end], records, limit)


def _record(kind: int, data: bytes) -> bytes:
    """About the question's own name, which 0xC00C points at."""
    return struct.pack("!HHHIH", 0xC00C, kind, _CLASS_IN, _SECONDS_TO_LIVE, len(data)) + data


def _encoded_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split(".")) + b"\0"


def _pack(ident: int, bits: int, question: bytes, answers: list[bytes], limit: int) -> bytes:
    records = b"".join(answers)
    flags = _RESPONSE | _RECURSION_AVAILABLE | bits
    if bits & 15 != _SERVFAIL:
        flags |= _AUTHORITATIVE
    if _HEADER.size + len(question) + len(records) > limit:
        return _HEADER.pack(ident, flags | _TRUNCATED, 1, 0, 0, 0) + question
    return _HEADER.pack(ident, flags, 1, len(answers), 0, 0) + question + records


def _look_up(name: str, names: Mapping[str, tuple[str, ...]]) -> tuple[int, tuple[str, ...]]:
    found = names.get(name)
    if found is not None:
        return _NOERROR, tuple(found)
    if "." not in name or name.endswith(("." + CLUSTER_DOMAIN, ".in-addr.arpa", ".ip6.arpa")):
        return _NXDOMAIN, ()
    return _SERVFAIL, ()


def _question(query: bytes) -> tuple[str, int, int] | None:
    """(lower-case name, type, end of the question); None when it is not well formed. Questions are not compressed."""
    labels = []
    at = _HEADER.size
    while True:
        if at >= len(query):
            return None
        length = query[at]
        at += 1
        if length == 0:
            break
        if length > 63 or at + length > len(query):
            return None
        labels.append(query[at : at + length].decode("ascii", "replace").lower())
        at += length
    if at + 4 > len(query):
        return None
    kind, _ = struct.unpack_from("!HH", query, at)
    return ".".join(labels), kind, at + 4
