"""localkube in this process, and a real kube-apiserver beside it: made once, used by all cases."""

import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from tests.builders.api_server import running_api
from tests.kubernetes.control_plane import ControlPlane, control_plane

from klamm.localkube.objects import Streams


@pytest.fixture(scope="session")
def kubernetes_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("kubernetes")) as running:
        yield running


def session_to(url: str, folder: Path) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    connector = aiohttp.TCPConnector(ssl=context)
    return aiohttp.ClientSession(url, connector=connector, headers={"User-Agent": "conformance"})


@pytest.fixture
async def kubernetes(kubernetes_running: ControlPlane) -> AsyncIterator[aiohttp.ClientSession]:
    async with session_to(kubernetes_running.url, kubernetes_running.folder) as session:
        yield session


@pytest.fixture
async def localkube(tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with running_api(tmp_path, cast(Streams, None)) as api, session_to(api.url, tmp_path) as session:
        yield session
