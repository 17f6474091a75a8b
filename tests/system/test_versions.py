"""Every release with ZooKeeper comes up as a whole cluster from the same manifest, and carries a record."""

import pytest
from tests.builders.cluster import CLOCK, EXAMPLES, READY_WITHIN
from tests.builders.local_cluster import local_cluster
from tests.builders.traffic import Traffic

MANIFEST = (EXAMPLES / "kafka-1.yaml").read_text()


@pytest.mark.parametrize("version", ["3.5.0", "3.5.1"])
def test_a_cluster_of_an_older_release_is_ready_and_carries_records(version: str) -> None:
    protocol = version.rsplit(".", 1)[0]
    manifest = MANIFEST.replace("version: 3.6.0", f"version: {version}").replace('"3.6"', f'"{protocol}"')
    with local_cluster() as cluster:
        file = cluster.home.with_name("kafka.yaml")
        file.write_text(manifest)
        begun = CLOCK.monotonic()
        cluster.klamm("up", str(file), "-n", "kafka", "--timeout", str(READY_WITHIN))
        print(f"{CLOCK.monotonic() - begun:6.1f} s until klamm up has ended")
        kafka = cluster.found("kafka", "my-cluster", "-n", "kafka") or {}
        assert kafka["status"]["kafkaVersion"] == version
        told = {one["name"]: one["bootstrapServers"] for one in kafka["status"]["listeners"]}
        with Traffic(told["external"], "records") as flowing:
            cluster.until("records are written and read", lambda: flowing.goes_on(10), telling=flowing.where)
            flowing.finish()
