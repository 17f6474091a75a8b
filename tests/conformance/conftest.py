"""localkube in this process, and a real kube-apiserver beside it: made once, used by all cases."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from tests.builders.api_server import running_api
from tests.kubernetes.control_plane import ControlPlane, control_plane

from klamm.localkube.objects import Streams

_AGENT = {"User-Agent": "conformance"}


@pytest.fixture(scope="session")
def kubernetes_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("kubernetes")) as running:
        yield running


def session_to(url: str, folder: Path) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    connector = aiohttp.TCPConnector(ssl=context)
    return aiohttp.ClientSession(url, connector=connector, headers=_AGENT)


Sessions = tuple[aiohttp.ClientSession, aiohttp.ClientSession]
"""(the administrator's, one without certificate)"""


@contextlib.asynccontextmanager
async def sessions_to(url: str, folder: Path) -> AsyncIterator[Sessions]:
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    stranger = aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(ssl=context), headers=_AGENT)
    async with session_to(url, folder) as administrator, stranger:
        yield administrator, stranger


@pytest.fixture
async def kubernetes(kubernetes_running: ControlPlane) -> AsyncIterator[Sessions]:
    async with sessions_to(kubernetes_running.url, kubernetes_running.folder) as sessions:
        yield sessions


@pytest.fixture
async def localkube(tmp_path: Path) -> AsyncIterator[Sessions]:
    async with running_api(tmp_path, cast(Streams, None)) as api, sessions_to(api.url, tmp_path) as sessions:
        yield sessions
