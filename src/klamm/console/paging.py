"""Long lists, a page at a time: searched, sorted and cut here; ten thousand topics are no burden on a browser."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from klamm.console.problems import bad_value

T = TypeVar("T")

MOST = 500
_FIRST = 25


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`page` counts from 1; `order`: ASC or DESC; `sort`: one of the list's columns."""

    page: int = 1
    per_page: int = msgspec.field(default=_FIRST, name="perPage")
    search: str = ""
    sort: str = ""
    order: str = "ASC"


class Cut(msgspec.Struct, Generic[T], frozen=True):
    items: Sequence[T]
    total: int
    pages: int


def cut(
    query: PageQuery, items: Iterable[T], name: Callable[[T], str], columns: Mapping[str, Callable[[T], Any]]
) -> Cut[T]:
    """The page that the query asks for."""
    if query.page < 1:
        raise bad_value("page", query.page, "is no page; write 1 or more")
    if not 1 <= query.per_page <= MOST:
        raise bad_value("perPage", query.per_page, f"is no size of a page; write 1 to {MOST}")
    found = ordered(query, items, name, columns)
    begin = (query.page - 1) * query.per_page
    return Cut(found[begin : begin + query.per_page], len(found), -(-len(found) // query.per_page))


def ordered(
    query: PageQuery, items: Iterable[T], name: Callable[[T], str], columns: Mapping[str, Callable[[T], Any]]
) -> list[T]:
    """All that the query asks for, of every page. The first column is sorted by when none is named; equals stand by
    name."""
    if query.order not in ("ASC", "DESC"):
        raise bad_value("order", query.order, "is no order; write ASC or DESC")
    column = columns.get(query.sort) if query.sort else next(iter(columns.values()))
    if column is None:
        raise bad_value("sort", query.sort, f"is no column; write one of {', '.join(columns)}")
    needle = query.search.strip().lower()
    found = sorted((one for one in items if needle in name(one).lower()), key=name)
    found.sort(key=column, reverse=query.order == "DESC")
    return found
