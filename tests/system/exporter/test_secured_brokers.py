"""`klamm exporter` as people start it, beside a real broker that asks who it is: certificates, SCRAM, PLAIN.

The broker has an authorizer, and whoever the exporter is has only the rights that the guide names.
"""

import asyncio
import os
import re
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from tests.builders.commits import commit
from tests.builders.ports import free_ports
from tests.builders.real_brokers import Listener, RealBrokers, real_brokers

from klamm.base.clock import SystemClock
from klamm.base.deadlines import until
from klamm.certificates.issue import Authority, Subject, issue_authority, issue_leaf
from klamm.certificates.keys import key_to_pem, new_key
from klamm.distribution.provide import provide
from klamm.distribution.store import Store
from klamm.kafka.admin import Admin, Connection
from klamm.kafka.facts import AclRule, NewTopic
from klamm.kafka.users import create_acls, set_scram_password

KAFKA = "4.3.1"
WITHIN = 180.0
PASSWORD = "a secret, with = and \\ in it"
USERS = ("CN=exporter", "scram", "plain")


class Certificates:
    """An authority, and files of those whom it speaks for."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        now, key = datetime.now(UTC), new_key()  # noqa: TID251 (certificates for processes in real time)
        certificate = issue_authority(Subject("tests"), key, now=now, days=2)
        self._authority, self._now = Authority(certificate, key_to_pem(key)), now
        self.trusted = self._written("ca.crt", certificate)

    def of(self, name: str, *hosts: str) -> tuple[Path, Path]:
        """Certificate and key."""
        key = new_key()
        subject = Subject(name, organization=None)
        leaf = issue_leaf(self._authority, subject, key, now=self._now, days=2, alternative_names=frozenset(hosts))
        return self._written(f"{name}.crt", leaf), self._written(f"{name}.key", key_to_pem(key))

    def store(self, name: str, *hosts: str) -> Path:
        """Both in one file, as brokers like it."""
        certificate, key = self.of(name, *hosts)
        return self._written(f"{name}.pem", key.read_bytes() + certificate.read_bytes())

    def _written(self, name: str, content: bytes) -> Path:
        (self._folder / name).write_bytes(content)
        return self._folder / name


@dataclass(frozen=True)
class Secured:
    certificates: Certificates
    by_certificate: Listener
    by_scram: Listener
    by_plain: Listener


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    certificates = Certificates(folder / "certificates")
    first, second, third = free_ports(3)
    made = Secured(
        certificates,
        Listener("MTLS", "SSL", first, "localhost"),
        Listener("SCRAM", "SASL_SSL", second),
        Listener("PLAIN", "SASL_PLAINTEXT", third),
    )
    cache = os.environ.get("KLAMM_CACHE")  # noqa: TID251 (the machine's store is shared with `klamm up`)
    store = Store(Path(cache) if cache else Path.home() / ".cache/klamm")
    provided = asyncio.run(provide(store, [KAFKA], java_home=None, clock=SystemClock()))
    listeners = (made.by_certificate, made.by_scram, made.by_plain)
    with real_brokers(provided, folder, KAFKA, settings=_settings(certificates), listeners=listeners) as brokers:
        asyncio.run(_fill(brokers))
        yield made


def _settings(certificates: Certificates) -> dict[str, str]:
    modules = "org.apache.kafka.common.security"
    escaped = PASSWORD.replace("\\", "\\\\")
    plain = f'{modules}.plain.PlainLoginModule required user_plain="{escaped}";'
    return {
        "listener.name.mtls.ssl.client.auth": "required",
        **_tls("mtls", certificates, certificates.store("broker", "localhost")),
        **_tls("scram", certificates, certificates.store("named", "kafka.example")),
        "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;",
        "listener.name.plain.sasl.enabled.mechanisms": "PLAIN",
        # A file of properties takes a backslash for itself.
        "listener.name.plain.plain.sasl.jaas.config": plain.replace("\\", "\\\\"),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


def _tls(listener: str, certificates: Certificates, store: Path) -> dict[str, str]:
    kinds = {"keystore": store, "truststore": certificates.trusted}
    prefix = f"listener.name.{listener}.ssl"
    types = {f"{prefix}.{kind}.type": "PEM" for kind in kinds}
    return {**types, **{f"{prefix}.{kind}.location": str(path) for kind, path in kinds.items()}}


async def _fill(brokers: RealBrokers) -> None:
    async with await Admin.connect(Connection(brokers.bootstrap)) as admin:
        await admin.create_topics([NewTopic("words", 2, 1)])
        await commit(admin, "readers", {"words": {0: 0, 1: 0}})
        await set_scram_password(admin, "scram", PASSWORD, b"some salt of its own")
        await create_acls(admin, [rule for user in USERS for rule in _rights(f"User:{user}")])
    produce = ("--topic", "words")
    await asyncio.to_thread(brokers.tool, "kafka-console-producer.sh", *produce, input="record\n" * 30)


def _rights(principal: str) -> list[AclRule]:
    what = (("CLUSTER", "kafka-cluster"), ("TOPIC", "*"), ("GROUP", "*"))
    return [AclRule(principal, kind, name, "LITERAL", "DESCRIBE", "ALLOW") for kind, name in what]


@asynccontextmanager
async def running(folder: Path, server: str, *flags: str, password: str = "") -> AsyncIterator[str]:
    """The address of its page; what it says is in `folder`."""
    environment = {**os.environ, "SASL_USER_PASSWORD": password}  # noqa: TID251 (a process of its own)
    argv = ["exporter", f"--kafka.server={server}", "--web.listen-address=127.0.0.1:0", *flags]
    log = folder / "exporter.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "klamm.programs.klamm", *argv, stdout=out, stderr=out, env=environment
        )

    def address() -> str | None:
        found = re.search(r"klamm: (https?://\S+)/metrics", log.read_text())
        return found[1] if found else None

    try:
        listening = "the exporter to listen"
        await until(WITHIN, listening, lambda: None if address() else log.read_text() or "it is silent", every=0.1)
        yield str(address())
    finally:
        process.terminate()
        await process.wait()


async def said(url: str, path: str, tls: ssl.SSLContext | None = None) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(url + path, ssl=tls or True) as answer:
        return answer.status, await answer.text()


async def reads_all(url: str, tls: ssl.SSLContext | None = None) -> None:
    wanted = {
        'kafka_consumergroup_lag_sum{consumergroup="readers",topic="words"} 30',
        'kafka_consumergroup_members{consumergroup="readers"} 0',
    }

    async def reason_not() -> str | None:
        status, text = await said(url, "/metrics", tls)
        lines = text.splitlines()
        down = [line for line in lines if line.startswith("kafka_exporter_part_up") and not line.endswith(" 1")]
        sizes = any(line.startswith('kafka_topic_log_size_bytes{topic="words"}') for line in lines)
        return None if status == 200 and not down and wanted <= set(lines) and sizes else text

    await until(WITHIN, "all of the page", reason_not, every=0.2)


async def says(url: str, words: str) -> None:
    """On the page, instead of series."""

    async def reason_not() -> str | None:
        status, text = await said(url, "/metrics")
        assert status == 503
        return None if words in text else text

    await until(WITHIN, f"the page to say {words!r}", reason_not, every=0.2)


async def test_by_certificate_and_with_a_page_that_asks_for_one(secured: Secured, tmp_path: Path) -> None:
    certificate, key = secured.certificates.of("exporter")
    of_page, of_page_key = secured.certificates.of("page", "127.0.0.1")
    scraper, scraper_key = secured.certificates.of("prometheus")
    trusted = secured.certificates.trusted
    flags = (
        *("--tls.enabled", f"--tls.ca-file={trusted}", f"--tls.cert-file={certificate}", f"--tls.key-file={key}"),
        *("--server.tls.enabled", "--server.tls.mutual-auth-enabled", f"--server.tls.ca-file={trusted}"),
        *(f"--server.tls.cert-file={of_page}", f"--server.tls.key-file={of_page_key}"),
    )
    context = ssl.create_default_context(cafile=str(trusted))
    async with running(tmp_path, secured.by_certificate.advertised, *flags) as url:
        assert url.startswith("https://")
        with pytest.raises(aiohttp.ClientError):
            await said(url, "/healthz", context)
        context.load_cert_chain(scraper, scraper_key)
        await reads_all(url, context)


async def test_by_scram_over_tls_of_a_broker_with_another_name(secured: Secured, tmp_path: Path) -> None:
    flags = (
        *("--tls.enabled", f"--tls.ca-file={secured.certificates.trusted}", "--tls.server-name=kafka.example"),
        *("--sasl.enabled", "--sasl.mechanism=scram-sha512", "--sasl.username=scram"),
    )
    async with running(tmp_path, secured.by_scram.advertised, *flags, password=PASSWORD) as url:
        await reads_all(url)


async def test_by_plain_with_a_password_from_a_file(secured: Secured, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    flags = ("--sasl.enabled", "--sasl.username=plain", f"--sasl.password-file={tmp_path / 'password'}")
    async with running(tmp_path, secured.by_plain.advertised, *flags) as url:
        await reads_all(url)


async def test_a_wrong_password_is_said(secured: Secured, tmp_path: Path) -> None:
    scram = ("--tls.enabled", "--tls.insecure-skip-tls-verify", "--sasl.mechanism=scram-sha512")
    for server, user, more in (
        (secured.by_scram, "scram", scram),
        (secured.by_plain, "plain", ()),
    ):
        flags = ("--sasl.enabled", f"--sasl.username={user}", *more)
        async with running(tmp_path, server.advertised, *flags, password="another") as url:
            await says(url, "uthentication failed")
            assert (await said(url, "/healthz"))[0] == 200


async def test_a_broker_of_an_authority_that_is_not_trusted_is_said(secured: Secured, tmp_path: Path) -> None:
    strange = Certificates(tmp_path / "strange")
    flags = ("--tls.enabled", f"--tls.ca-file={strange.trusted}")
    async with running(tmp_path, secured.by_certificate.advertised, *flags) as url:
        await says(url, "certificate verify failed")


async def test_a_broker_of_another_name_is_said(secured: Secured, tmp_path: Path) -> None:
    flags = ("--tls.enabled", f"--tls.ca-file={secured.certificates.trusted}", "--sasl.enabled")
    async with running(tmp_path, secured.by_scram.advertised, *flags) as url:
        await says(url, "certificate verify failed")
