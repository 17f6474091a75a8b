"""One Kubernetes for all tests of this folder."""

from collections.abc import Iterator

import pytest
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.operated import kubernetes_with_controllers


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with kubernetes_with_controllers(tmp_path_factory.mktemp("kubernetes")) as running:
        yield running
