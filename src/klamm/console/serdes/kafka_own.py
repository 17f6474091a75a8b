"""What Kafka and MirrorMaker 2 write for themselves: `__consumer_offsets`, heartbeats, offset syncs, checkpoints.

Forms of Kafka 4 and before (group coordinator's message schemas; Connect mirror's `Heartbeat`, `OffsetSync`,
`Checkpoint`). A key of `__consumer_offsets` says in its first two bytes what its value is: 0 and 1 an offset, 2 a
classic group, 3 and more parts of groups of the new protocols, of which only the kind and the group are told.
"""

from typing import Any

from klamm.console.serdes.cursor import Cursor, Misfit

_NEW_KINDS = {
    3: "consumer-group-metadata",
    4: "consumer-group-partition-metadata",
    5: "consumer-group-member-metadata",
    6: "consumer-group-target-assignment-metadata",
    7: "consumer-group-target-assignment-member",
    8: "consumer-group-current-member-assignment",
    9: "share-group-partition-metadata",
    10: "share-group-member-metadata",
    11: "share-group-metadata",
    12: "share-group-target-assignment-metadata",
    13: "share-group-target-assignment-member",
    14: "share-group-current-member-assignment",
    15: "share-group-state-partition-metadata",
    16: "consumer-group-regular-expression",
    17: "streams-group-metadata",
    18: "streams-group-partition-metadata",
    19: "streams-group-member-metadata",
    20: "streams-group-target-assignment-metadata",
    21: "streams-group-target-assignment-member",
    22: "streams-group-current-member-assignment",
    23: "streams-group-topology",
}
_EXPRESSION = 16
_IN_HEX_BEYOND = 4096


def offsets_key(data: bytes) -> dict[str, Any]:
    cursor = Cursor(data)
    kind = cursor.number(">h")
    if kind in (0, 1):
        key = {"kind": "offset-commit", "group": _string(cursor)}
        key |= {"topic": _string(cursor), "partition": cursor.number(">i")}
    elif kind == 2:
        key = {"kind": "group-metadata", "group": _string(cursor)}
    elif kind in _NEW_KINDS:
        key = {"kind": _NEW_KINDS[kind], "group": _string(cursor)}
        if cursor.remaining:
            key |= {"regularExpression" if kind == _EXPRESSION else "member": _string(cursor)}
        return key  # some have more, which nobody needs to read
    else:
        raise Misfit(f"a key of __consumer_offsets begins with 0 to {max(_NEW_KINDS)}, not {kind}")
    cursor.end()
    return key


def offsets_value(data: bytes) -> dict[str, Any]:
    """Of an offset or a classic group. Both begin with a version; whatever reads to the last byte, it is."""
    reasons = []
    for read in (_committed, _group):
        cursor = Cursor(data)
        try:
            value = read(cursor)
            cursor.end()
        except Misfit as misfit:
            reasons.append(str(misfit))
        else:
            return value
    raise Misfit(f"neither an offset ({reasons[0]}) nor a classic group ({reasons[1]})")


def offsets_value_of(key: bytes | None, data: bytes) -> dict[str, Any]:
    """The same, where the key is at hand."""
    kind = Cursor(key).number(">h") if key else None
    if kind not in (0, 1, 2):
        if kind in _NEW_KINDS:
            return {"kind": _NEW_KINDS[kind], "bytes": data[:_IN_HEX_BEYOND].hex()}
        return offsets_value(data)
    cursor = Cursor(data)
    value = _group(cursor) if kind == 2 else _committed(cursor)
    cursor.end()
    return value


def _committed(cursor: Cursor) -> dict[str, Any]:
    version = cursor.number(">h")
    if not 0 <= version <= 4:
        raise Misfit(f"version {version} of an offset is not known")
    if version == 4:
        return _committed_flexible(cursor)
    value: dict[str, Any] = {"offset": cursor.number(">q")}
    if version == 3:
        value["leaderEpoch"] = cursor.number(">i")
    value["metadata"] = _string(cursor)
    value["commitTimestamp"] = cursor.number(">q")
    if version == 1:
        value["expireTimestamp"] = cursor.number(">q")
    return value


