"""Why somebody may or may not do something: Kafka's StandardAuthorizer as a pure function, and templates of ACLs.

In its order: a super user may everything. A rule speaks of a resource when its type is the same and its name is the
same, or is "*" (literal), or begins it (prefixed). Among those, one that denies ends it; else one that allows does.
Where no rule at all speaks of the resource, allow.everyone.if.no.acl.found decides; where some do and none fits the
one who asks, the answer is no.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from klamm.kafka.facts import AclRule

ANY = "*"
EVERYBODY = "User:*"

RESOURCES = ("TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER")
PATTERNS = ("LITERAL", "PREFIXED")
PERMISSIONS = ("ALLOW", "DENY")
OPERATIONS = (
    "ALL",
    "READ",
    "WRITE",
    "CREATE",
    "DELETE",
    "ALTER",
    "DESCRIBE",
    "CLUSTER_ACTION",
    "DESCRIBE_CONFIGS",
    "ALTER_CONFIGS",
    "IDEMPOTENT_WRITE",
    "CREATE_TOKENS",
    "DESCRIBE_TOKENS",
)
CLUSTER_NAME = "kafka-cluster"
"""The only name of the resource CLUSTER."""

_IMPLIES = {
    "DESCRIBE": frozenset({"DESCRIBE", "READ", "WRITE", "DELETE", "ALTER"}),
    "DESCRIBE_CONFIGS": frozenset({"DESCRIBE_CONFIGS", "ALTER_CONFIGS"}),
}
"""An ALLOW of one of these operations allows the key, too; a DENY denies itself alone."""


@dataclass(frozen=True, slots=True)
class Question:
    """May `principal` ("User:anna") from `host` (an address) do `operation` to the resource?"""

    principal: str
    host: str
    operation: str
    resource_type: str
    resource_name: str


@dataclass(frozen=True, slots=True)
class Authorizer:
    """What the brokers are told, as far as it is known: they keep both to themselves (as of Kafka 4.3). None: not."""

    super_users: frozenset[str] = frozenset()
    allow_if_no_acl: bool | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`allowed`: None where it hangs on a setting that is not known. `by`: the rule that decided, None where none did.
    `others`: rules of the resource that fit as well, or not."""

    allowed: bool | None
    why: str
    by: AclRule | None = None
    others: tuple[AclRule, ...] = ()


def decide(question: Question, rules: Iterable[AclRule], authorizer: Authorizer) -> Decision:
    if question.principal in authorizer.super_users:
        return Decision(True, f"{question.principal} is a super user (super.users)")
    speaking = sorted((rule for rule in rules if speaks_of(rule, question)), key=_order)
    fitting = [rule for rule in speaking if fits(rule, question)]
    deciding = next((rule for rule in fitting if rule.permission == "DENY"), next(iter(fitting), None))
    others = tuple(rule for rule in speaking if rule is not deciding)
    if deciding is not None:
        allowed = deciding.permission == "ALLOW"
        return Decision(allowed, "this rule allows it" if allowed else "this rule denies it", deciding, others)
    if speaking:
        return Decision(False, "there are rules for this resource, and none allows it", None, others)
    nobody = "no rule speaks of this resource"
    if authorizer.allow_if_no_acl is None:
        why = f"{nobody}, so allow.everyone.if.no.acl.found decides: denied, unless it is set to true"
        return Decision(None, why)
    is_set = "true" if authorizer.allow_if_no_acl else "false"
    return Decision(authorizer.allow_if_no_acl, f"{nobody}, and allow.everyone.if.no.acl.found is {is_set}")


def speaks_of(rule: AclRule, question: Question) -> bool:
    if rule.resource_type != question.resource_type:
        return False
    if rule.pattern_type == "PREFIXED":
        return question.resource_name.startswith(rule.resource_name)
    return rule.resource_name in (question.resource_name, ANY)


