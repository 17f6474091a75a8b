"""What the tests of whole clusters share: a finished test says how long it took, a failed one keeps the logs."""

import threading
from collections.abc import Iterator

import pytest
from tests.builders.cluster import CLOCK, Cluster
from tests.builders.kinds_of_cluster import ON_KUBERNETES, ON_ONE_MACHINE


def pytest_addoption(parser: pytest.Parser) -> None:
    where = "the walkthrough's rows run on one machine (what they are for in CI) or on a real Kubernetes"
    parser.addoption("--on", choices=("one-machine", "kubernetes"), default="one-machine", help=where)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bare" in metafunc.fixturenames:
        kinds = ON_KUBERNETES if metafunc.config.getoption("--on") == "kubernetes" else ON_ONE_MACHINE
        metafunc.parametrize("bare", kinds, indirect=True, scope="module")


@pytest.fixture(autouse=True, scope="module")
def _no_connection_is_left() -> Iterator[None]:
    """A connection to Kafka that nobody closed tries for ever, and its sockets are counted by another file's tests."""
    yield
    left = [one for one in threading.enumerate() if one.name.startswith("kafka-io-")]
    for one in left:
        one.join(60)
    assert [one.name for one in left if one.is_alive()] == []


@pytest.fixture(autouse=True)
def _timed(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Print the time of each test that uses a cluster; keep a failed one's logs."""
    if not any(isinstance(request.node.funcargs.get(name), Cluster) for name in request.fixturenames):
        yield
        return
    failed = request.session.testsfailed
    begun = CLOCK.monotonic()
    yield
    with capfd.disabled():
        print(f" {CLOCK.monotonic() - begun:5.1f} s ", end="")
    if request.session.testsfailed > failed:
        cluster = next(one for one in request.node.funcargs.values() if isinstance(one, Cluster))
        print(f"all logs: {cluster.keep_logs()}")
