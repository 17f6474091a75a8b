"""Who may do what, against an oracle that takes Kafka's rules word by word; templates; CSV."""

import itertools
from random import Random

import pytest

from klamm.console.acls import as_csv
from klamm.console.acls.rules import (
    Authorizer,
    Names,
    Question,
    decide,
    for_consumer,
    for_producer,
    for_streams,
    reason_wrong,
)
from klamm.kafka.facts import AclRule

_ANNA = Question("User:anna", "10.0.0.1", "READ", "TOPIC", "orders")


def _rule(**changes: str) -> AclRule:
    default = {
        "principal": "User:anna",
        "resource_type": "TOPIC",
        "resource_name": "orders",
        "pattern_type": "LITERAL",
        "operation": "READ",
        "permission": "ALLOW",
        "host": "*",
    }
    return AclRule(**{**default, **changes})


@pytest.mark.parametrize(
    ("question", "rules", "allowed"),
    [
        (_ANNA, [_rule()], True),
        (_ANNA, [_rule(principal="User:*")], True),
        (_ANNA, [_rule(principal="User:ann")], False),
        (_ANNA, [_rule(resource_name="*")], True),
        (_ANNA, [_rule(resource_name="ord", pattern_type="PREFIXED")], True),
        (_ANNA, [_rule(resource_name="ord")], None),
        (_ANNA, [_rule(resource_name="*", pattern_type="PREFIXED")], None),
        (_ANNA, [_rule(resource_name="orders2", pattern_type="PREFIXED")], None),
        (_ANNA, [_rule(resource_type="GROUP")], None),
        (_ANNA, [_rule(host="10.0.0.2")], False),
        (_ANNA, [_rule(host="10.0.0.1")], True),
        (_ANNA, [_rule(operation="ALL")], True),
        (_ANNA, [_rule(operation="WRITE")], False),
        (_ANNA, [_rule(), _rule(resource_name="*", permission="DENY", principal="User:*")], False),
        (_ANNA, [_rule(), _rule(permission="DENY", operation="WRITE")], True),
    ],
)
def test_a_rule_and_what_it_means(question: Question, rules: list[AclRule], allowed: bool | None) -> None:
    assert decide(question, rules, Authorizer()).allowed is allowed


@pytest.mark.parametrize(
    ("asked", "had", "allowed"),
    [
        ("DESCRIBE", "READ", True),
        ("DESCRIBE", "WRITE", True),
        ("DESCRIBE", "DELETE", True),
        ("DESCRIBE", "ALTER", True),
        ("DESCRIBE", "CREATE", False),
        ("DESCRIBE", "ALTER_CONFIGS", False),
        ("DESCRIBE_CONFIGS", "ALTER_CONFIGS", True),
        ("DESCRIBE_CONFIGS", "READ", False),
        ("READ", "DESCRIBE", False),
    ],
)
def test_operations_that_bring_others_along(asked: str, had: str, allowed: bool) -> None:
    question = Question("User:anna", "h", asked, "TOPIC", "orders")
    assert decide(question, [_rule(operation=had)], Authorizer()).allowed is allowed
    # What denies one operation denies no other.
    both = [_rule(operation="ALL"), _rule(operation=had, permission="DENY")]
    assert decide(question, both, Authorizer()).allowed is True


def test_without_a_rule_the_setting_decides_and_where_it_is_not_known_nobody_does() -> None:
    assert decide(_ANNA, [], Authorizer(allow_if_no_acl=True)).allowed is True
    assert decide(_ANNA, [], Authorizer(allow_if_no_acl=False)).allowed is False
    assert decide(_ANNA, [], Authorizer()).allowed is None
    of_others = [_rule(principal="User:bert")]
    assert decide(_ANNA, of_others, Authorizer(allow_if_no_acl=True)).allowed is False


def test_a_super_user_may_what_is_denied_to_all() -> None:
    denied = [_rule(permission="DENY", principal="User:*", operation="ALL")]
    assert decide(_ANNA, denied, Authorizer(frozenset({"User:anna"}))).allowed is True


def test_the_rule_that_decides_is_named_and_the_others_are_shown() -> None:
    denies, allows, other = _rule(permission="DENY"), _rule(resource_name="*"), _rule(principal="User:bert")
    made = decide(_ANNA, [allows, other, denies], Authorizer())
    assert made.by == denies
    assert set(made.others) == {allows, other}


_PRINCIPALS = ("User:anna", "User:bert", "User:*")
_HOSTS = ("*", "10.0.0.1", "10.0.0.2")
_NAMES = ("a", "ab", "abc", "b", "*")
_OPERATIONS = ("ALL", "READ", "WRITE", "DESCRIBE", "ALTER_CONFIGS", "DESCRIBE_CONFIGS")
_EVERY_RULE = [
    AclRule(principal, "TOPIC", name, pattern, operation, permission, host)
    for principal, name, pattern, operation, permission, host in itertools.product(
        _PRINCIPALS, _NAMES, ("LITERAL", "PREFIXED"), _OPERATIONS, ("ALLOW", "DENY"), _HOSTS
    )
]
_QUESTIONS = [
    Question(principal, host, operation, "TOPIC", name)
    for principal, host, operation, name in itertools.product(
        _PRINCIPALS[:2], _HOSTS[1:], _OPERATIONS[1:], ("a", "ab", "abcd", "b", "c")
    )
]


