"""The pins: what each release is made of."""

import pytest

from klamm.distribution.artifacts import UnknownRelease, release, releases

ZOOKEEPER_OF = {"3.5.0": "3.6.4", "3.5.1": "3.6.4", "3.6.0": "3.8.2", "4.3.1": None}

MODULES = ("kafka_2.13", "connect-runtime", "connect-mirror", "kafka-tools", "kafka-shell", "trogdor")


def test_each_release_has_the_zookeeper_it_was_released_with() -> None:
    assert {version: release.zookeeper for version, release in releases().items()} == ZOOKEEPER_OF


@pytest.mark.parametrize("version", ZOOKEEPER_OF)
def test_no_jar_comes_in_two_versions(version: str) -> None:
    jars = [(a.coordinate.group, a.coordinate.artifact) for a in release(version).artifacts]
    assert sorted(set(jars)) == sorted(jars)


@pytest.mark.parametrize("version", ZOOKEEPER_OF)
@pytest.mark.parametrize(
    "module", ["kafka_2.13", "connect-runtime", "connect-mirror", "kafka-tools", "kafka-shell", "trogdor"]
)
def test_every_module_with_a_tool_is_there(version: str, module: str) -> None:
    assert module in {a.coordinate.artifact for a in release(version).artifacts}


@pytest.mark.parametrize("version", ZOOKEEPER_OF)
def test_exactly_one_logging_binding_is_on_the_class_path(version: str) -> None:
    bindings = {"slf4j-reload4j", "slf4j-log4j12", "logback-classic", "log4j-slf4j-impl", "log4j-slf4j2-impl"}
    found = bindings & {a.coordinate.artifact for a in release(version).artifacts}
    assert found == ({"log4j-slf4j-impl"} if version == "4.3.1" else {"slf4j-reload4j"})


def test_every_pin_has_a_whole_checksum_and_a_size() -> None:
    for one in releases().values():
        assert all(len(a.sha256) == 64 and a.size > 0 for a in one.artifacts)


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownRelease, match=r"Kafka 2\.8\.0.*3\.6\.0"):
        release("2.8.0")
