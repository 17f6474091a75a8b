"""SCRAM credentials, ACLs and quotas of a cluster's users, beside `Admin`.

Functions ask about one principal at a time: a cluster's whole list of ACLs need not fit one answer. A user is named
as Kafka knows him: "CN=anna" for a certificate, "anna" for a password; the principal of an ACL is "User:" before that.
"""

from collections.abc import Collection, Mapping
from typing import Any

from klamm.kafka.admin import Admin
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import AclRule, QuotaEntity, QuotaEntry, Quotas, ScramCredential

SCRAM_ITERATIONS = 4096
"""Kafka's own default and minimum (KIP-554); what Strimzi uses."""

SCRAM_SHA_256, SCRAM_SHA_512 = "SCRAM-SHA-256", "SCRAM-SHA-512"

_SCRAM_SHA_512 = 2  # ScramMechanism
_MECHANISMS = {SCRAM_SHA_256: 1, SCRAM_SHA_512: _SCRAM_SHA_512}
_ANY = 1  # in filters of ACLs: every type, operation, permission, pattern
_NOT_FOUND = "RESOURCE_NOT_FOUND"
_USER = "user"
_EXACT = 0  # DescribeClientQuotas: match by name

_RESOURCES = {"TOPIC": 2, "GROUP": 3, "CLUSTER": 4, "TRANSACTIONAL_ID": 5, "DELEGATION_TOKEN": 6, "USER": 7}
_PATTERNS = {"LITERAL": 3, "PREFIXED": 4}
_PERMISSIONS = {"DENY": 2, "ALLOW": 3}
_OPERATIONS = {
    "ALL": 2,
    "READ": 3,
    "WRITE": 4,
    "CREATE": 5,
    "DELETE": 6,
    "ALTER": 7,
    "DESCRIBE": 8,
    "CLUSTER_ACTION": 9,
    "DESCRIBE_CONFIGS": 10,
    "ALTER_CONFIGS": 11,
    "IDEMPOTENT_WRITE": 12,
    "CREATE_TOKENS": 13,
    "DESCRIBE_TOKENS": 14,
}


async def has_scram_password(admin: Admin, user: str) -> bool:
    """Whether the user has a SCRAM-SHA-512 credential; which password it is for, Kafka does not know itself."""
    from kafka.protocol.admin import DescribeUserScramCredentialsRequest

    doing = f"look for the SCRAM credential of {user}"
    answer = await admin.ask(doing, DescribeUserScramCredentialsRequest(users=[(user,)]))
    _raise(doing, [answer])
    return any(
        info.mechanism == _SCRAM_SHA_512
        for result in answer.results
        if not result.error_code
        for info in result.credential_infos
    )


async def scram_credentials(admin: Admin) -> list[ScramCredential]:
    """Of all users."""
    from kafka.protocol.admin import DescribeUserScramCredentialsRequest

    doing = "list the SCRAM credentials"
    answer = await admin.ask(doing, DescribeUserScramCredentialsRequest(users=None))
    _raise(doing, [answer, *answer.results])
    return [
        ScramCredential(result.user, _name(_MECHANISMS, info.mechanism), info.iterations)
        for result in answer.results
        for info in result.credential_infos
    ]


async def set_scram_password(
    admin: Admin, user: str, password: str, salt: bytes, mechanism: str = SCRAM_SHA_512
) -> None:
    """Create or replace the credential of this mechanism; the password itself does not travel."""
    from hashlib import pbkdf2_hmac

    digest = mechanism.removeprefix("SCRAM-").replace("-", "").lower()
    salted = pbkdf2_hmac(digest, password.encode("utf-8"), salt, SCRAM_ITERATIONS)
    upsertion = (user, _MECHANISMS[mechanism], SCRAM_ITERATIONS, salt, salted)
    await _alter_scram(admin, f"set the SCRAM password of {user}", upsertions=[upsertion])


async def delete_scram_password(admin: Admin, user: str, mechanism: str = SCRAM_SHA_512) -> None:
    """No failure when there was none."""
    await _alter_scram(admin, f"delete the SCRAM credential of {user}", deletions=[(user, _MECHANISMS[mechanism])])


async def _alter_scram(
    admin: Admin, doing: str, upsertions: Collection[Any] = (), deletions: Collection[Any] = ()
) -> None:
    from kafka.protocol.admin import AlterUserScramCredentialsRequest

    request = AlterUserScramCredentialsRequest(deletions=list(deletions), upsertions=list(upsertions))
    # With ZooKeeper only the controller takes it.
    answer = await admin.ask_controller(doing, request, lambda answer: [one.error_code for one in answer.results])
    _raise(doing, answer.results, but=_NOT_FOUND)


async def acls_of(admin: Admin, user: str) -> frozenset[AclRule]:
    """The ACLs of one user. Raises `SecurityDisabled` when the cluster has no authorizer."""
    return await _acls(admin, f"list the ACLs of {user}", f"User:{user}")


async def all_acls(admin: Admin) -> frozenset[AclRule]:
    """Of everybody. Raises `SecurityDisabled` when the cluster has no authorizer."""
    return await _acls(admin, "list the ACLs", None)


