"""Every path of the console in one table; each area keeps its own."""

from functools import lru_cache

import msgspec

from klamm import __version__
from klamm.console import openapi
from klamm.console.api import (
    acls,
    analysis,
    audit,
    brokers,
    clusters,
    comparing,
    copies,
    exports,
    groups,
    history,
    identity,
    managing,
    messages,
    operator,
    quorum,
    quotas,
    replication,
    resets,
    schemas,
    topics,
    transactions,
    wrong,
)
from klamm.console.routes import Call, NoQuery, Route


class Health(msgspec.Struct, frozen=True):
    """In the words of Spring's actuator, which kafka-ui's charts ask."""

    status: str


class Info(msgspec.Struct, frozen=True):
    name: str
    version: str


async def health(_: Call[NoQuery, None]) -> Health:
    return Health("UP")


async def info(_: Call[NoQuery, None]) -> Info:
    return Info("klamm console", __version__)


async def api_document(call: Call[NoQuery, None]) -> msgspec.Struct:
    return _document(call.scene.settings.base)


@lru_cache(1)
def _document(base: str) -> msgspec.Struct:
    return _Document(**openapi.document(ROUTES, base))


class _Document(msgspec.Struct, frozen=True):
    openapi: str
    info: dict[str, object]
    servers: list[object]
    paths: dict[str, object]
    components: dict[str, object]


ROUTES: tuple[Route, ...] = (
    Route("GET", "/actuator/health", health, "Whether the console lives", answer=Health, public=True),
    Route("GET", "/api/info", info, "Name and version", answer=Info, public=True),
    Route("GET", "/api/openapi.json", api_document, "This API as an OpenAPI document"),
    *identity.ROUTES,
    *audit.ROUTES,
    *clusters.ROUTES,
    *brokers.ROUTES,
    *topics.ROUTES,
    *replication.ROUTES,
    *copies.ROUTES,
    *analysis.ROUTES,
    *exports.ROUTES,
    *groups.ROUTES,
    *history.ROUTES,
    *wrong.ROUTES,
    *comparing.ROUTES,
    *operator.ROUTES,
    *managing.ROUTES,
    *resets.ROUTES,
    *acls.ROUTES,
    *quotas.ROUTES,
    *transactions.ROUTES,
    *quorum.ROUTES,
    *messages.ROUTES,
    *schemas.ROUTES,
)