def _oracle(question: Question, rules: list[AclRule], authorizer: Authorizer) -> bool | None:
    """Every rule spelt out to the single (principal, host, operation, name) that it means, and looked up."""

    def names(rule: AclRule) -> set[str]:
        all_names = {one.resource_name for one in _QUESTIONS}
        if rule.pattern_type == "PREFIXED":
            return {one for one in all_names if one[: len(rule.resource_name)] == rule.resource_name}
        return all_names if rule.resource_name == "*" else {rule.resource_name}

    def operations(rule: AclRule) -> set[str]:
        meant = set(_OPERATIONS) if rule.operation == "ALL" else {rule.operation}
        if rule.permission == "ALLOW" and meant & {"READ", "WRITE", "DELETE", "ALTER"}:
            meant.add("DESCRIBE")
        if rule.permission == "ALLOW" and "ALTER_CONFIGS" in meant:
            meant.add("DESCRIBE_CONFIGS")
        return meant

    def spelt(permission: str) -> set[tuple[str, str, str, str]]:
        return {
            one
            for rule in rules
            if rule.permission == permission
            for one in itertools.product(
                _PRINCIPALS if rule.principal == "User:*" else (rule.principal,),
                _HOSTS if rule.host == "*" else (rule.host,),
                operations(rule),
                names(rule),
            )
        }

    if question.principal in authorizer.super_users:
        return True
    asked = (question.principal, question.host, question.operation, question.resource_name)
    if asked in spelt("DENY"):
        return False
    if asked in spelt("ALLOW"):
        return True
    return False if any(question.resource_name in names(rule) for rule in rules) else authorizer.allow_if_no_acl


def test_decisions_are_those_of_an_oracle() -> None:
    random = Random(20)
    said = set()
    for _ in range(3000):
        rules = random.sample(_EVERY_RULE, random.randint(0, 6))
        authorizer = Authorizer(
            frozenset({"User:bert"} if random.random() < 0.1 else ()), random.choice((True, False, None))
        )
        question = random.choice(_QUESTIONS)
        decision = decide(question, rules, authorizer)
        assert decision.allowed is _oracle(question, rules, authorizer), (question, rules, authorizer)
        said.add((decision.allowed, decision.by is None))
    assert said == {(True, True), (True, False), (False, True), (False, False), (None, True)}


@pytest.mark.parametrize(
    ("rules", "may", "may_not"),
    [
        (
            for_consumer("User:anna", "*", Names(("orders",)), Names(("shop",))),
            [("READ", "TOPIC", "orders"), ("READ", "GROUP", "shop"), ("DESCRIBE", "TOPIC", "orders")],
            [("WRITE", "TOPIC", "orders"), ("READ", "TOPIC", "orders2"), ("DELETE", "GROUP", "shop")],
        ),
        (
            for_producer("User:anna", "*", Names(("ord",), prefixed=True), Names(("tx",)), idempotent=True),
            [
                ("WRITE", "TOPIC", "orders"),
                ("WRITE", "TRANSACTIONAL_ID", "tx"),
                ("IDEMPOTENT_WRITE", "CLUSTER", "kafka-cluster"),
            ],
            [("READ", "TOPIC", "orders"), ("ALTER", "CLUSTER", "kafka-cluster")],
        ),
        (
            for_streams("User:anna", "*", Names(("in",)), Names(("out",)), "app"),
            [
                ("READ", "TOPIC", "in"),
                ("WRITE", "TOPIC", "out"),
                ("CREATE", "TOPIC", "app-store-changelog"),
                ("READ", "GROUP", "app"),
            ],
            [("WRITE", "TOPIC", "in"), ("READ", "TOPIC", "out"), ("CREATE", "TOPIC", "other")],
        ),
    ],
)
def test_templates_give_what_is_needed_and_no_more(
    rules: list[AclRule], may: list[tuple[str, str, str]], may_not: list[tuple[str, str, str]]
) -> None:
    assert all(reason_wrong(rule) is None for rule in rules)
    for wanted, expected in ((may, True), (may_not, None)):
        for operation, kind, name in wanted:
            allowed = decide(Question("User:anna", "h", operation, kind, name), rules, Authorizer()).allowed
            assert bool(allowed) is bool(expected), (operation, kind, name)


def test_rules_go_out_as_csv_and_come_in_again() -> None:
    rules = [_rule(), _rule(resource_name='a,"b', permission="DENY"), _rule(pattern_type="PREFIXED", host="10.0.0.1")]
    text = as_csv.write(rules)
    assert text.splitlines()[0] == "Principal,ResourceType,PatternType,ResourceName,Operation,PermissionType,Host"
    read = as_csv.read(text)
    assert isinstance(read, list)
    assert set(read) == set(rules)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "User:a,TOPIC,LITERAL,x,READ,ALLOW",
            as_csv.WrongLine(1, f"it has 6 columns; write {','.join(as_csv.COLUMNS)}"),
        ),
        ("\nUser:a,TOPIC,LITERAL,x,FLY,ALLOW,*", "operation: 'FLY' is not known; write one of ALL, READ"),
        ("a,TOPIC,LITERAL,x,READ,ALLOW,*", "principal: 'a' is no principal; write User:NAME"),
        ("User:a,CLUSTER,LITERAL,x,READ,ALLOW,*", "it is always called kafka-cluster"),
        ("User:a,TOPIC,MATCH,x,READ,ALLOW,*", "patternType: 'MATCH' is not known; write one of LITERAL, PREFIXED"),
        ("User:a,TOPIC,LITERAL,,READ,ALLOW,*", "resourceName: '' is empty"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(text: str, wrong: "str | as_csv.WrongLine") -> None:
    read = as_csv.read(text)
    assert isinstance(read, as_csv.WrongLine)
    assert read == wrong if isinstance(wrong, as_csv.WrongLine) else wrong in read.why
