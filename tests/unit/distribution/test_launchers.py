"""The tools of each release, and the text of their launchers."""

import subprocess
from pathlib import Path

import pytest

from klamm.distribution.artifacts import releases
from klamm.distribution.homes import _texts
from klamm.distribution.launchers import tools

TOOLS_OF_3_6 = """
connect-distributed connect-mirror-maker connect-plugin-path connect-standalone kafka-acls kafka-broker-api-versions
kafka-cluster kafka-configs kafka-console-consumer kafka-console-producer kafka-consumer-groups
kafka-consumer-perf-test kafka-delegation-tokens kafka-delete-records kafka-dump-log kafka-e2e-latency kafka-features
kafka-get-offsets kafka-jmx kafka-leader-election kafka-log-dirs kafka-metadata-quorum kafka-metadata-shell
kafka-mirror-maker kafka-producer-perf-test kafka-reassign-partitions kafka-replica-verification kafka-run-class
kafka-server-start kafka-server-stop kafka-storage kafka-streams-application-reset kafka-topics kafka-transactions
kafka-verifiable-consumer kafka-verifiable-producer trogdor zookeeper-security-migration zookeeper-server-start
zookeeper-server-stop zookeeper-shell
"""


def programs(version: str) -> set[str]:
    return {name[4:-3] for name in _texts(releases()[version]) if name.startswith("bin/")}


def test_3_6_has_all_programs_of_the_release() -> None:
    assert programs("3.6.0") == set(TOOLS_OF_3_6.split())


def test_3_5_lacks_only_what_came_with_3_6() -> None:
    assert set(TOOLS_OF_3_6.split()) - programs("3.5.1") == {"connect-plugin-path"}


def test_4_has_no_zookeeper_and_the_tools_of_share_and_streams_groups() -> None:
    assert not {name for name in programs("4.3.1") if "zookeeper" in name}
    assert {"kafka-share-groups", "kafka-streams-groups", "kafka-groups", "kafka-client-metrics"} <= programs("4.3.1")


@pytest.mark.parametrize(
    ("version", "name", "main_class"),
    [
        ("3.5.0", "kafka-topics.sh", "kafka.admin.TopicCommand"),
        ("3.5.0", "kafka-log-dirs.sh", "kafka.admin.LogDirsCommand"),
        ("3.6.0", "kafka-log-dirs.sh", "org.apache.kafka.tools.LogDirsCommand"),
        ("3.6.0", "kafka-leader-election.sh", "kafka.admin.LeaderElectionCommand"),
        ("4.3.1", "kafka-topics.sh", "org.apache.kafka.tools.TopicCommand"),
        ("4.3.1", "kafka-acls.sh", "org.apache.kafka.tools.AclCommand"),
    ],
)
def test_a_tool_runs_the_class_that_its_release_has(version: str, name: str, main_class: str) -> None:
    assert {tool.name: tool.main_class for tool in tools(version)}[name] == main_class


@pytest.mark.parametrize("version", ["3.6.0", "4.3.1"])
def test_every_script_is_posix_shell(version: str, tmp_path: Path) -> None:
    names = []
    for name, text in _texts(releases()[version]).items():
        if name.endswith(".sh"):
            (tmp_path / name.replace("/", "_")).write_text(text)
            names.append(name.replace("/", "_"))
    checks = "".join(f"sh -n {name} || exit 1\n" for name in names)
    subprocess.run(["sh", "-c", checks], cwd=tmp_path, check=True)


@pytest.mark.parametrize("version", ["3.5.0", "3.6.0", "4.3.1"])
def test_no_script_evaluates_text(version: str) -> None:
    for name, text in _texts(releases()[version]).items():
        assert "eval " not in text, name
