"""Lists as files for sheets: the whole of what was searched for, in the list's order."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from klamm.console.api import brokers, groups, topics
from klamm.console.routes import Call, Download, NoQuery, Route

_AT_ONCE = 500


async def topics_file(call: Call[topics.TopicsQuery, None]) -> Download:
    return Download("topics.csv", "text/csv", _pieces(topics.TopicLine, await topics.all_topics(call)))


async def groups_file(call: Call[groups.GroupsQuery, None]) -> Download:
    return Download("groups.csv", "text/csv", _pieces(groups.GroupLine, await groups.all_groups(call)))


async def brokers_file(call: Call[NoQuery, None]) -> Download:
    found = (await brokers.brokers(call)).brokers
    return Download("brokers.csv", "text/csv", _pieces(brokers.BrokerLine, found))


async def _pieces(line: type[msgspec.Struct], found: Sequence[msgspec.Struct]) -> AsyncIterator[bytes]:
    """Some lines at a time: the first are on their way while the others are made, and so are others' answers."""
    yield _csv([_heads(line)])
    for begin in range(0, len(found), _AT_ONCE):
        yield _csv([_cells(one) for one in found[begin : begin + _AT_ONCE]])
        await asyncio.sleep(0)


def _heads(line: type[msgspec.Struct]) -> list[str]:
    return list(line.__struct_encode_fields__)


def _cells(one: msgspec.Struct) -> list[Any]:
    return [_cell(value) for value in msgspec.structs.astuple(one)]


def _cell(value: Any) -> Any:
    """Programs for sheets run text that begins so as a formula."""
    if isinstance(value, str):
        return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    if value is None or isinstance(value, int | float):
        return value
    return msgspec.json.encode(value).decode()


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


_CLUSTER = "/api/clusters/{cluster}"
ROUTES = (
    Route("GET", f"{_CLUSTER}/topics.csv", topics_file, "Topics as a file for sheets", query=topics.TopicsQuery),
    Route(
        "GET", f"{_CLUSTER}/consumer-groups.csv", groups_file, "Groups as a file for sheets", query=groups.GroupsQuery
    ),
    Route("GET", f"{_CLUSTER}/brokers.csv", brokers_file, "Brokers as a file for sheets"),
)
