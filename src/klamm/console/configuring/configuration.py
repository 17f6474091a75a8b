"""kafka-ui's configuration → what the console is told. Files are read by whoever calls; nothing here asks for the
environment itself.

    configuration = read([("config.yml", {...})], environment, read_file)
    configuration.settings, configuration.remarks

What other parts read (log-in, roles, serdes, masking, audit) is handed to them as plain dicts in kafka-ui's camelCase,
whichever spelling it had; for those that ask later a cluster's is in `ClusterSettings.given`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

from klamm.certificates.stores import Unreadable
from klamm.console.access.masking import Masking
from klamm.console.access.masking import read as read_masking
from klamm.console.audit.trail import AuditSettings
from klamm.console.audit.trail import read as read_audit
from klamm.console.configuring import known
from klamm.console.configuring.client_properties import Client, ReadFile, properties_of
from klamm.console.configuring.spelling import Reader, merged, tree_of
from klamm.console.configuring.told import Told, Unusable
from klamm.console.identity.reading import access
from klamm.console.identity.settings import Access, NoLogIn
from klamm.console.schemas.registry import RegistrySettings
from klamm.console.serdes.of_cluster import SerdeSettings
from klamm.console.serdes.wishes import read as read_serdes
from klamm.console.settings import ClusterSettings, Settings
from klamm.observing import collector

T = TypeVar("T")

PORT = 8080
DYNAMIC_CONFIG = "/etc/kafkaui/dynamic_config.yaml"

_ADDRESS = re.compile(r"(?:[A-Z_]+://)?(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")
_SERVICE_PORT = re.compile(r"(?:tcp|udp)://")


@dataclass(frozen=True, slots=True)
class Configuration:
    """`remarks`: what was accepted and has no effect, and why; a sentence each."""

    settings: Settings
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A file that the configuration is read from. One that is optional may be missing."""

    path: str
    optional: bool = False


def places(environment: Mapping[str, str]) -> list[Place]:
    """As SPRING_CONFIG_ADDITIONAL-LOCATION names them, and the file of kafka-ui's own wizard. Later ones go before."""
    told = Told()
    tree = tree_of(known.ALL, environment, told, ())
    config = tree.get("spring", {}).get("config", {})
    named = [config.get("location", ""), config.get("additionalLocation", ""), config.get("import", "")]
    found = [_place(one.strip()) for text in named for one in re.split("[,;]", text) if one.strip()]
    dynamic = tree.get("dynamic", {}).get("config", {})
    if str(dynamic.get("enabled", "")).lower() == "true":
        found.append(Place(dynamic.get("path") or DYNAMIC_CONFIG, True))
    return found


def _place(text: str) -> Place:
    path = text.removeprefix("optional:")
    optional = path != text
    path = path.removeprefix("file:")
    return Place(f"{path}application.yml" if path.endswith("/") else path, optional)


def read(
    documents: Sequence[tuple[str, Any]], environment: Mapping[str, str], read_file: ReadFile, host: str | None = None
) -> Configuration:
    """`documents`: what YAML files hold, each with its name; later ones go before, the environment before all.

    Raises `Unusable`, which names everything that is wrong.
    """
    told = Told()
    reader = Reader(told, environment)
    ours = {name: value for name, value in environment.items() if not _is_of_a_service(name, value, told)}
    tree = reader.read(known.ALL, tree_of(known.ALL, ours, told, known.ROOTS), "") or {}
    for name, document in reversed(documents):
        if document is None:
            told.remark(f"{name}: is empty")
        elif not isinstance(document, Mapping):
            told.refuse(name, type(document).__name__, "is no configuration; write fields: kafka, auth, …")
        else:
            _tell_of_lists(tree, document, name, told)
            tree = merged(tree, reader.read(known.ALL, document, "") or {})
    settings = _settings(tree, read_file, host, told)
    if told.wrong:
        raise Unusable(told.wrong)
    return Configuration(settings, tuple(told.remarks))


