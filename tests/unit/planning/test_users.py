from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from klamm.planning.authorities.leaf import IssueLeaf, KeepLeaf, PostponedLeaf
from klamm.planning.users import (
    Acl,
    Limits,
    Principal,
    StoredCertificate,
    decide_certificate,
    principal,
    problems,
    wanted_acls,
    wanted_limits,
)
from klamm.resources.custom.user import KafkaUser, KafkaUserQuotas
from klamm.resources.structure import decode

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def user(spec: dict[str, object], name: str = "anna") -> KafkaUser:
    return decode(KafkaUser, {"metadata": {"name": name}, "spec": spec})


def rules(*acls: dict[str, object]) -> dict[str, object]:
    return {"authorization": {"type": "simple", "acls": list(acls)}}


@pytest.mark.parametrize(
    ("authentication", "known"),
    [
        ("tls", Principal("CN=anna", "anna")),
        ("tls-external", Principal("CN=anna", "anna")),
        ("scram-sha-512", Principal("anna", "CN=anna")),
        (None, Principal("anna", "CN=anna")),
    ],
)
def test_a_user_is_known_by_its_certificate_or_by_its_name(authentication: str | None, known: Principal) -> None:
    assert principal("anna", authentication) == known


@pytest.mark.parametrize(
    ("spec", "name", "said"),
    [
        pytest.param({}, "anna", None, id="a user without anything is fine"),
        pytest.param({"authentication": {"type": "tls"}}, "a" * 65, "metadata.name", id="a long certificate name"),
        pytest.param({"authentication": {"type": "scram-sha-512"}}, "a" * 65, None, id="a long name with a password"),
        pytest.param({"authentication": {"type": "magic"}}, "anna", "spec.authentication.type", id="an unknown type"),
        pytest.param(
            {"authentication": {"type": "scram-sha-512", "password": {"valueFrom": {"secretKeyRef": {"name": "s"}}}}},
            "anna",
            "spec.authentication.password.valueFrom.secretKeyRef",
            id="a brought password without a key",
        ),
        pytest.param(
            rules({"resource": {"type": "topic"}, "operations": ["Read"]}),
            "anna",
            "spec.authorization.acls[0].resource.name",
            id="a rule about a topic without a name",
        ),
        pytest.param(
            rules({"resource": {"type": "cluster"}}),
            "anna",
            "spec.authorization.acls[0].operations",
            id="a rule that allows nothing",
        ),
        pytest.param(
            rules({"resource": {"type": "cluster"}, "operation": "Alter"}),
            "anna",
            None,
            id="a single operation",
        ),
    ],
)
def test_what_a_user_must_change(spec: dict[str, object], name: str, said: str | None) -> None:
    found = problems(user(spec, name), acls_supported=True)
    assert [text.split(":")[0] for text in found] == ([said] if said else [])


def test_acls_of_a_cluster_that_keeps_none_are_a_problem() -> None:
    (text,) = problems(user(rules()), acls_supported=False)
    assert "spec.kafka.authorization.type: simple" in text


def test_rules_are_told_in_kafkas_words() -> None:
    spec = user(
        rules(
            {"resource": {"type": "group", "name": "g"}, "operations": ["Read", "DescribeConfigs"], "type": "deny"},
            {"resource": {"type": "cluster"}, "operation": "IdempotentWrite", "host": "10.0.0.1"},
            {"resource": {"type": "transactionalId", "name": "t-", "patternType": "prefix"}, "operations": ["All"]},
        )
    ).spec
    who = "User:CN=anna"
    assert wanted_acls(spec, "CN=anna") == {
        Acl(who, "GROUP", "g", "LITERAL", "READ", "DENY"),
        Acl(who, "GROUP", "g", "LITERAL", "DESCRIBE_CONFIGS", "DENY"),
        Acl(who, "CLUSTER", "kafka-cluster", "LITERAL", "IDEMPOTENT_WRITE", "ALLOW", "10.0.0.1"),
        Acl(who, "TRANSACTIONAL_ID", "t-", "PREFIXED", "ALL", "ALLOW"),
    }


def test_limits_that_are_not_given_are_none() -> None:
    assert wanted_limits(None) == Limits()
    assert wanted_limits(KafkaUserQuotas(consumer_byte_rate=5)) == Limits(consumer_byte_rate=5)


GOOD = StoredCertificate(NOW + timedelta(days=100), key_present=True, key_matches=True, of_current_authority=True)


@pytest.mark.parametrize(
    ("stored", "window_open", "way"),
    [
        pytest.param(None, False, IssueLeaf, id="there is none: issue"),
        pytest.param(GOOD, True, KeepLeaf, id="all is well: keep"),
        pytest.param(replace(GOOD, of_current_authority=False), False, IssueLeaf, id="the authority is new: issue"),
        pytest.param(replace(GOOD, key_matches=False), False, IssueLeaf, id="the key is another one: issue"),
        pytest.param(replace(GOOD, not_after=NOW + timedelta(days=9)), True, IssueLeaf, id="its end is near: issue"),
        pytest.param(
            replace(GOOD, not_after=NOW + timedelta(days=9)),
            False,
            PostponedLeaf,
            id="but in a window only",
        ),
        pytest.param(replace(GOOD, not_after=NOW), False, IssueLeaf, id="it has ended: issue, whatever the window"),
    ],
)
def test_when_a_certificate_is_made_anew(stored: StoredCertificate | None, window_open: bool, way: type) -> None:
    assert isinstance(decide_certificate(stored, 30, NOW, window_open=window_open), way)
