"""Properties of Kafka's Java clients, as far as they say how to reach brokers, as our own connection.

    security.protocol: SASL_SSL
    sasl.mechanism: SCRAM-SHA-512
    sasl.jaas.config: org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="…";
    ssl.truststore.location: /etc/kafka/truststore.p12

What is wrong is told with the property's place in the configuration. Files are read anew for every connection, as
Secrets change under a pod.
"""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from klamm.base.tls import load_identity
from klamm.certificates.java_stores import read_store
from klamm.certificates.pem_stores import read_pem
from klamm.certificates.stores import Store, Unreadable
from klamm.console.configuring.told import Told
from klamm.kafka.admin import Connection, Sasl

ReadFile = Callable[[str], bytes]
"""What a file holds; raises OSError."""

CLIENT_ID = "klamm-ui"

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_OPTION = re.compile(r"""(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;"']+))""")
_LOGIN_MODULES = {"PLAIN": "PlainLoginModule", "SCRAM-SHA-256": "ScramLoginModule", "SCRAM-SHA-512": "ScramLoginModule"}
_USED = frozenset(
    {
        "security.protocol",
        "sasl.mechanism",
        "sasl.jaas.config",
        "ssl.truststore.location",
        "ssl.truststore.password",
        "ssl.truststore.type",
        "ssl.truststore.certificates",
        "ssl.keystore.location",
        "ssl.keystore.password",
        "ssl.keystore.type",
        "ssl.keystore.key",
        "ssl.keystore.certificate.chain",
        "ssl.key.password",
        "ssl.endpoint.identification.algorithm",
        "request.timeout.ms",
        "client.id",
        "bootstrap.servers",
    }
)


class _Wrong(Exception):
    """(property, value, rule)"""


