"""The environment of the pod `<cluster>-kafka-exporter`."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from klamm.certificates.issue import Authority, Subject, authority_subject, issue_authority, issue_leaf
from klamm.certificates.keys import key_to_pem, new_key
from klamm.exporter.service import Settings
from klamm.programs.kafka_exporter import settings
from klamm.programs.process import BadSetting

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def mounted(tmp_path: Path) -> tuple[Path, Path]:
    """The Secrets that the pod mounts: authorities, and its own certificate."""
    key = new_key()
    authority = Authority(issue_authority(authority_subject("cluster-ca", 0), key, now=NOW, days=1), key_to_pem(key))
    own = new_key()
    leaf = issue_leaf(
        authority, Subject("my-cluster-kafka-exporter"), own, now=NOW, days=1, alternative_names=frozenset()
    )
    authorities, identity = tmp_path / "cluster-ca-certs", tmp_path / "kafka-exporter-certs"
    for folder in (authorities, identity):
        folder.mkdir()
    (authorities / "ca.crt").write_bytes(authority.certificate)
    (authorities / "ca-2026-01-01T00-00-00Z.crt").write_bytes(authority.certificate)
    (identity / "kafka-exporter.crt").write_bytes(leaf)
    (identity / "kafka-exporter.key").write_bytes(key_to_pem(own))
    return authorities, identity


def read(mounted: tuple[Path, Path], **environment: str) -> Settings:
    given = {"KAFKA_EXPORTER_KAFKA_SERVER": "my-cluster-kafka-bootstrap:9091", **environment}
    return settings({name: value for name, value in given.items() if value != ""}, *mounted)


def test_the_environment_that_strimzi_gives(mounted: tuple[Path, Path]) -> None:
    given = read(
        mounted,
        KAFKA_EXPORTER_LOGGING="0",
        KAFKA_EXPORTER_KAFKA_VERSION="3.6.0",
        KAFKA_EXPORTER_GROUP_REGEX=".*",
        KAFKA_EXPORTER_TOPIC_REGEX="^my",
        KAFKA_EXPORTER_GROUP_EXCLUDE_REGEX="^console",
        KAFKA_EXPORTER_ENABLE_SARAMA="false",
        KAFKA_EXPORTER_OFFSET_SHOW_ALL="false",
    )
    assert (given.host, given.port, given.path) == (None, 9404, "/metrics")
    assert given.connection().bootstrap == ("my-cluster-kafka-bootstrap:9091",)
    tls = given.connection().tls
    assert tls is not None
    assert tls.check_hostname
    assert not given.form.show_all
    assert [given.collecting.filters.topics.has(name) for name in ("my-topic", "other")] == [True, False]
    assert [given.collecting.filters.groups.has(name) for name in ("console-1", "g")] == [False, True]


def test_renewed_certificates_are_seen(mounted: tuple[Path, Path]) -> None:
    given = read(mounted)
    before = given.files()
    (mounted[1] / "kafka-exporter.crt").write_bytes(before[1] + b"\n")
    assert given.files() != before


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("KAFKA_EXPORTER_KAFKA_SERVER", "", "is not set"),
        ("KAFKA_EXPORTER_TOPIC_REGEX", "(", "is no regular expression"),
        ("KAFKA_EXPORTER_OFFSET_SHOW_ALL", "yes", "neither true nor false"),
    ],
)
def test_what_cannot_be_used(mounted: tuple[Path, Path], name: str, value: str, said: str) -> None:
    with pytest.raises(BadSetting, match=f"{name}.*{said}"):
        read(mounted, **{name: value})
