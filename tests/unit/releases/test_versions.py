"""Which releases run, and how versions compare."""

import pytest

from klamm.releases import versions
from klamm.releases.settings import broker_settings
from klamm.releases.versions import Release, Unsupported


@pytest.mark.parametrize(
    ("wanted", "zookeeper", "found"),
    [
        ("3.5.0", True, "3.5.0"),
        ("3.6.0", True, "3.6.0"),
        (None, True, "3.6.0"),
        ("4.3.1", False, "4.3.1"),
        (None, False, "4.3.1"),
        ("3.6.0", False, "3.6.0"),
    ],
)
def test_the_release_of_a_version(wanted: str | None, zookeeper: bool, found: str) -> None:
    release = versions.release(wanted, zookeeper=zookeeper)
    assert isinstance(release, Release)
    assert release.version == found


def test_a_version_that_does_not_run_is_answered_with_those_that_do() -> None:
    answer = versions.release("2.8.0", zookeeper=True)
    assert isinstance(answer, Unsupported)
    assert str(answer) == "Kafka 2.8.0 is not supported; choose one of 3.5.0, 3.5.1, 3.6.0"


def test_kafka_4_does_not_run_with_zookeeper() -> None:
    answer = versions.release("4.3.1", zookeeper=True)
    assert isinstance(answer, Unsupported)
    assert "4.3.1" not in answer.supported


def test_versions_compare_as_numbers() -> None:
    ordered = ["3.5", "3.5.1", "3.6-IV2", "3.6.0", "3.10.0", "4.0"]
    assert sorted(ordered, key=versions.number) == ordered
    assert versions.newest(versions.SUPPORTED).version == "4.3.1"


def test_every_supported_release_has_its_settings() -> None:
    assert {r.version: len(broker_settings(r.version)) for r in versions.SUPPORTED} == {
        "3.5.0": 252,
        "3.5.1": 252,
        "3.6.0": 270,
        "4.3.1": 343,
    }
