"""When a machine cannot run a cluster: one message that says why and what to do, exit code 3, and nothing left behind.

Each obstacle is made inside namespaces of the command's own, so that the machine itself stays as it is.
"""

import socket

from tests.builders.local_cluster import local_cluster
from tests.builders.ports import free_port

IMPOSSIBLE = 3


def test_a_port_in_use_is_told_with_a_way_out() -> None:
    with local_cluster() as cluster, socket.create_server(("127.0.0.1", free_port())) as other:
        port = str(other.getsockname()[1])
        said = cluster.klamm("up", "--api-port", port, exit_code=IMPOSSIBLE)
        assert port in said
        assert "--api-port" in said
        other.close()
        cluster.klamm("up", "--api-port", port)
        assert cluster.kubectl("get", "nodes")


def test_without_a_network_the_first_run_says_that_it_needs_one() -> None:
    with local_cluster() as cluster:
        cluster.environment["KLAMM_CACHE"] = str(cluster.home.with_name("empty-cache"))
        said = cluster.klamm("up", "kafka-1.yaml", exit_code=IMPOSSIBLE, under=["unshare", "--map-root-user", "--net"])
        assert "network" in said
        assert "HTTPS_PROXY" in said
        assert "Traceback" not in said


def test_a_full_disk_is_told_before_anything_starts() -> None:
    with local_cluster() as cluster:
        cluster.home.mkdir()
        full = 'mount -t tmpfs -o size=64k tmpfs "$KLAMM_HOME" && exec "$@"'
        under = ["unshare", "--map-root-user", "--mount", "sh", "-c", full, "sh"]
        said = cluster.klamm("up", exit_code=IMPOSSIBLE, under=under)
        assert str(cluster.home) in said
        assert "make room" in said
        assert cluster.processes() == []
        cluster.home.rmdir()


def test_a_host_without_user_namespaces_is_told_the_setting() -> None:
    with local_cluster() as cluster:
        forbidden = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
        under = ["unshare", "--map-root-user", "--user", "sh", "-c", forbidden, "sh"]
        for command in ("up", "doctor"):
            said = cluster.klamm(command, exit_code=IMPOSSIBLE, under=under)
            assert "user.max_user_namespaces" in said
            assert "sysctl" in said
        cluster.klamm("up")
        assert cluster.kubectl("get", "nodes")
