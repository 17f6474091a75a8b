"""What several answers say alike: how old a look is, and what could not be read."""

from typing import Any

import msgspec

from klamm.console.routes import Call
from klamm.observing.snapshot import Snapshot


class Unread(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of the picture that could not be read the last time. `age`: seconds of what is shown instead."""

    what: str
    why: str
    broker: int | None = None
    age: float | None = None


class Seen(msgspec.Struct, frozen=True):
    """`number` grows with each look; `age`: seconds since its begin."""

    number: int
    age: float
    unread: tuple[Unread, ...] = ()


def seen(call: Call[Any, Any], snapshot: Snapshot) -> Seen:
    now = call.scene.clock.monotonic()
    unread = tuple(
        Unread(key.kind, part.failure, key.broker, None if part.read_at is None else round(now - part.read_at, 1))
        for key, part in snapshot.parts.items()
        if part.failure is not None
    )
    return Seen(snapshot.number, round(now - snapshot.at, 1), unread)
