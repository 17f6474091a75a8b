"""The server's Tables: what each kind's columns are is the API's knowledge (`application/json;as=Table`), not ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from klamm.kube.client import Client
from klamm.kube.requests import Query, Request

AS_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


class Column(msgspec.Struct, frozen=True):
    name: str
    priority: int = 0
    """Above 0: only when asked for with `-o wide`."""


class Row(msgspec.Struct):
    cells: list[Any]
    object: dict[str, Any] = {}


class Table(msgspec.Struct, rename="camel"):
    column_definitions: list[Column] = []
    rows: list[Row] = []
    metadata: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class View:
    """How a Table is shown."""

    wide: bool = False
    with_namespace: bool = False
    prefix: str = ""
    """Before each name ("pod/") where several kinds are listed."""


async def fetch(client: Client, path: str, doing: str, query: Query = ()) -> Table:
    request = Request("GET", path, doing, query, idempotent=True, accept=AS_TABLE)
    return msgspec.json.decode(await client.raw(request), type=Table)


def rows_of(table: Table, view: View) -> list[list[str]]:
    """The header and the rows as text."""
    shown = [index for index, column in enumerate(table.column_definitions) if view.wide or column.priority == 0]
    header = [table.column_definitions[index].name.upper() for index in shown]
    first = ["NAMESPACE"] if view.with_namespace else []
    return [[*first, *header], *(_row(row, shown, view) for row in table.rows)]


def _row(row: Row, shown: Sequence[int], view: View) -> list[str]:
    cells = [_text(row.cells[index]) for index in shown]
    if cells:
        cells[0] = view.prefix + cells[0]
    return [str(row.object.get("metadata", {}).get("namespace", "")), *cells] if view.with_namespace else cells


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
