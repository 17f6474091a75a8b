"""One pass over a KafkaUser, against a real API server and Kafka's rules in memory."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.builders.entity_api import LABELS, NAMESPACE, EntityApi, entity_api, soon
from tests.builders.fake_kafka import FakeKafka

from klamm.certificates.issue import Subject, issue_authority
from klamm.certificates.keys import key_to_pem, new_key
from klamm.certificates.read import key_matches, read_certificate, signed_by
from klamm.control.passes import Pass
from klamm.control.results import Blocked, Done, Result
from klamm.kafka.errors import Unreachable
from klamm.kafka.facts import AclRule, Quotas
from klamm.kube.catalogue import KAFKA_USERS
from klamm.kube.kinds import Name, version_of
from klamm.kube.watching import Watched
from klamm.operators.user.credentials import Validity
from klamm.operators.user.kafka_side import UserStore
from klamm.operators.user.reconcile import UserHands, UserReconciler, UserSettings

USER = "KafkaUser"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
SCRAM = {"authentication": {"type": "scram-sha-512"}}
TLS = {"authentication": {"type": "tls"}}
READ_A = {"resource": {"type": "topic", "name": "a-", "patternType": "prefix"}, "operations": ["Read", "AlterConfigs"]}


class MovedClock:
    moment = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()


class Running:
    def __init__(self, entity: EntityApi, settings: UserSettings) -> None:
        self.api, self.kafka, self.clock = entity, FakeKafka(), MovedClock()
        self.users = Watched(entity.client, KAFKA_USERS, Random(1), namespace=NAMESPACE, labels=LABELS)
        self.settings = settings
        self.certificate_ends: dict[Name, datetime | None] = {}
        self.reconciler = self.made(settings)
        self._passwords = 0

    def made(self, settings: UserSettings) -> UserReconciler:
        async def store() -> UserStore:
            if self.kafka.down:
                raise Unreachable("connect", "no broker answers")
            return self.kafka

        ends = self.certificate_ends.__setitem__
        hands = UserHands(self.api.client, self.users, self.clock, self.new_password, store, ends)
        return UserReconciler(hands, settings)

    def new_password(self, length: int) -> str:
        self._passwords += 1
        return f"random{self._passwords}".ljust(length, "x")

    async def pass_(self, name: str) -> Result:
        """One pass, once the cache has what the API has."""
        there = await self.api.client.find(KAFKA_USERS, Name(NAMESPACE, name))

        def reason_stale() -> str | None:
            cached = self.users.get(Name(NAMESPACE, name))
            return None if (cached and version_of(cached)) == (there and version_of(there)) else "it is stale"

        await soon("the cache to be fresh", reason_stale)
        return await self.reconciler.reconcile(Name(NAMESPACE, name), Pass(Name(NAMESPACE, name)))

    async def status(self, name: str) -> dict[str, Any]:
        return (await self.api.get(USER, name))["status"]  # type: ignore[no-any-return]

    async def entries(self, name: str) -> dict[str, bytes]:
        secret = await self.api.secret(name)
        return {key: b64decode(value) for key, value in secret["data"].items()} if secret else {}

    async def put_authority(self) -> bytes:
        key = new_key()
        certificate = issue_authority(Subject("clients-ca v0"), key, now=NOW, days=365)
        for name, entry, data in (("ca-cert", "ca.crt", certificate), ("ca", "ca.key", key_to_pem(key))):
            await self.put_secret(name, {entry: data})
        return certificate

    async def put_secret(self, name: str, entries: dict[str, bytes]) -> None:
        data = {key: b64encode(value).decode() for key, value in entries.items()}
        if await self.api.secret(name):
            await self.api.request("DELETE", f"{SECRETS}/{name}")
        await self.api.request(
            "POST", SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
        )


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    settings = UserSettings(
        labels=LABELS,
        authority_certificate=Name(NAMESPACE, "ca-cert"),
        authority_key=Name(NAMESPACE, "ca"),
        validity=Validity(days=365, renewal_days=30),
        acls_supported=True,
    )
    async with entity_api(tmp_path, "kafkausers") as entity:
        started = Running(entity, settings)
        watching = asyncio.create_task(started.users.run())
        yield started
        watching.cancel()


async def test_a_password_user_gets_a_secret_and_a_credential(running: Running) -> None:
    await running.api.create(USER, "anna", SCRAM)
    assert await running.pass_("anna") == Done()
    password = "random1".ljust(32, "x")
    assert await running.entries("anna") == {
        "password": password.encode(),
        "sasl.jaas.config": (
            f'org.apache.kafka.common.security.scram.ScramLoginModule required username="anna" password="{password}";'
        ).encode(),
    }
    assert running.kafka.passwords == {"anna": password}
    status = await running.status("anna")
    assert (status["username"], status["secret"], status["conditions"][0]["type"]) == ("anna", "anna", "Ready")


async def test_the_secret_belongs_to_its_user_and_can_be_found(running: Running) -> None:
    metadata = {"labels": {"team": "a"}, "annotations": {"note": "b"}}
    await running.api.create(USER, "anna", {**SCRAM, "template": {"secret": {"metadata": metadata}}})
    await running.pass_("anna")
    found = (await running.api.secret("anna"))["metadata"]
    assert found["labels"].items() >= {"strimzi.io/kind": "KafkaUser", **LABELS, "team": "a"}.items()
    assert found["annotations"]["note"] == "b"
    assert (found["ownerReferences"][0]["kind"], found["ownerReferences"][0]["name"]) == (USER, "anna")


async def test_a_second_pass_writes_nothing_and_sets_no_password_again(running: Running) -> None:
    await running.api.create(USER, "anna", SCRAM)
    await running.pass_("anna")
    version = (await running.api.secret("anna"))["metadata"]["resourceVersion"]
    await running.pass_("anna")
    assert (await running.api.secret("anna"))["metadata"]["resourceVersion"] == version
    assert running.kafka.calls["set_scram"] == 1


async def test_a_password_that_was_taken_out_of_kafka_is_set_again(running: Running) -> None:
    await running.api.create(USER, "anna", SCRAM)
    await running.pass_("anna")
    running.kafka.passwords.clear()
    await running.pass_("anna")
    assert "anna" in running.kafka.passwords


async def test_a_secret_deleted_by_hand_comes_back(running: Running) -> None:
    await running.api.create(USER, "anna", SCRAM)
    await running.pass_("anna")
    await running.api.request("DELETE", f"{SECRETS}/anna")
    await running.pass_("anna")
    entries = await running.entries("anna")
    assert running.kafka.passwords["anna"] == entries["password"].decode()


async def test_a_password_can_be_brought(running: Running) -> None:
    reference = {"secretKeyRef": {"name": "mine", "key": "pw"}}
    brought = {"authentication": {"type": "scram-sha-512", "password": {"valueFrom": reference}}}
    await running.api.create(USER, "anna", brought)
    assert isinstance(await running.pass_("anna"), Blocked)
    assert "Create it" in (await running.status("anna"))["conditions"][0]["message"]
    await running.put_secret("mine", {"pw": b"it's mine"})
    assert await running.pass_("anna") == Done()
    assert running.kafka.passwords["anna"] == "it's mine"


async def test_a_certificate_user_gets_a_certificate_of_the_clients_authority(running: Running) -> None:
    authority = await running.put_authority()
    await running.api.create(USER, "bert", TLS)
    assert await running.pass_("bert") == Done()
    entries = await running.entries("bert")
    assert set(entries) == {"ca.crt", "user.crt", "user.key", "user.p12", "user.password"}
    facts = read_certificate(entries["user.crt"])
    assert (facts.common_name, facts.organization) == ("bert", None)
    assert signed_by(entries["user.crt"], authority)
    assert key_matches(entries["user.crt"], entries["user.key"])
    assert (await running.status("bert"))["username"] == "CN=bert"
    assert running.certificate_ends == {Name(NAMESPACE, "bert"): facts.not_after}


async def test_a_certificate_is_kept_until_its_end_is_near_or_the_authority_changes(running: Running) -> None:
    await running.put_authority()
    await running.api.create(USER, "bert", TLS)
    await running.pass_("bert")
    first = await running.entries("bert")
    await running.pass_("bert")
    assert await running.entries("bert") == first
    running.clock.moment = NOW + timedelta(days=340)
    await running.pass_("bert")
    second = await running.entries("bert")
    assert second["user.crt"] != first["user.crt"]
    authority = await running.put_authority()
    await running.pass_("bert")
    third = await running.entries("bert")
    assert third["ca.crt"] == authority
    assert signed_by(third["user.crt"], authority)


async def test_acls_are_made_what_the_resource_lists(running: Running) -> None:
    running.kafka.rules = {
        AclRule("User:anna", "TOPIC", "old", "LITERAL", "READ", "ALLOW"),
        AclRule("User:CN=anna", "TOPIC", "old", "LITERAL", "READ", "ALLOW"),
        AclRule("User:other", "TOPIC", "old", "LITERAL", "READ", "ALLOW"),
    }
    await running.api.create(USER, "anna", {**SCRAM, "authorization": {"type": "simple", "acls": [READ_A]}})
    await running.pass_("anna")
    assert running.kafka.rules == {
        AclRule("User:anna", "TOPIC", "a-", "PREFIXED", "READ", "ALLOW"),
        AclRule("User:anna", "TOPIC", "a-", "PREFIXED", "ALTER_CONFIGS", "ALLOW"),
        AclRule("User:other", "TOPIC", "old", "LITERAL", "READ", "ALLOW"),
    }


async def test_where_the_cluster_keeps_no_acls_asking_for_them_is_refused(running: Running) -> None:
    running.reconciler = running.made(replace(running.settings, acls_supported=False))
    await running.api.create(USER, "anna", {**SCRAM, "authorization": {"type": "simple", "acls": [READ_A]}})
    assert isinstance(await running.pass_("anna"), Blocked)
    condition = (await running.status("anna"))["conditions"][0]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "NotReady",
        "True",
        "InvalidResourceException",
    )
    assert "spec.kafka.authorization.type: simple" in condition["message"]


async def test_quotas_are_set_and_removed(running: Running) -> None:
    await running.api.create(USER, "anna", {**SCRAM, "quotas": {"producerByteRate": 1000, "requestPercentage": 20}})
    await running.pass_("anna")
    assert running.kafka.limits == {"anna": Quotas(producer_byte_rate=1000, request_percentage=20)}
    await running.api.patch(USER, "anna", spec={"quotas": None})
    await running.pass_("anna")
    assert running.kafka.limits == {}


async def test_a_change_of_authentication_leaves_nothing_behind(running: Running) -> None:
    await running.api.create(USER, "anna", {**SCRAM, "authorization": {"type": "simple", "acls": [READ_A]}})
    await running.pass_("anna")
    await running.api.patch(USER, "anna", spec={"authentication": {"type": "tls-external"}})
    await running.pass_("anna")
    assert running.kafka.passwords == {}
    assert {rule.principal for rule in running.kafka.rules} == {"User:CN=anna"}
    assert await running.api.secret("anna") is None
    assert "secret" not in await running.status("anna")


async def test_nothing_is_left_of_a_user_whose_resource_is_gone(running: Running) -> None:
    await running.api.create(USER, "anna", {**SCRAM, "authorization": {"type": "simple", "acls": [READ_A]}})
    await running.pass_("anna")
    running.kafka.passwords["other"] = "stays"
    await running.api.delete(USER, "anna")
    await running.pass_("anna")
    assert running.kafka.passwords == {"other": "stays"}
    assert running.kafka.rules == set()


async def test_a_secret_of_somebody_else_is_never_overwritten(running: Running) -> None:
    await running.put_authority()
    await running.api.create(USER, "ca", SCRAM)
    assert isinstance(await running.pass_("ca"), Blocked)
    assert set(await running.entries("ca")) == {"ca.key"}


async def test_without_kafka_credentials_are_there_and_a_newcomer_is_told(running: Running) -> None:
    running.kafka.down = True
    await running.api.create(USER, "anna", SCRAM)
    with pytest.raises(Unreachable):
        await running.pass_("anna")
    assert "password" in await running.entries("anna")
    assert (await running.status("anna"))["conditions"][0]["reason"] == "KafkaError"
    running.kafka.down = False
    assert await running.pass_("anna") == Done()


async def test_a_paused_user_is_left_alone(running: Running) -> None:
    await running.api.create(USER, "anna", SCRAM, annotations={"strimzi.io/pause-reconciliation": "true"})
    assert await running.pass_("anna") == Done()
    assert (await running.status("anna"))["conditions"][0]["type"] == "ReconciliationPaused"
    assert await running.api.secret("anna") is None


def acl(**changes: object) -> dict[str, object]:
    rule = {"resource": {"type": "topic", "name": "a-", "patternType": "prefix"}, **changes}
    return {**SCRAM, "authorization": {"type": "simple", "acls": [rule]}}


async def test_fields_that_nobody_knows_and_deprecated_ones_are_told_until_they_are_mended(running: Running) -> None:
    await running.api.create(USER, "anna", acl(operation="Read", hots="10.0.0.1"))
    for _ in ("a first pass", "one that finds all as it was"):
        assert await running.pass_("anna") == Done()
        ready, *warnings = (await running.status("anna"))["conditions"]
        assert ready["type"] == "Ready"
        assert {(one["type"], one["status"], one["reason"]) for one in warnings} == {
            ("Warning", "True", "UnknownFields"),
            ("Warning", "True", "DeprecatedFields"),
        }
    told = " ".join(one["message"] for one in warnings)
    assert "spec.authorization.acls[0].hots is not a known field and is ignored (did you mean host?)" in told
    assert "spec.authorization.acls[0].operation is deprecated: write operations: [...]" in told
    await running.api.patch(USER, "anna", spec=acl(operations=["Read"]))
    await running.pass_("anna")
    assert [one["type"] for one in (await running.status("anna"))["conditions"]] == ["Ready"]


async def test_a_paused_user_is_told_of_them_too(running: Running) -> None:
    paused = {"strimzi.io/pause-reconciliation": "true"}
    await running.api.create(USER, "anna", acl(operation="Read"), annotations=paused)
    await running.pass_("anna")
    conditions = (await running.status("anna"))["conditions"]
    assert [one["type"] for one in conditions] == ["ReconciliationPaused", "Warning"]
