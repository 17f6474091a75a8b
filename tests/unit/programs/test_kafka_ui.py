"""The console's pod: files and environment, as kafka-ui's image takes them."""

from pathlib import Path

import pytest

from klamm.programs.kafka_ui import configuration, level
from klamm.programs.process import BadSetting

ONE = {"KAFKA_CLUSTERS_0_NAME": "one", "KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS": "a:9092"}


def located(path: Path | str) -> dict[str, str]:
    return {"SPRING_CONFIG_ADDITIONAL-LOCATION": str(path)}


def test_the_file_that_the_chart_mounts_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("kafka: {clusters: [{name: yaml, bootstrapServers: 'a:9092'}]}\nauth: {type: disabled}\n")
    read = configuration(located(file))
    assert [one.name for one in read.settings.clusters] == ["yaml"]
    assert (read.settings.host, read.settings.port) == (None, 8080)


def test_the_later_of_two_files_goes_before(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yml", tmp_path / "b.yml"
    first.write_text("server: {port: 1, servlet: {context-path: /a}}")
    second.write_text("server: {port: 2}")
    read = configuration(ONE | located(f"{first},{second}"))
    assert (read.settings.port, read.settings.base) == (2, "/a")


def test_the_wizard_s_file_may_be_missing() -> None:
    read = configuration({**ONE, "DYNAMIC_CONFIG_ENABLED": "true", "DYNAMIC_CONFIG_PATH": "/no/such/file.yaml"})
    assert [one.name for one in read.settings.clusters] == ["one"]


def test_certificates_are_read_from_where_they_are_mounted(tmp_path: Path) -> None:
    store = tmp_path / "ca.p12"
    store.write_text("nothing")
    environment = {
        **ONE,
        "KAFKA_CLUSTERS_0_PROPERTIES_SECURITY_PROTOCOL": "SSL",
        "KAFKA_CLUSTERS_0_SSL_TRUSTSTORELOCATION": str(store),
    }
    with pytest.raises(BadSetting, match=r"truststore.location: '.*ca.p12' cannot be used: it is neither JKS nor"):
        configuration(environment)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "config.yml: is not there; mount it, or write optional: before its name"),
        ("a: [", r"config.yml: is no YAML: .* in line 2, column 1"),
        ("word", "config.yml: 'str' is no configuration; write fields: kafka, auth, …"),
        ("server: {port: x}", "server.port: 'x' is no whole number; write digits"),
    ],
)
def test_a_file_that_cannot_be_used_ends_the_program_with_a_reason(text: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BadSetting, match=said):
        configuration(ONE | located(file))


def test_the_operator_s_view_is_there_when_namespaces_are_named(tmp_path: Path) -> None:
    assert configuration(ONE).settings.kubernetes is None
    with pytest.raises(BadSetting, match="KUBERNETES_SERVICE_HOST is not set; run in a pod, or set KUBECONFIG"):
        configuration(ONE | {"KLAMM_KUBERNETES_NAMESPACES": "kafka,other"})


def test_a_damaged_file_s_lines_are_not_told(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("kafka:\n  password: [hidden-word\n")
    with pytest.raises(BadSetting) as caught:
        configuration(ONE | located(file))
    assert "hidden-word" not in str(caught.value)


def test_the_log_s_level_is_that_of_kafka_ui_s_own_room() -> None:
    assert level({}) == "INFO"
    assert level({"LOGGING_LEVEL_COM_PROVECTUS": "debug", "LOGGING_LEVEL_ROOT": ""}) == "DEBUG"
    assert level({"LOGGING_LEVEL_ROOT": "WARN"}) == "WARNING"
