from pathlib import Path

import pytest

from klamm.kube.kinds import Name
from klamm.planning.maintenance_windows import parse_window
from klamm.programs.entity_operator import Common, read_common
from klamm.programs.process import BadSetting, label_pairs, log_level
from klamm.programs.topic_operator import batches
from klamm.programs.user_operator import new_password, read_settings

PLAIN = {
    "STRIMZI_KAFKA_BOOTSTRAP_SERVERS": "a:9091, b:9091",
    "STRIMZI_SECURITY_PROTOCOL": "PLAINTEXT",
    "STRIMZI_RESOURCE_LABELS": "strimzi.io/cluster=my-cluster",
}


def common(**variables: str) -> Common:
    return read_common({**PLAIN, **variables}, "kafka", Path("/nowhere"), 8080)


def test_the_environment_says_where_kafka_is_and_which_resources_count() -> None:
    read = common(STRIMZI_NAMESPACE="watched", STRIMZI_FULL_RECONCILIATION_INTERVAL_MS="5000")
    assert read.kafka.bootstrap == ("a:9091", "b:9091")
    assert (read.namespace, read.home, read.resync, read.port) == ("watched", "kafka", 5.0, 8080)
    assert read.cluster == Name("kafka", "my-cluster")


def test_an_empty_namespace_is_the_own_one_and_not_all() -> None:
    assert common(STRIMZI_NAMESPACE="").namespace == "kafka"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"STRIMZI_KAFKA_BOOTSTRAP_SERVERS": ""}, "STRIMZI_KAFKA_BOOTSTRAP_SERVERS is not set"),
        ({"STRIMZI_RESOURCE_LABELS": "a"}, "write key=value"),
        ({"STRIMZI_FULL_RECONCILIATION_INTERVAL_MS": "soon"}, "write milliseconds"),
        ({"STRIMZI_SECURITY_PROTOCOL": "SSL"}, "read the certificates"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_a_mend(variables: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        common(**variables)


def test_batches_can_be_set_and_no_labels_mean_all_resources() -> None:
    settings = batches({"STRIMZI_MAX_BATCH_SIZE": "7", "STRIMZI_MAX_BATCH_LINGER_MS": "50"}, 60.0)
    assert (settings.batch, settings.linger, settings.resync) == (7, 0.05, 60.0)
    assert label_pairs({}, "STRIMZI_RESOURCE_LABELS") == {}


def test_the_user_operator_finds_its_authority_and_windows() -> None:
    variables = {
        "STRIMZI_CA_CERT_NAME": "c-ca-cert",
        "STRIMZI_CA_KEY_NAME": "c-ca",
        "STRIMZI_CA_NAMESPACE": "home",
        "STRIMZI_CA_RENEWAL": "10",
        "STRIMZI_ACLS_ADMIN_API_SUPPORTED": "false",
        "STRIMZI_MAINTENANCE_TIME_WINDOWS": "* * 0-1 ? * SUN *",
    }
    settings = read_settings(variables, common())
    assert (settings.authority_certificate, settings.authority_key) == (Name("home", "c-ca-cert"), Name("home", "c-ca"))
    assert (settings.validity.days, settings.validity.renewal_days, settings.acls_supported) == (365, 10, False)
    assert [window.expression for window in settings.windows] == [parse_window("* * 0-1 ? * SUN *").expression]
    with pytest.raises(BadSetting, match="STRIMZI_MAINTENANCE_TIME_WINDOWS"):
        read_settings({"STRIMZI_MAINTENANCE_TIME_WINDOWS": "sundays"}, common())


@pytest.mark.parametrize(
    ("text", "level"),
    [("rootLogger.level = WARN\n", "WARNING"), ("name=x\nrootLogger.level=trace", "DEBUG"), ("name=x", "INFO")],
)
def test_the_level_of_the_log_is_the_root_loggers(tmp_path: Path, text: str, level: str) -> None:
    (tmp_path / "log4j2.properties").write_text(text)
    assert log_level({"KLAMM_LOG_CONFIGURATION": str(tmp_path / "log4j2.properties")}) == level


@pytest.mark.parametrize(("given", "level"), [({}, "INFO"), ({"STRIMZI_LOG_LEVEL": "DEBUG"}, "DEBUG")])
def test_the_level_may_be_a_reference_as_strimzis_configuration_has_it(
    tmp_path: Path, given: dict[str, str], level: str
) -> None:
    (tmp_path / "log4j2.properties").write_text("rootLogger.level = ${env:STRIMZI_LOG_LEVEL:-INFO}\n")
    assert log_level({"KLAMM_LOG_CONFIGURATION": str(tmp_path / "log4j2.properties"), **given}) == level


def test_without_a_configuration_the_log_tells_what_is_informative(tmp_path: Path) -> None:
    assert log_level({"KLAMM_LOG_CONFIGURATION": str(tmp_path / "none")}) == "INFO"


def test_passwords_are_long_plain_and_never_the_same() -> None:
    made = {new_password(32) for _ in range(50)}
    assert len(made) == 50
    assert all(len(password) == 32 and password.isalnum() and password.isascii() for password in made)