def _is_of_a_service(name: str, value: str, told: Told) -> bool:
    """Kubernetes sets SERVER_PORT=tcp://10.0.0.1:80 for a Service `server`: not meant for us."""
    if _SERVICE_PORT.match(value) and "_PORT" in name:
        if name == "SERVER_PORT":
            told.remark("SERVER_PORT: is Kubernetes' own word about a Service named server, and has no effect")
        return True
    return False


def _tell_of_lists(tree: Mapping[str, Any], document: Mapping[str, Any], name: str, told: Told) -> None:
    in_file = document.get("kafka")
    if (tree.get("kafka") or {}).get("clusters") and isinstance(in_file, Mapping) and in_file.get("clusters"):
        told.remark(f"kafka.clusters of {name}: has no effect, as clusters are set in a place that goes before it")


def _settings(tree: Mapping[str, Any], read_file: ReadFile, host: str | None, told: Told) -> Settings:
    _tell_unused(tree, told)
    server = tree.get("server") or {}
    _check_server(server, told)
    clusters = _clusters(tree.get("kafka") or {}, read_file, told)
    return Settings(
        clusters=clusters,
        host=server.get("address") or host,
        port=server.get("port", PORT),
        base=base_path((server.get("servlet") or {}).get("contextPath", ""), told),
        access=_access(tree, clusters, told),
    )


def _tell_unused(tree: Mapping[str, Any], told: Told) -> None:
    for path, why in known.UNUSED.items():
        found: Any = tree
        for step in path.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is not None:
            told.remark(f"{path}: has no use here: {why}")
    if ((tree.get("dynamic") or {}).get("config") or {}).get("enabled"):
        told.remark("dynamic.config.enabled: its file is read; clusters are not changed from the pages")


def _check_server(server: Mapping[str, Any], told: Told) -> None:
    if (server.get("ssl") or {}).get("enabled"):
        rule = "is not to be had: put TLS in front of the console, by an ingress, say, and leave it out here"
        told.refuse("server.ssl.enabled", True, rule)


def _access(tree: Mapping[str, Any], clusters: Sequence[ClusterSettings], told: Told) -> Access:
    """A console that was to ask for a password never runs without."""
    read = _read("", lambda: access(tree, [one.name for one in clusters]), Access(), told)
    if read.roles is not None and isinstance(read.auth, NoLogIn):
        told.remark("rbac: has no effect while auth.type is DISABLED, as nobody logs in")
    return read


def base_path(text: str, told: Told) -> str:
    """ "kafka-ui/" → "/kafka-ui"; "" for the root."""
    path = text.strip().strip("/")
    if not path:
        return ""
    if not re.fullmatch(r"[\w.~%-]+(?:/[\w.~%-]+)*", path, re.ASCII):
        told.refuse(
            "server.servlet.contextPath", text, "is no path; write letters, digits and -, for example /kafka-ui"
        )
    return f"/{path}"


def _clusters(kafka: Mapping[str, Any], read_file: ReadFile, told: Told) -> tuple[ClusterSettings, ...]:
    given: list[Mapping[str, Any]] = kafka.get("clusters") or []
    if not given:
        told.remark("kafka.clusters: names no cluster; write name and bootstrapServers of one")
    names = [one.get("name") for one in given]
    for name in sorted({str(one) for one in names if one and names.count(one) > 1}):
        told.refuse("kafka.clusters", name, "is the name of several clusters; give each its own")
    return tuple(_cluster(index, one, kafka, read_file, told) for index, one in enumerate(given))


