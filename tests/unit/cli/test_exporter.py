"""What the flags of `klamm exporter` mean; names and defaults are kafka_exporter's."""

import socket
import ssl
from pathlib import Path

import pytest

from klamm.cli.arguments import read
from klamm.cli.errors import Mistake
from klamm.cli.exporter import flags_of, seconds, settings_of
from klamm.cli.exporter_flags import ACCEPTED
from klamm.exporter.service import Settings
from klamm.kafka.admin import Sasl


def settings(*flags: str, **secrets: str) -> Settings:
    return settings_of(flags_of(read(["exporter", *flags])), secrets)


def test_without_flags() -> None:
    plain = settings()
    assert plain.connection().bootstrap == ("kafka:9092",)
    assert (plain.connection().tls, plain.connection().sasl) == (None, None)
    assert (plain.host, plain.port, plain.path) == ("127.0.0.1", 9308, "/metrics")
    assert plain.form.show_all
    assert plain.collecting.topology_every == 10.0
    assert plain.collecting.filters.topics.has("__consumer_offsets")


def test_the_command_line_that_strimzi_gives() -> None:
    given = settings(
        "--group.filter=.*",
        "--topic.filter=^my",
        "--group.exclude=^$",
        "--topic.exclude=x$",
        "--kafka.server=a:9091",
        "--kafka.server=b:9091",
        "--web.listen-address=:9404",
        "--no-offset.show-all",
        "--kafka.version=3.6.0",
        "--verbosity=0",
    )
    assert given.connection().bootstrap == ("a:9091", "b:9091")
    assert (given.host, given.port) == (None, 9404)
    assert not given.form.show_all
    assert [given.collecting.filters.topics.has(name) for name in ("my", "mine", "my-x", "tommy")] == [
        True,
        False,
        False,
        False,
    ]


def test_constant_labels() -> None:
    assert settings("--kafka.labels=dc=eu, rack=1").form.labels == {"dc": "eu", "rack": "1"}


def test_a_password_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-a-file\n")
    login = ("--sasl.enabled", "--sasl.mechanism=scram-sha512", "--sasl.username=anna")
    assert settings(*login, SASL_USER_PASSWORD="s").connection().sasl == Sasl("SCRAM-SHA-512", "anna", "s")
    named = settings(*login, f"--sasl.password-file={tmp_path / 'password'}").connection().sasl
    assert named == Sasl("SCRAM-SHA-512", "anna", "from-a-file")
    assert "from-a-file" not in repr(named)


@pytest.mark.parametrize(
    ("file", "password"), [(b" a b \n", " a b "), (b"a\r\n", "a"), (b"a\n\n", "a\n"), ("ß".encode(), "ß")]
)
def test_of_a_passwords_file_only_the_end_of_the_line_is_not_the_password(
    file: bytes, password: str, tmp_path: Path
) -> None:
    (tmp_path / "password").write_bytes(file)
    login = settings("--sasl.enabled", f"--sasl.password-file={tmp_path / 'password'}").connection().sasl
    assert login is not None
    assert login.password == password


def test_a_passwords_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"\xff")
    with pytest.raises(Mistake, match=r"--sasl.password-file: .*password is no text in UTF-8"):
        settings("--sasl.enabled", f"--sasl.password-file={tmp_path / 'password'}")


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--sasl.password=x", "set SASL_USER_PASSWORD"),
        ("--web.listen-address=nowhere", "write HOST:PORT"),
        ("--web.listen-address=9308", "'9308' has no port; write HOST:PORT"),
        ("--web.listen-address=b:²", "'b:²' has no port; write HOST:PORT"),
        ("--web.listen-address=b:65536", "'b:65536' has no port; write HOST:PORT"),
        ("--kafka.server=broker", "'broker' has no port"),
        ("--kafka.server=9092", "'9092' has no port; write HOST:PORT"),
        ("--kafka.server=:9092", "':9092' names no broker; write HOST:PORT"),
        ("--kafka.server=broker:0", "'broker:0' names no broker; write HOST:PORT"),
        ("--kafka.labels=dc", "write name=value"),
        ("--kafka.labels=d-c=x", "write name=value"),
        ("--kafka.labels=dc=x,topic=y", "'topic' has a meaning of its own; choose another name"),
        ("--kafka.labels=partition=x", "'partition' has a meaning of its own"),
        ("--kafka.labels=__name__=x", "'__name__' has a meaning of its own"),
        ("--kafka.labels=dc=x,dc=y", "'dc' is there twice"),
        ("--topic.filter=(", "'(' is no regular expression"),
        ("--group.exclude=^[[:alpha:]]+$", "has the class [:alpha:], which only Go knows; write its characters"),
        ("--refresh.metadata=soon", "write a number and its unit"),
        ("--refresh.offsets=0s", "write a longer one"),
        ("--use.consumelag.zookeeper", "leave it out"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_mend(flag: str, said: str) -> None:
    with pytest.raises(Mistake, match=flag.split("=")[0]) as complaint:
        settings(flag)
    assert said in str(complaint.value)


def test_mechanisms_that_are_not_to_be_had() -> None:
    with pytest.raises(Mistake, match=r"awsiam.*write one of plain"):
        settings("--sasl.enabled", "--sasl.mechanism=awsiam")


@pytest.mark.parametrize(
    ("flags", "mend"),
    [
        (["--server.tls.mutual-auth-enabled"], "add --server.tls.enabled"),
        (["--server.tls.enabled", "--server.tls.mutual-auth-enabled"], "with --server.tls.ca-file"),
    ],
)
def test_a_page_that_is_to_ask_for_certificates_is_never_open_to_all(flags: list[str], mend: str) -> None:
    with pytest.raises(Mistake, match=mend):
        settings(*flags)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--tls.enabled", "--tls.ca-file={}"], "--tls.ca-file"),
        (["--tls.enabled", "--tls.cert-file={}"], "--tls.cert-file"),
        (["--server.tls.enabled"], "--server.tls.cert-file"),
    ],
)
@pytest.mark.parametrize("content", [b"no PEM", b"\xff"])
def test_files_that_are_no_certificates(flags: list[str], named: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(Mistake, match=named) as complaint:
        settings(*(flag.format(tmp_path / "file") for flag in flags))
    assert "name PEM files" in str(complaint.value)


def test_brokers_are_verified_by_their_own_name_or_the_one_that_is_given() -> None:
    for flags, name in (([], "10.0.0.1"), (["--tls.server-name=kafka"], "kafka")):
        context = settings("--tls.enabled", *flags).connection().tls
        assert context is not None
        assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
        ours, theirs = socket.socketpair()
        with theirs, context.wrap_socket(ours, server_hostname="10.0.0.1", do_handshake_on_connect=False) as wrapped:
            assert wrapped.server_hostname == name


def test_files_that_are_not_there() -> None:
    with pytest.raises(Mistake, match="/nowhere cannot be read"):
        settings("--tls.enabled", "--tls.ca-file=/nowhere")


@pytest.mark.parametrize("name", ACCEPTED)
def test_flags_without_a_use_are_accepted(name: str) -> None:
    switch = name in ("kafka.allow-auto-topic-creation", "sasl.handshake", "sasl.disable-PA-FX-FAST")
    switch = switch or name in ("log.enable-sarama", "concurrent.enable")
    assert settings(f"--{name}" if switch else f"--{name}=1").connection()


@pytest.mark.parametrize(("text", "meant"), [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("1.5h", 5400)])
def test_times_as_go_writes_them(text: str, meant: float) -> None:
    assert seconds("refresh.metadata", text) == meant
