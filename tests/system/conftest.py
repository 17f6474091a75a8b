"""What the tests of whole clusters share: a finished test says how long it took, a failed one keeps the logs."""

from collections.abc import Iterator

import pytest
from tests.builders.local_cluster import CLOCK, LocalCluster


@pytest.fixture(autouse=True)
def _timed(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Print the time of each test that uses a cluster; keep a failed one's logs."""
    if not any(isinstance(request.node.funcargs.get(name), LocalCluster) for name in request.fixturenames):
        yield
        return
    failed = request.session.testsfailed
    begun = CLOCK.monotonic()
    yield
    with capfd.disabled():
        print(f" {CLOCK.monotonic() - begun:5.1f} s ", end="")
    if request.session.testsfailed > failed:
        cluster = next(one for one in request.node.funcargs.values() if isinstance(one, LocalCluster))
        print(f"all logs: {cluster.keep_logs()}")
