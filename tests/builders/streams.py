"""What a server-sent stream said, event by event."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Told:
    name: str
    data: Any


async def told(answer: aiohttp.ClientResponse) -> AsyncIterator[Told]:
    """Until the server ends it."""
    name = ""
    async for line in answer.content:
        if line.startswith(b"event: "):
            name = line[7:].strip().decode()
        elif line.startswith(b"data: "):
            yield Told(name, json.loads(line[6:]))


def events_in(text: str) -> list[Told]:
    """Of a stream that has ended."""
    lots = [lot.split("\n") for lot in text.split("\n\n") if lot.startswith("event: ")]
    return [Told(lot[0].removeprefix("event: "), json.loads(lot[1].removeprefix("data: "))) for lot in lots]
