"""Lists as files for sheets: the whole of what was searched for, in the list's order."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from klamm.console.api import brokers, groups, topics
from klamm.console.paging import MOST
from klamm.console.routes import Call, Download, NoQuery, Route


async def topics_file(call: Call[topics.TopicsQuery, None]) -> Download:
    return Download("topics.csv", "text/csv", await _pages(call, topics.topics, topics.TopicLine, "topics"))


async def groups_file(call: Call[groups.GroupsQuery, None]) -> Download:
    return Download("groups.csv", "text/csv", await _pages(call, groups.groups, groups.GroupLine, "groups"))


async def brokers_file(call: Call[NoQuery, None]) -> Download:
    found = (await brokers.brokers(call)).brokers
    return Download("brokers.csv", "text/csv", _once(brokers.BrokerLine, found))


async def _pages(call: Call[Any, None], answer: Any, line: type[msgspec.Struct], name: str) -> AsyncIterator[bytes]:
    """As the list gives them, page by page; rights are the list's. A wrong query is told before the first byte."""

    async def asked(page: int) -> Any:
        query = msgspec.structs.replace(call.query, page=page, per_page=MOST)
        return await answer(Call(call.scene, call.who, call.path, query, None, call.of))

    first = await asked(1)

    async def lines() -> AsyncIterator[bytes]:
        yield _csv([_heads(line), *(_cells(one) for one in getattr(first, name))])
        for page in range(2, first.pages + 1):
            yield _csv([_cells(one) for one in getattr(await asked(page), name)])

    return lines()


async def _once(line: type[msgspec.Struct], found: Sequence[msgspec.Struct]) -> AsyncIterator[bytes]:
    yield _csv([_heads(line), *(_cells(one) for one in found)])


def _heads(line: type[msgspec.Struct]) -> list[str]:
    return list(line.__struct_encode_fields__)


def _cells(one: msgspec.Struct) -> list[Any]:
    return [_cell(getattr(one, field)) for field in one.__struct_fields__]


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
