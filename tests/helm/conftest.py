"""Helm without a server, and with each of the two: localkube in this process, and a real kube-apiserver."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest
from tests.builders.api_server import running_api
from tests.helm.release import Commands
from tests.kubernetes.control_plane import ControlPlane, control_plane

from klamm.localkube.objects import Streams


@pytest.fixture
def offline(tmp_path: Path) -> Commands:
    return Commands(None, tmp_path)


@pytest.fixture(scope="session")
def kubernetes_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("kubernetes")) as running:
        yield running


@pytest.fixture
def on_kubernetes(kubernetes_running: ControlPlane, tmp_path: Path) -> Commands:
    folder = tmp_path / "kubernetes"
    folder.mkdir()
    return Commands(kubernetes_running.folder / "kubeconfig", folder)


@pytest.fixture
async def on_localkube(tmp_path: Path) -> AsyncIterator[Commands]:
    folder = tmp_path / "localkube"
    folder.mkdir()
    async with running_api(folder, cast(Streams, None)) as api:
        yield Commands(api.kubeconfig, folder)
