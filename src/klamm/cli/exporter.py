"""`klamm exporter`: any Kafka cluster's topics, groups and lags for Prometheus, until Ctrl-C."""

import argparse
import asyncio
import re
import signal
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from klamm.base import logs
from klamm.base.tls import load_identity
from klamm.cli.context import Context
from klamm.cli.errors import Mistake
from klamm.cli.exporter_flags import ACCEPTED
from klamm.exporter.probe import ProbeSettings
from klamm.exporter.service import Settings, serve
from klamm.exporter.text import OWN_LABELS, Form
from klamm.kafka.admin import Connection, Sasl
from klamm.observing import collector
from klamm.observing.filters import Filters, Unreadable, filters

AFTER_INTERRUPT = "The exporter has ended."

_MECHANISMS = {
    "plain": "PLAIN",
    "scram-sha256": "SCRAM-SHA-256",
    "scram-sha512": "SCRAM-SHA-512",
    "gssapi": "GSSAPI",
}
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIME = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_PORT = re.compile(r"\d{1,5}", re.ASCII)

Flags = Mapping[str, Any]


def run(context: Context, arguments: argparse.Namespace) -> int:
    flags = flags_of(arguments)
    settings = settings_of(flags, context.secrets)
    logs.set_up("DEBUG" if flags["verbosity"] else "INFO")
    for name, why in ACCEPTED.items():
        if flags[name] is not None:
            context.say(f"klamm: --{name} has no use here: {why}")
    asyncio.run(_serve(context, settings))
    return 0


def flags_of(arguments: argparse.Namespace) -> Flags:
    """By their names as they are typed."""
    return {name.replace("_", "-"): value for name, value in vars(arguments).items()}


async def _serve(context: Context, settings: Settings) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    scheme = "https" if settings.tls else "http"
    host = settings.host or "0.0.0.0"
    await serve(
        settings,
        context.clock,
        context.random,
        stop,
        lambda port: context.say(f"klamm: {scheme}://{host}:{port}{settings.path}"),
    )


def settings_of(flags: Flags, secrets: Mapping[str, str]) -> Settings:
    """What the flags mean. Raises `Mistake`, which names flag, value, rule and mend."""
    if flags["use.consumelag.zookeeper"]:
        raise Mistake("--use.consumelag.zookeeper: offsets in ZooKeeper are not read; leave it out")
    servers = tuple(flags["kafka.server"] or ("kafka:9092",))
    for server in servers:
        if not all(_address("kafka.server", server)):
            raise Mistake(f"--kafka.server: {server!r} names no broker; write HOST:PORT")
    sasl = _sasl(flags, secrets)
    _tls(flags)  # what is wrong with its files is said now
    host, port = _address("web.listen-address", flags["web.listen-address"])

    def connection() -> Connection:
        return Connection(servers, _tls(flags), sasl, client_id="klamm-exporter")

    def files() -> tuple[bytes, ...]:
        return tuple(_file(f"tls.{name}-file", flags) for name in ("ca", "cert", "key")) if flags["tls.enabled"] else ()

    return Settings(
        connection=connection,
        files=files,
        host=host or None,
        port=port,
        path=flags["web.telemetry-path"],
        tls=_server_tls(flags),
        form=Form(_labels(flags["kafka.labels"]), flags["offset.show-all"], flags["series.max"]),
        collecting=collector.Settings(
            interval=seconds("refresh.offsets", flags["refresh.offsets"]),
            topology_every=seconds("refresh.metadata", flags["refresh.metadata"]),
            logs_every=seconds("refresh.log-sizes", flags["refresh.log-sizes"]),
            filters=_filters(flags),
        ),
        probe=_probe(flags),
    )


def _probe(flags: Flags) -> ProbeSettings | None:
    if not flags["probe.enabled"]:
        return None
    interval = seconds("probe.interval", flags["probe.interval"])
    if flags["probe.namespace"] and not _LABEL.fullmatch(flags["probe.namespace"]):
        raise Mistake(f"--probe.namespace: {flags['probe.namespace']!r} cannot begin a metric's name; write letters")
    return ProbeSettings(flags["probe.topic"], interval, flags["probe.replicas"], flags["probe.namespace"])


def seconds(name: str, text: str) -> float:
    """A time as Go writes it: 30s, 1m30s, 500ms."""
    if not _TIME.fullmatch(text):
        raise Mistake(f"--{name}: {text!r} is no time; write a number and its unit, for example 30s or 1m")
    total = sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text))
    if total <= 0:
        raise Mistake(f"--{name}: {text!r} is no time to wait; write a longer one, for example 30s")
    return total