@dataclass(frozen=True, slots=True)
class Client:
    """`where`: the cluster's place in the configuration, for messages. `timeout`: seconds for a request."""

    where: str
    bootstrap: tuple[str, ...]
    properties: Mapping[str, str]
    read_file: ReadFile
    verified: bool = True
    timeout: float = 30.0

    def connection(self) -> Connection:
        """Raises OSError, `Unreadable` or ssl.SSLError when a file is not (any more) what it was."""
        try:
            return self._connection()
        except _Wrong as wrong:
            raise Unreadable(f"{self.where}.{wrong.args[0]}: {wrong.args[2]}") from wrong

    def files(self) -> tuple[bytes, ...]:
        """What its stores hold now. Raises OSError."""
        paths = [self.properties.get(f"ssl.{what}.location") for what in ("truststore", "keystore")]
        return tuple(self.read_file(path) for path in paths if path)

    def tls(self) -> ssl.SSLContext:
        """For others than brokers. Raises as `connection`."""
        try:
            return self._tls()
        except _Wrong as wrong:
            raise Unreadable(f"{self.where}.{wrong.args[0]}: {wrong.args[2]}") from wrong

    def tell(self, told: Told) -> None:
        """What of it cannot be used, tried once beforehand."""
        try:
            self._connection()
        except _Wrong as wrong:
            name, value, rule = wrong.args
            told.refuse(f"{self.where}.properties.{name}", value, rule)
        others = sorted(set(self.properties) - _USED)
        if others:
            why = "they tune Kafka's Java client, which is not used here"
            told.remark(f"{self.where}.properties: no use for {', '.join(others)}: {why}")

    def _connection(self) -> Connection:
        protocol = self.properties.get("security.protocol", "PLAINTEXT").strip().upper()
        if protocol not in _PROTOCOLS:
            raise _Wrong("security.protocol", protocol, f"is no protocol; write one of {', '.join(_PROTOCOLS)}")
        timeout = self.properties.get("request.timeout.ms", "").strip()
        if timeout and not timeout.isdecimal():
            raise _Wrong("request.timeout.ms", timeout, "is no time; write milliseconds")
        return Connection(
            bootstrap=self.bootstrap,
            tls=self._tls() if protocol.endswith("SSL") else None,
            sasl=self._sasl() if protocol.startswith("SASL") else None,
            request_timeout=int(timeout) / 1000 if timeout else self.timeout,
            client_id=self.properties.get("client.id") or CLIENT_ID,
        )

    def _sasl(self) -> Sasl:
        mechanism = self.properties.get("sasl.mechanism", "GSSAPI").strip().upper()
        if mechanism not in _MECHANISMS:
            raise _Wrong("sasl.mechanism", mechanism, f"is not to be had here; write one of {', '.join(_MECHANISMS)}")
        jaas = self.properties.get("sasl.jaas.config", "")
        if not jaas:
            raise _Wrong("sasl.jaas.config", "", "is not set; write the login module with username and password")
        module = jaas.split()[0].rpartition(".")[2]
        if module != _LOGIN_MODULES[mechanism]:
            raise _Wrong(
                "sasl.jaas.config", module, f"is not the module of {mechanism}; write {_LOGIN_MODULES[mechanism]}"
            )
        options = jaas_options(jaas)
        if "username" not in options or "password" not in options:
            raise _Wrong("sasl.jaas.config", jaas, 'has no username or password; write username="…" password="…";')
        return Sasl(mechanism, options["username"], options["password"])

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Java trusts whatever certificate is in its store, also one that is no authority's own.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        trusted = self._trusted()
        try:
            if trusted:
                context.load_verify_locations(cadata=b"".join(trusted).decode("ascii"))
            else:
                context.load_default_certs()
            identity = self._identity()
            if identity is not None and identity.key is not None:
                load_identity(context, b"".join(identity.chain), identity.key)
        except ssl.SSLError as error:
            rule = f"is not usable for TLS: {error.reason or error}; give a certificate together with its own key"
            raise _Wrong("ssl.keystore.location", self.properties.get("ssl.keystore.location", ""), rule) from error
        if self.properties.get("ssl.endpoint.identification.algorithm", "https").strip() == "":
            context.check_hostname = False
        if not self.verified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def _trusted(self) -> tuple[bytes, ...]:
        """Also the certificates of a store's keys: Java trusts what is in the file."""
        if inline := self.properties.get("ssl.truststore.certificates"):
            return _store("ssl.truststore.certificates", lambda: read_pem(_lines(inline))).trusted
        store = self._file("truststore")
        return () if store is None else (*store.trusted, *store.chain)

    def _identity(self) -> Store | None:
        key = self.properties.get("ssl.keystore.key")
        chain = self.properties.get("ssl.keystore.certificate.chain")
        if key and chain:
            both = _lines(key) + b"\n" + _lines(chain)
            return _store("ssl.keystore.key", lambda: read_pem(both))
        store = self._file("keystore")
        if store is not None and store.key is None:
            raise _Wrong(
                "ssl.keystore.location", self.properties["ssl.keystore.location"], "holds no key; name another"
            )
        return store

    def _file(self, what: str) -> Store | None:
        name = f"ssl.{what}.location"
        path = self.properties.get(name)
        if not path:
            return None
        try:
            data = self.read_file(path)
        except OSError as error:
            rule = f"cannot be read: {error.strerror or error}; mount the file there"
            raise _Wrong(name, path, rule) from error
        password = self.properties.get(f"ssl.{what}.password", "")
        key_password = self.properties.get("ssl.key.password")
        return _store(name, lambda: read_store(data, password, key_password), path)


def jaas_options(text: str) -> dict[str, str]:
    """`… required username="ann" password="it's";` → its options; a backslash takes the next character as it is."""
    return {
        name: re.sub(r"\\(.)", r"\1", double or single or bare)
        for name, double, single, bare in _OPTION.findall(text.partition(" ")[2])
    }


def properties_of(cluster: Mapping[str, Any]) -> dict[str, str]:
    """`properties`, and of `ssl` what they do not say themselves."""
    given: Mapping[str, Any] = cluster.get("ssl") or {}
    names = {
        "truststoreLocation": "ssl.truststore.location",
        "truststorePassword": "ssl.truststore.password",
        "keystoreLocation": "ssl.keystore.location",
        "keystorePassword": "ssl.keystore.password",
        "keyPassword": "ssl.key.password",
    }
    return {names[name]: str(value) for name, value in given.items() if name in names} | dict(
        cluster.get("properties") or {}
    )


def _lines(pem: str) -> bytes:
    """Properties hold PEM in one line, too: then line ends are written \\n, or blanks stand in their place."""
    text = pem.replace("\\n", "\n")
    return re.sub(
        r"(-----BEGIN [A-Z ]+-----)\s*(.*?)\s*(-----END [A-Z ]+-----)",
        lambda found: "\n".join((found[1], *found[2].split(), found[3], "")),
        text,
        flags=re.DOTALL,
    ).encode()


def _store(name: str, read: Callable[[], Store], value: str = "") -> Store:
    try:
        return read()
    except Unreadable as error:
        raise _Wrong(name, value, f"cannot be used: {error}") from error
