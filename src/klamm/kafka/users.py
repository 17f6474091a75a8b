"""SCRAM credentials and ACLs of a cluster, beside `Admin`."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from klamm.kafka.admin import Admin
from klamm.kafka.facts import AclRule

if TYPE_CHECKING:
    from klamm.kafka.errors import KafkaFailure

SCRAM_ITERATIONS = 4096
"""Kafka's own default and minimum (KIP-554); what Strimzi uses."""


async def scram_users(admin: Admin) -> frozenset[str]:
    """Names that have a SCRAM-SHA-512 credential."""
    client = admin.client
    answer = await admin.call("list SCRAM users", client.describe_user_scram_credentials)
    return frozenset(
        name
        for name, entry in answer.items()
        if any(info["mechanism"].name == "SCRAM_SHA_512" for info in entry["credential_infos"])
    )


async def set_scram_passwords(admin: Admin, passwords: Mapping[str, str]) -> dict[str, "KafkaFailure | None"]:
    """Create or replace SCRAM-SHA-512 credentials, all in one request."""
    from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

    return await _alter_scram(
        admin,
        "set the SCRAM password of",
        [
            UserScramCredentialUpsertion(
                name, ScramMechanism.SCRAM_SHA_512, password, iterations=SCRAM_ITERATIONS
            )
            for name, password in passwords.items()
        ],
    )


async def delete_scram_users(admin: Admin, names: Iterable[str]) -> dict[str, "KafkaFailure | None"]:
    from kafka.admin import ScramMechanism, UserScramCredentialDeletion

    return await _alter_scram(
        admin,
        "delete the SCRAM credential of",
        [UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512) for name in names],
    )


async def _alter_scram(admin: Admin, doing: str, alterations: list[Any]) -> dict[str, "KafkaFailure | None"]:
    from klamm.kafka.errors import Refused

    if not alterations:
        return {}
    client = admin.client
    answer = await admin.call(
        f"{doing} {len(alterations)} users", client.alter_user_scram_credentials, alterations
    )
    return {
        name: Refused(f"{doing} {name}", why) if why is not None else None for name, why in answer.items()
    }


async def acls(admin: Admin) -> frozenset[AclRule]:
    """Every ACL of the cluster. Raises `SecurityDisabled` when it has no authorizer."""
    from kafka.admin import (
        ACLFilter,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePatternFilter,
        ResourceType,
    )

    everything = ACLFilter(
        principal=None,
        host=None,
        operation=ACLOperation.ANY,
        permission_type=ACLPermissionType.ANY,
        resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
    client = admin.client
    found, _ = await admin.call("list ACLs", client.describe_acls, everything)
    return frozenset(_rule(acl) for acl in found)


async def create_acls(admin: Admin, rules: Iterable[AclRule]) -> None:
    """Raises the first failure; rules that exist already are no failure."""
    from klamm.kafka.errors import translated

    wanted = [_acl(rule) for rule in rules]
    if not wanted:
        return
    client = admin.client
    answer = await admin.call(f"create {len(wanted)} ACLs", client.create_acls, wanted)
    for failed in answer["failed"]:
        raise translated("create ACLs", failed())


async def delete_acls(admin: Admin, rules: Iterable[AclRule]) -> None:
    from klamm.kafka.errors import translated

    unwanted = [_acl(rule) for rule in rules]
    if not unwanted:
        return
    client = admin.client
    for _, _, error in await admin.call(f"delete {len(unwanted)} ACLs", client.delete_acls, unwanted):
        if getattr(error, "errno", 0):
            raise translated("delete ACLs", error())


def _acl(rule: AclRule) -> Any:
    from kafka.admin import (
        ACL,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePattern,
        ResourceType,
    )

    return ACL(
        principal=rule.principal,
        host=rule.host,
        operation=ACLOperation[rule.operation],
        permission_type=ACLPermissionType[rule.permission],
        resource_pattern=ResourcePattern(
            ResourceType[rule.resource_type], rule.resource_name, ACLResourcePatternType[rule.pattern_type]
        ),
    )


def _rule(acl: Any) -> AclRule:
    return AclRule(
        principal=acl.principal,
        resource_type=acl.resource_pattern.resource_type.name,
        resource_name=acl.resource_pattern.resource_name,
        pattern_type=acl.resource_pattern.pattern_type.name,
        operation=acl.operation.name,
        permission=acl.permission_type.name,
        host=acl.host,
    )