async def _acls(admin: Admin, doing: str, principal: str | None) -> frozenset[AclRule]:
    from kafka.protocol.admin import DescribeAclsRequest

    request = DescribeAclsRequest(
        resource_type_filter=_ANY,
        resource_name_filter=None,
        pattern_type_filter=_ANY,
        principal_filter=principal,
        host_filter=None,
        operation=_ANY,
        permission_type=_ANY,
    )
    answer = await admin.ask(doing, request)
    _raise(doing, [answer])
    return frozenset(_rule(resource, acl) for resource in answer.resources for acl in resource.acls)


async def create_acls(admin: Admin, rules: Collection[AclRule]) -> None:
    """Raises the first failure; rules that exist already are no failure."""
    from kafka.protocol.admin import CreateAclsRequest

    if not rules:
        return
    doing = f"create {len(rules)} ACLs"
    request = CreateAclsRequest(creations=[_numbers(rule) for rule in rules])
    answer = await admin.ask_controller(doing, request, lambda answer: [one.error_code for one in answer.results])
    _raise(doing, answer.results)


async def delete_acls(admin: Admin, rules: Collection[AclRule]) -> None:
    from kafka.protocol.admin import DeleteAclsRequest

    if not rules:
        return
    doing = f"delete {len(rules)} ACLs"
    request = DeleteAclsRequest(filters=[_numbers(rule) for rule in rules])
    answer = await admin.ask_controller(
        doing, request, lambda answer: [one.error_code for one in answer.filter_results]
    )
    _raise(doing, answer.filter_results)


async def quotas_of(admin: Admin, user: str) -> Quotas:
    from kafka.protocol.admin import DescribeClientQuotasRequest

    doing = f"read the quotas of {user}"
    request = DescribeClientQuotasRequest(components=[(_USER, _EXACT, user)], strict=True)
    answer = await admin.ask(doing, request)
    _raise(doing, [answer])
    values = {value.key: value.value for entry in answer.entries or () for value in entry.values}
    return Quotas(**{key: values.get(key) for key in Quotas.__slots__})


async def change_quotas(admin: Admin, user: str, wanted: Quotas) -> None:
    """Set the limits that `wanted` has and remove those that it has not."""
    from kafka.protocol.admin import AlterClientQuotasRequest

    doing = f"change the quotas of {user}"
    limits = [(key, getattr(wanted, key)) for key in Quotas.__slots__]
    operations = [(key, value if value is not None else 0.0, value is None) for key, value in limits]
    request = AlterClientQuotasRequest(entries=[([(_USER, user)], operations)], validate_only=False)
    answer = await admin.ask_controller(doing, request, lambda answer: [one.error_code for one in answer.entries])
    _raise(doing, answer.entries)


async def all_quotas(admin: Admin) -> list[QuotaEntry]:
    """Of all users, clients and addresses, and their defaults."""
    from kafka.protocol.admin import DescribeClientQuotasRequest

    doing = "list the quotas"
    answer = await admin.ask(doing, DescribeClientQuotasRequest(components=[], strict=False))
    _raise(doing, [answer])
    return [
        QuotaEntry(
            tuple(sorted((one.entity_type, one.entity_name) for one in entry.entity)),
            {value.key: value.value for value in entry.values},
        )
        for entry in answer.entries or ()
    ]


async def set_quotas(admin: Admin, entity: QuotaEntity, limits: Mapping[str, float | None]) -> None:
    """None takes a limit away; limits that are not named stay."""
    from kafka.protocol.admin import AlterClientQuotasRequest

    doing = "change the quotas of " + ", ".join(f"{kind} {name or '(default)'}" for kind, name in entity)
    operations = [(key, value if value is not None else 0.0, value is None) for key, value in limits.items()]
    request = AlterClientQuotasRequest(entries=[(list(entity), operations)], validate_only=False)
    answer = await admin.ask_controller(doing, request, lambda answer: [one.error_code for one in answer.entries])
    _raise(doing, answer.entries)


def _raise(doing: str, items: Collection[Any], but: str = "") -> None:
    """The first failure among items with error_code and error_message, unless its code is `but`."""
    from klamm.kafka.answers import failure_of

    for item in items:
        failure: KafkaFailure | None = failure_of(doing, item.error_code, item.error_message)
        if failure is not None and failure.code != but:
            raise failure


def _numbers(rule: AclRule) -> tuple[int, str, int, str, str, int, int]:
    """In the order in which both creations and filters have their fields."""
    return (
        _RESOURCES[rule.resource_type],
        rule.resource_name,
        _PATTERNS[rule.pattern_type],
        rule.principal,
        rule.host,
        _OPERATIONS[rule.operation],
        _PERMISSIONS[rule.permission],
    )


def _rule(resource: Any, acl: Any) -> AclRule:
    return AclRule(
        principal=acl.principal,
        resource_type=_name(_RESOURCES, resource.resource_type),
        resource_name=resource.resource_name,
        pattern_type=_name(_PATTERNS, resource.pattern_type),
        operation=_name(_OPERATIONS, acl.operation),
        permission=_name(_PERMISSIONS, acl.permission_type),
        host=acl.host,
    )


def _name(names: dict[str, int], number: int) -> str:
    return next(name for name, value in names.items() if value == number)
