"""ZooKeeper's answer to `srvr`."""

import pytest

from klamm.operators.cluster.kafka.four_letters import mode_in


@pytest.mark.parametrize(
    ("answer", "mode"),
    [
        (b"Zookeeper version: 3.8.2\nLatency min/avg/max: 0/0.5/4\nMode: leader\nNode count: 41\n", "leader"),
        (b"Zookeeper version: 3.8.2\nMode: follower\n", "follower"),
        (b"This ZooKeeper instance is not currently serving requests\n", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_mode(answer: bytes, mode: str | None) -> None:
    assert mode_in(answer) == mode
