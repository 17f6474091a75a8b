"""Which listener of a cluster the console on this machine goes through."""

import ssl
from datetime import UTC, datetime
from typing import Any

import pytest

from klamm.certificates.issue import Authority, Subject, authority_subject, issue_authority, issue_leaf
from klamm.certificates.keys import key_to_pem, new_key
from klamm.cli.doors import Door, Identity, NoDoor, connection, door
from klamm.kafka.admin import Sasl

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    key = new_key()
    return Authority(issue_authority(authority_subject("ca", 0), key, now=NOW, days=1), key_to_pem(key))


def kafka(*listeners: tuple[str, str, str, str]) -> dict[str, Any]:
    """(name, servers, authority, authentication) of each listener."""
    return {
        "metadata": {"name": "my-cluster", "namespace": "kafka"},
        "spec": {
            "kafka": {
                "listeners": [
                    {"name": name, **({"authentication": {"type": asks}} if asks else {})}
                    for name, _, _, asks in listeners
                ]
            }
        },
        "status": {
            "listeners": [
                {"name": name, "bootstrapServers": servers, **({"certificates": [pem]} if pem else {})}
                for name, servers, pem, _ in listeners
            ]
        },
    }


PLAIN = ("plain", "my-cluster-kafka-bootstrap.kafka.svc:9092", "", "")
NODE_PORT = ("external", "127.0.0.1:31593", "", "")
WITH_PASSWORD = ("scram", "127.0.0.1:31594", "", "scram-sha-512")


def test_a_node_port_is_the_door() -> None:
    assert door(kafka(PLAIN, NODE_PORT), None) == Door("my-cluster", "kafka", ("127.0.0.1:31593",))


def test_what_asks_for_nothing_goes_before() -> None:
    found = door(kafka(WITH_PASSWORD, NODE_PORT), "ann")
    assert isinstance(found, Door)
    assert found.authentication == ""


def test_without_a_listener_for_this_machine_the_mend_is_told() -> None:
    found = door(kafka(PLAIN), None)
    assert isinstance(found, NoDoor)
    assert "add one of type nodeport to spec.kafka.listeners" in found.why
    assert "helm install kafka-ui charts/kafka-ui -n kafka" in found.why


def test_a_cluster_that_is_not_up_yet_has_no_door() -> None:
    assert isinstance(door({"metadata": {"name": "new", "namespace": "kafka"}, "spec": {"kafka": {}}}, None), NoDoor)


def test_a_listener_that_asks_for_a_user_wants_one_named() -> None:
    found = door(kafka(WITH_PASSWORD), None)
    assert isinstance(found, NoDoor)
    assert found.why == "its listeners ask for scram-sha-512; name a KafkaUser with --user"


def test_a_user_s_password_opens_it() -> None:
    found = door(kafka(WITH_PASSWORD), "ann")
    assert isinstance(found, Door)
    made = connection(found, Identity("ann", {"password": b"word"}))
    assert (made.bootstrap, made.tls, made.sasl) == (("127.0.0.1:31594",), None, Sasl("SCRAM-SHA-512", "ann", "word"))


def test_a_user_s_certificate_opens_it_and_the_listener_s_authority_is_trusted(authority: Authority) -> None:
    key = new_key()
    leaf = issue_leaf(authority, Subject("ann"), key, now=NOW, days=1, alternative_names=frozenset())
    found = door(kafka(("tls", "127.0.0.1:31595", authority.certificate.decode(), "tls")), "ann")
    assert isinstance(found, Door)
    made = connection(found, Identity("ann", {"user.crt": leaf, "user.key": key_to_pem(key)}))
    assert made.tls is not None
    assert made.tls.cert_store_stats()["x509"] == 1
    assert (made.tls.check_hostname, made.tls.verify_mode) == (False, ssl.CERT_REQUIRED)


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        ("tls", "KafkaUser ann has no certificate; its authentication must be tls"),
        ("scram-sha-512", "KafkaUser ann has no password; its authentication must be scram-sha-512"),
        ("oauth", "its listener asks for oauth, which is not to be had here"),
    ],
)
def test_a_user_without_what_is_asked_for_is_told(asks: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        connection(Door("my-cluster", "kafka", ("127.0.0.1:1",), b"", asks), Identity("ann", {}))