def _address(name: str, text: str) -> tuple[str, int]:
    """The host is "" where the text begins with the colon."""
    host, colon, port = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or int(port) > 65535:
        raise Mistake(f"--{name}: {text!r} has no port; write HOST:PORT")
    return host.strip("[]"), int(port)


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for name, equals, value in ([part.strip() for part in pair.partition("=")] for pair in text.split(",") if pair):
        if not equals or not _LABEL.fullmatch(name):
            raise Mistake(f"--kafka.labels: {text!r} is no list of labels; write name=value, separated by commas")
        if name in labels or name in OWN_LABELS or name.startswith("__"):
            whose = "is there twice" if name in labels else "has a meaning of its own"
            raise Mistake(f"--kafka.labels: {name!r} {whose}; choose another name")
        labels[name] = value
    return labels


def _filters(flags: Flags) -> Filters:
    names = ("topic.filter", "topic.exclude", "group.filter", "group.exclude")
    topics, not_topics, groups, not_groups = ((f"--{name}", str(flags[name])) for name in names)
    try:
        return filters(topics, not_topics, groups, not_groups)
    except Unreadable as error:
        raise Mistake(str(error)) from error


def _sasl(flags: Flags, secrets: Mapping[str, str]) -> Sasl | None:
    if flags["sasl.password"]:
        raise Mistake(
            "--sasl.password: everybody on this machine can read a command line; "
            "set SASL_USER_PASSWORD, or name a file with --sasl.password-file"
        )
    if not flags["sasl.enabled"]:
        return None
    mechanism = _MECHANISMS.get(flags["sasl.mechanism"].lower())
    if mechanism is None:
        known = ", ".join(_MECHANISMS)
        raise Mistake(f"--sasl.mechanism: {flags['sasl.mechanism']!r} is not to be had; write one of {known}")
    password = _password(flags) or secrets.get("SASL_USER_PASSWORD", "")
    return Sasl(mechanism, flags["sasl.username"], password, flags["sasl.service-name"])


def _password(flags: Flags) -> str:
    """The file without the end of its line; blanks may belong to a password."""
    try:
        return _file("sasl.password-file", flags).decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        file = flags["sasl.password-file"]
        raise Mistake(f"--sasl.password-file: {file} is no text in UTF-8; store the password so") from error


def _tls(flags: Flags) -> ssl.SSLContext | None:
    if not flags["tls.enabled"]:
        return None
    authorities, certificate, key = (_file(f"tls.{name}-file", flags) for name in ("ca", "cert", "key"))
    context = _CallingBrokers(ssl.PROTOCOL_TLS_CLIENT)
    context.name = flags["tls.server-name"] or None
    with _pem("tls"):
        if authorities:
            context.load_verify_locations(cadata=authorities.decode())
        else:
            context.load_default_certs()
        if certificate or key:
            load_identity(context, certificate, key)
    if flags["tls.insecure-skip-tls-verify"]:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class _CallingBrokers(ssl.SSLContext):
    """Calls every broker by one `name`, if it has one: certificates may have that instead of addresses."""

    name: str | None = None

    def wrap_socket(self, *arguments: Any, **more: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*arguments, **{**more, **({"server_hostname": self.name} if self.name else {})})


def _server_tls(flags: Flags) -> ssl.SSLContext | None:
    if not flags["server.tls.enabled"]:
        if flags["server.tls.mutual-auth-enabled"]:
            raise Mistake("--server.tls.mutual-auth-enabled: nobody is asked without TLS; add --server.tls.enabled")
        return None
    if flags["server.tls.mutual-auth-enabled"] and not flags["server.tls.ca-file"]:
        raise Mistake("--server.tls.mutual-auth-enabled: nobody would be let in; name a file with --server.tls.ca-file")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authorities, certificate, key = (_file(f"server.tls.{name}-file", flags) for name in ("ca", "cert", "key"))
    with _pem("server.tls"):
        load_identity(context, certificate, key)
        if flags["server.tls.mutual-auth-enabled"]:
            context.load_verify_locations(cadata=authorities.decode())
            context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextmanager
def _pem(of: str) -> Iterator[None]:
    """OpenSSL says which rule was broken, and not by which flag."""
    try:
        yield
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise Mistake(
            f"--{of}.ca-file, --{of}.cert-file, --{of}.key-file: {error}; "
            "name PEM files, and a certificate together with its own key"
        ) from error


def _file(name: str, flags: Flags) -> bytes:
    """What the file holds that the flag names; b"" when it names none."""
    path = flags[name]
    try:
        return Path(path).read_bytes() if path else b""
    except OSError as error:
        raise Mistake(f"--{name}: {path} cannot be read: {error.strerror}") from error