def fits(rule: AclRule, question: Question) -> bool:
    """Whether a rule of the resource is about this principal, host and operation."""
    if rule.principal not in (question.principal, EVERYBODY) or rule.host not in (question.host, ANY):
        return False
    if rule.operation in ("ALL", question.operation):
        return True
    return rule.permission == "ALLOW" and rule.operation in _IMPLIES.get(question.operation, ())


def _order(rule: AclRule) -> tuple[object, ...]:
    """The most particular first."""
    return (
        rule.pattern_type == "PREFIXED",
        rule.resource_name == ANY,
        -len(rule.resource_name),
        rule.principal,
        rule.host,
        rule.operation,
        rule.permission,
    )


@dataclass(frozen=True, slots=True)
class Names:
    """Of topics, say; `prefixed`: they are beginnings of names."""

    names: Collection[str] = ()
    prefixed: bool = False

    def rules(self, kind: str, operations: Iterable[str], principal: str, host: str) -> list[AclRule]:
        pattern = "PREFIXED" if self.prefixed else "LITERAL"
        return [
            AclRule(principal, kind, name, pattern, operation, "ALLOW", host)
            for name in self.names
            for operation in operations
        ]


def for_consumer(principal: str, host: str, topics: Names, groups: Names) -> list[AclRule]:
    """As `kafka-acls.sh --consumer` makes them."""
    return [
        *topics.rules("TOPIC", ("READ", "DESCRIBE"), principal, host),
        *groups.rules("GROUP", ("READ",), principal, host),
    ]


def for_producer(
    principal: str, host: str, topics: Names, transactional: Names, idempotent: bool = False
) -> list[AclRule]:
    """As `kafka-acls.sh --producer` makes them. Brokers before 2.8 ask idempotent producers for one rule more."""
    rules = [
        *topics.rules("TOPIC", ("WRITE", "DESCRIBE", "CREATE"), principal, host),
        *transactional.rules("TRANSACTIONAL_ID", ("WRITE", "DESCRIBE"), principal, host),
    ]
    if idempotent:
        rules.append(AclRule(principal, "CLUSTER", CLUSTER_NAME, "LITERAL", "IDEMPOTENT_WRITE", "ALLOW", host))
    return rules


def for_streams(principal: str, host: str, inputs: Names, outputs: Names, application: str) -> list[AclRule]:
    """A Streams application: its internal topics, group and transactions begin with its application.id."""
    own = Names((application,), prefixed=True)
    return [
        *inputs.rules("TOPIC", ("READ", "DESCRIBE"), principal, host),
        *outputs.rules("TOPIC", ("WRITE", "DESCRIBE"), principal, host),
        *own.rules("TOPIC", ("ALL",), principal, host),
        *own.rules("GROUP", ("READ", "DESCRIBE", "DELETE"), principal, host),
        *own.rules("TRANSACTIONAL_ID", ("WRITE", "DESCRIBE"), principal, host),
    ]


def reason_wrong(rule: AclRule) -> tuple[str, object, str] | None:
    """(field, value, what it must be); None for a rule that Kafka can take."""
    kind, _, name = rule.principal.partition(":")
    if not kind or not name:
        return "principal", rule.principal, "is no principal; write User:NAME, or User:* for everybody"
    for field, value, known in (
        ("resourceType", rule.resource_type, RESOURCES),
        ("patternType", rule.pattern_type, PATTERNS),
        ("operation", rule.operation, OPERATIONS),
        ("permission", rule.permission, PERMISSIONS),
    ):
        if value not in known:
            return field, value, f"is not known; write one of {', '.join(known)}"
    if not rule.resource_name:
        return "resourceName", rule.resource_name, "is empty; write a name, or * for all (literal)"
    if rule.resource_type == "CLUSTER" and rule.resource_name != CLUSTER_NAME:
        return "resourceName", rule.resource_name, f"is no cluster; it is always called {CLUSTER_NAME}"
    if not rule.host:
        return "host", rule.host, "is empty; write an address, or * for all"
    return None