def _committed_flexible(cursor: Cursor) -> dict[str, Any]:
    value = {
        "offset": cursor.number(">q"),
        "leaderEpoch": cursor.number(">i"),
        "metadata": cursor.text(cursor.varint() - 1),
        "commitTimestamp": cursor.number(">q"),
    }
    for _ in range(min(cursor.varint(), 16)):
        tag, size = cursor.varint(), cursor.varint()
        more = cursor.take(size)
        if tag == 0:
            value["topicId"] = more.hex()
    return value


def _group(cursor: Cursor) -> dict[str, Any]:
    version = cursor.number(">h")
    if not 0 <= version <= 3:
        raise Misfit(f"version {version} of a classic group is not known")
    value = {
        "protocolType": _string(cursor),
        "generation": cursor.number(">i"),
        "protocol": _nullable(cursor),
        "leader": _nullable(cursor),
    }
    if version >= 2:
        value["currentStateTimestamp"] = cursor.number(">q")
    value["members"] = [_member(cursor, version) for _ in range(_count(cursor))]
    return value


def _member(cursor: Cursor, version: int) -> dict[str, Any]:
    cursor.spend(1)
    member: dict[str, Any] = {"memberId": _string(cursor)}
    if version >= 3:
        member["groupInstanceId"] = _nullable(cursor)
    member |= {"clientId": _string(cursor), "clientHost": _string(cursor)}
    if version >= 1:
        member["rebalanceTimeout"] = cursor.number(">i")
    member["sessionTimeout"] = cursor.number(">i")
    member["subscription"] = _topics_of(_bytes(cursor))
    member["assignment"] = _assignment(_bytes(cursor))
    return member


def _topics_of(data: bytes) -> Any:
    """What a consumer subscribed to; another protocol's bytes in hex."""
    try:
        cursor = Cursor(data)
        cursor.number(">h")
        return [_string(cursor) for _ in range(_count(cursor))]
    except Misfit:
        return data[:_IN_HEX_BEYOND].hex()


def _assignment(data: bytes) -> Any:
    try:
        cursor = Cursor(data)
        cursor.number(">h")
        return {_string(cursor): [cursor.number(">i") for _ in range(_count(cursor))] for _ in range(_count(cursor))}
    except Misfit:
        return data[:_IN_HEX_BEYOND].hex()


def heartbeat_key(data: bytes) -> dict[str, Any]:
    return _all(data, lambda one: {"sourceClusterAlias": _string(one), "targetClusterAlias": _string(one)})


def heartbeat_value(data: bytes) -> dict[str, Any]:
    return _all(data, lambda one: _versioned(one, "heartbeat") | {"timestamp": one.number(">q")})


def offset_sync_key(data: bytes) -> dict[str, Any]:
    return _all(data, lambda one: {"topic": _string(one), "partition": one.number(">i")})


def offset_sync_value(data: bytes) -> dict[str, Any]:
    return _all(data, lambda one: {"upstreamOffset": one.number(">q"), "downstreamOffset": one.number(">q")})


def checkpoint_key(data: bytes) -> dict[str, Any]:
    return _all(data, lambda one: {"group": _string(one), "topic": _string(one), "partition": one.number(">i")})


def checkpoint_value(data: bytes) -> dict[str, Any]:
    def read(one: Cursor) -> dict[str, Any]:
        _versioned(one, "checkpoint")
        return {
            "upstreamOffset": one.number(">q"),
            "downstreamOffset": one.number(">q"),
            "metadata": _string(one),
        }

    return _all(data, read)


def _all(data: bytes, read: Any) -> dict[str, Any]:
    cursor = Cursor(data)
    value: dict[str, Any] = read(cursor)
    cursor.end()
    return value


def _versioned(cursor: Cursor, what: str) -> dict[str, Any]:
    version = cursor.number(">h")
    if version != 0:
        raise Misfit(f"version {version} of a {what} is not known")
    return {}


def _string(cursor: Cursor) -> str:
    return cursor.text(cursor.number(">h"))


def _nullable(cursor: Cursor) -> str | None:
    size = cursor.number(">h")
    return None if size == -1 else cursor.text(size)


def _bytes(cursor: Cursor) -> bytes:
    size = cursor.number(">i")
    return b"" if size == -1 else cursor.take(size)


def _count(cursor: Cursor) -> int:
    count: int = cursor.number(">i")
    if not 0 <= count <= cursor.remaining:
        raise Misfit(f"{count} entries are announced at byte {cursor.at - 4}, {cursor.remaining} bytes are there")
    return count
