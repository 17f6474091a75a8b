"""The audit's last entries, newest first."""

from itertools import islice

import msgspec

from klamm.console.access.rights import Right
from klamm.console.audit.trail import Entry
from klamm.console.problems import bad_value
from klamm.console.routes import Call, Route

_VIEW = Right("audit", "view")
_MOST = 500


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`search`: in who, what, object and outcome."""

    limit: int = 100
    search: str = ""


class AuditList(msgspec.Struct, frozen=True):
    entries: tuple[Entry, ...]


async def entries(call: Call[AuditQuery, None]) -> AuditList:
    """Of this cluster, and of none (log-ins)."""
    if not 1 <= call.query.limit <= _MOST:
        raise bad_value("limit", call.query.limit, f"is no number of entries; write 1 to {_MOST}")
    needle = call.query.search.strip().casefold()
    found = (
        one
        for one in call.scene.trail.newest_first()
        if one.cluster in (None, call.place.name) and needle in _words(one)
    )
    return AuditList(tuple(islice(found, call.query.limit)))


def _words(one: Entry) -> str:
    return f"{one.who} {one.what} {one.object or ''} {one.outcome}".casefold()


ROUTES = (
    Route(
        "GET",
        "/api/clusters/{cluster}/audit",
        entries,
        "Who did what lately",
        _VIEW,
        query=AuditQuery,
        answer=AuditList,
    ),
)