def _cluster(
    index: int, given: Mapping[str, Any], kafka: Mapping[str, Any], read_file: ReadFile, told: Told
) -> ClusterSettings:
    where = f"kafka.clusters[{index}]"
    name = given.get("name") or ""
    if not name or "/" in name:
        told.refuse(f"{where}.name", name, "is no name; write one without a slash")
    for key, why in known.UNUSED_OF_CLUSTER.items():
        if given.get(key) is not None:
            told.remark(f"{where}.{key}: has no use here: {why}")
    security: Mapping[str, Any] = given.get("ssl") or {}
    client = Client(
        where,
        _bootstrap(f"{where}.bootstrapServers", given.get("bootstrapServers") or "", told),
        properties_of(given),
        read_file,
        verified=_verified(security),
        timeout=kafka.get("adminClientTimeout", 30_000) / 1000,
    )
    client.tell(told)
    interval = kafka.get("updateMetricsRateMillis")
    return ClusterSettings(
        name,
        client.connection,
        read_only=given.get("readOnly", False),
        collecting=collector.Settings(interval=interval / 1000) if interval else collector.Settings(),
        registry=_registry(where, given, read_file, told),
        serdes=_read(where, lambda: read_serdes(given.get("serde"), *_default_serdes(given)), SerdeSettings(), told),
        masking=_read(where, lambda: read_masking(given.get("masking") or []), Masking(), told),
        audit=_read("", lambda: read_audit(given.get("audit"), f"{where}.audit"), AuditSettings(), told),
        given=given,
        files=client.files,
    )


def _default_serdes(given: Mapping[str, Any]) -> tuple[str | None, str | None]:
    return given.get("defaultKeySerde"), given.get("defaultValueSerde")


def _read(where: str, reading: Callable[[], T], otherwise: T, told: Told) -> T:
    """What another part reads of its own; it says what is wrong by a ValueError."""
    try:
        return reading()
    except ValueError as error:
        told.wrong.append(f"{where}.{error}" if where else str(error))
        return otherwise


def _registry(where: str, given: Mapping[str, Any], read_file: ReadFile, told: Told) -> RegistrySettings | None:
    """As in kafka-ui, its certificate is checked against the cluster's `ssl` where `schemaRegistrySsl` says nothing."""
    found = [_address(one.strip()) for one in (given.get("schemaRegistry") or "").split(",") if one.strip()]
    urls = tuple(url for url, _ in found)
    for url in urls:
        if not re.match(r"https?://[^/\s]+", url):
            told.refuse(f"{where}.schemaRegistry", url, "is no web address; write http://host:port")
    if not urls:
        return None
    users = {user for _, user in found if user}
    if len(users) > 1:
        told.refuse(f"{where}.schemaRegistry", ", ".join(urls), "names several users; write one as schemaRegistryAuth")
    name, _, password = next(iter(users), "").partition(":")
    in_address = {"username": unquote(name), "password": unquote(password)}
    auth: Mapping[str, Any] = given.get("schemaRegistryAuth") or in_address
    of_cluster = {name: value for name, value in (given.get("ssl") or {}).items() if not name.startswith("key")}
    security = of_cluster | (given.get("schemaRegistrySsl") or {})
    client = Client(
        f"{where}.schemaRegistrySsl", (), properties_of({"ssl": security}), read_file, verified=_verified(security)
    )
    if not any(url.startswith("https:") for url in urls):
        return RegistrySettings(urls, auth.get("username", ""), auth.get("password", ""))
    try:
        client.tls()
    except Unreadable as error:
        told.wrong.append(str(error))
    return RegistrySettings(urls, auth.get("username", ""), auth.get("password", ""), client.tls)


def _address(url: str) -> tuple[str, str]:
    """Without the user and the password that may stand in it, which no message must show; and those."""
    match = re.match(r"([^/]*//)([^/\s]*)@", url)
    return (url.rstrip("/"), "") if match is None else (match[1] + url[match.end() :].rstrip("/"), match[2])


def _verified(security: Mapping[str, Any]) -> bool:
    return bool(security.get("verifySsl", security.get("verify", True)))


def _bootstrap(where: str, text: str, told: Told) -> tuple[str, ...]:
    servers = [one.strip() for one in text.split(",") if one.strip()]
    if not servers:
        told.refuse(where, text, "names no broker; write host:port")
    found = [_ADDRESS.fullmatch(one) for one in servers]
    for server, match in zip(servers, found, strict=True):
        if match is None or not 0 < int(match["port"]) < 65536:
            told.refuse(where, server, "names no broker; write host:port")
    return tuple(f"{match['host']}:{match['port']}" for match in found if match)
