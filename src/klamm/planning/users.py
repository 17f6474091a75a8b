"""What a KafkaUser asks for, in Kafka's words: principal, ACLs, quotas, certificate; and what is wrong with it.

The resource is the truth for the users that it names: ACLs that it does not list are removed, a credential of another
kind than it asks for is removed. Users without a resource are nobody's business here.

Kafka knows one user under two names: `CN=anna` when a certificate proves who it is, `anna` for a password or when
something else does. Both are looked at, so that a change of the kind of authentication leaves no rights behind.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from klamm.planning.authorities.leaf import LeafDecision, ObservedLeaf, decide_leaf
from klamm.resources.custom.user import AclRule, KafkaUser, KafkaUserQuotas, KafkaUserSpec
from klamm.resources.native.metadata import SecretKeySelector

TLS, TLS_EXTERNAL, SCRAM = "tls", "tls-external", "scram-sha-512"

LONGEST_COMMON_NAME = 64
"""Characters (RFC 5280, ub-common-name)."""

INVALID = "InvalidResourceException"
"""The condition's reason that Strimzi's users know; an exception's name there."""

KAFKA_ERROR = "KafkaError"

_RESOURCES = {"topic": "TOPIC", "group": "GROUP", "cluster": "CLUSTER", "transactionalId": "TRANSACTIONAL_ID"}
_PATTERNS = {"literal": "LITERAL", "prefix": "PREFIXED"}
_CLUSTER = "kafka-cluster"
"""The name of the one resource of type cluster (Kafka's Resource.CLUSTER_NAME)."""


@dataclass(frozen=True, slots=True)
class Acl:
    """One rule in Kafka's words, upper case: TOPIC, LITERAL, READ, ALLOW."""

    principal: str
    resource_type: str
    resource_name: str
    pattern_type: str
    operation: str
    permission: str
    host: str = "*"


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas; None: no limit of its own."""

    producer_byte_rate: float | None = None
    consumer_byte_rate: float | None = None
    request_percentage: float | None = None
    controller_mutation_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """The user's name in Kafka, and the other one under which nothing of it must be left."""

    name: str
    other: str


def authentication_of(spec: KafkaUserSpec) -> str | None:
    return spec.authentication.type if spec.authentication else None


def principal(name: str, authentication: str | None) -> Principal:
    by_certificate = authentication in (TLS, TLS_EXTERNAL)
    return Principal(f"CN={name}", name) if by_certificate else Principal(name, f"CN={name}")


def brought_password(spec: KafkaUserSpec) -> SecretKeySelector | None:
    """Where the password is that the user brings, for scram-sha-512."""
    password = spec.authentication.password if spec.authentication else None
    return password.value_from.secret_key_ref if password and password.value_from else None


def problems(user: KafkaUser, acls_supported: bool) -> list[str]:
    """What the user must change before anything can be done: field, value, rule, mend."""
    return list(_problems(user.metadata.name or "", user.spec, acls_supported))


def _problems(name: str, spec: KafkaUserSpec, acls_supported: bool) -> Iterator[str]:
    authentication = authentication_of(spec)
    if authentication == TLS and len(name) > LONGEST_COMMON_NAME:
        yield (
            f"metadata.name: {name!r} has {len(name)} characters, and a certificate's name holds "
            f"{LONGEST_COMMON_NAME}. Choose a shorter name"
        )
    if authentication not in (None, TLS, TLS_EXTERNAL, SCRAM):
        yield f"spec.authentication.type: {authentication!r} is not known. Use tls, tls-external or scram-sha-512"
    if spec.authentication and spec.authentication.password and authentication == SCRAM:
        reference = brought_password(spec)
        if reference is None or not reference.name or not reference.key:
            yield "spec.authentication.password.valueFrom.secretKeyRef: needs name and key of a Secret. Add them"
    if spec.authorization is not None:
        yield from _problems_of_rules(spec.authorization.acls, acls_supported)


def _problems_of_rules(rules: Iterable[AclRule], acls_supported: bool) -> Iterator[str]:
    if not acls_supported:
        yield (
            "spec.authorization: the cluster keeps no ACLs. Set spec.kafka.authorization.type: simple in the Kafka "
            "resource, or remove spec.authorization here"
        )
    for number, rule in enumerate(rules):
        path = f"spec.authorization.acls[{number}]"
        resource = rule.resource
        if resource is None or resource.type not in _RESOURCES:
            yield f"{path}.resource.type: must be one of {', '.join(_RESOURCES)}. Add it"
        elif resource.type != "cluster" and not resource.name:
            yield f"{path}.resource.name: a rule about a {resource.type} needs a name. Add it ('*' means all)"
        if not (rule.operations or rule.operation):
            yield f"{path}.operations: the rule allows nothing. Add for example [Read]"


def wanted_acls(spec: KafkaUserSpec, principal_name: str) -> frozenset[Acl]:
    """The rules of a resource without problems."""
    if spec.authorization is None:
        return frozenset()
    return frozenset(acl for rule in spec.authorization.acls for acl in _rules(rule, f"User:{principal_name}"))


def _rules(rule: AclRule, principal_name: str) -> Iterator[Acl]:
    resource = rule.resource
    if resource is None or resource.type is None:
        return
    about_cluster = resource.type == "cluster"
    for operation in rule.operations or [rule.operation or ""]:
        yield Acl(
            principal=principal_name,
            resource_type=_RESOURCES[resource.type],
            resource_name=_CLUSTER if about_cluster else resource.name or "",
            pattern_type="LITERAL" if about_cluster else _PATTERNS[resource.pattern_type or "literal"],
            operation=_upper_snake(operation),
            permission=(rule.type or "allow").upper(),
            host=rule.host or "*",
        )


def _upper_snake(name: str) -> str:
    """DescribeConfigs → DESCRIBE_CONFIGS."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def wanted_limits(quotas: KafkaUserQuotas | None) -> Limits:
    if quotas is None:
        return Limits()
    return Limits(
        quotas.producer_byte_rate, quotas.consumer_byte_rate, quotas.request_percentage, quotas.controller_mutation_rate
    )


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """What a user's Secret holds. `of_current_authority`: its ca.crt is the authority's certificate of now."""

    not_after: datetime | None
    key_present: bool
    key_matches: bool
    of_current_authority: bool


def decide_certificate(
    stored: StoredCertificate | None, renewal_days: int, now: datetime, *, window_open: bool
) -> LeafDecision:
    """Keep or issue; a renewal because the end is near waits for a maintenance window."""
    if stored is None:
        return decide_leaf(None, frozenset(), 1, renewal_days, now, window_open=window_open)
    observed = ObservedLeaf(
        not_after=stored.not_after,
        key_present=stored.key_present,
        key_matches=stored.key_matches,
        signed_under=1 if stored.of_current_authority else None,
    )
    return decide_leaf(observed, frozenset(), 1, renewal_days, now, window_open=window_open)
