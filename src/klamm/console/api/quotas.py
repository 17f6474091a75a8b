"""Client quotas and SCRAM users. A password comes in and never goes out: no answer, log or error has one."""

from typing import Any

import msgspec

from klamm.console.access.rights import Right
from klamm.console.api.managing import Done
from klamm.console.api.owning import Owner, names_of, owners_of, past, refuse
from klamm.console.problems import bad_value
from klamm.console.routes import Call, NoQuery, Route
from klamm.kafka.facts import QuotaEntity
from klamm.kafka.users import (
    SCRAM_SHA_256,
    SCRAM_SHA_512,
    all_quotas,
    delete_scram_password,
    scram_credentials,
    set_quotas,
    set_scram_password,
)

_VIEW_QUOTAS = Right("client_quotas", "view")
_EDIT_QUOTAS = Right("client_quotas", "edit")
_VIEW_USERS = Right("acl", "view")
_EDIT_USERS = Right("acl", "edit", of="user")

OF_CLIENTS = ("producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate")
OF_ADDRESSES = ("connection_creation_rate",)
_SALT = 32
"""Bytes."""
_SHORTEST = 8
_PASSWORDS = (
    "in the Secret that its spec.authentication.password names; where it names none, delete the user's own Secret, and "
    "there is a new password"
)
_MECHANISMS = (SCRAM_SHA_512, SCRAM_SHA_256)


class Quota(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Of a user, a client id, both, or an address; "" is the default of all others, None: not of such a one.
    `limits`: by Kafka's keys; in a change None takes one away, and those that are not named stay."""

    user: str | None = None
    client_id: str | None = None
    ip: str | None = None
    limits: dict[str, float | None] = {}


class QuotaWish(Quota, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`anyway`: in Kafka itself, also where a KafkaUser manages the user, and its operator sets it back."""

    anyway: bool = False


class QuotaList(msgspec.Struct, frozen=True):
    """`managed`: users with the KafkaUser that manages them."""

    quotas: tuple[Quota, ...]
    managed: dict[str, str] = {}


class ScramUser(msgspec.Struct, frozen=True):
    user: str
    mechanism: str
    iterations: int


class ScramList(msgspec.Struct, frozen=True):
    """`managed`: users with the KafkaUser that manages them."""

    users: tuple[ScramUser, ...]
    managed: dict[str, str] = {}


class Password(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`anyway`: also of a user that a KafkaUser manages."""

    password: str
    mechanism: str = SCRAM_SHA_512
    anyway: bool = False

    def __repr__(self) -> str:
        return f"Password(of {self.mechanism})"


class DeletionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`anyway`: as for a password that is set."""

    anyway: bool = False


async def quotas(call: Call[NoQuery, None]) -> QuotaList:
    found = [_shown(one.entity, one.limits) for one in await all_quotas(await call.place.admin())]
    shown = tuple(sorted(found, key=lambda one: (one.user or "", one.client_id or "", one.ip or "")))
    return QuotaList(shown, names_of(owners_of(call, [user for one in shown if (user := _only_user(one))])))


def _only_user(one: Quota) -> str | None:
    """The user, where it is of a user alone and by name: only these does a KafkaUser speak of."""
    return one.user if one.user and one.client_id is None else None


async def change_quota(call: Call[NoQuery, QuotaWish]) -> Done | None:
    wish = call.body
    entity = _entity(wish)
    known = OF_ADDRESSES if wish.ip is not None else OF_CLIENTS
    if not wish.limits:
        raise bad_value("limits", {}, f"changes nothing; name at least one of {', '.join(known)}")
    for key, value in wish.limits.items():
        if key not in known:
            raise bad_value("limits", key, f"is no limit of such a one; write one of {', '.join(known)}")
        if value is not None and not 0 < value < float("inf"):
            raise bad_value(f"limits.{key}", value, "is no limit; write more than 0, or null to take it away")
    owners = owners_of(call, [user] if (user := _only_user(wish)) else [])
    for user, owner in owners.items():
        if owner.is_called(user) and not owner.is_paused and not wish.anyway:
            return await owner.limit(wish.limits)
    refuse(owners, anyway=wish.anyway, where="in its spec.quotas")
    await set_quotas(await call.place.admin(), entity, wish.limits)
    return past(owners)


async def users(call: Call[NoQuery, None]) -> ScramList:
    found = await scram_credentials(await call.place.admin())
    lines = (ScramUser(one.user, one.mechanism, one.iterations) for one in found)
    owners = owners_of(call, [one.user for one in found if one.mechanism == SCRAM_SHA_512])
    return ScramList(tuple(sorted(lines, key=msgspec.structs.astuple)), names_of(owners))


async def set_password(call: Call[NoQuery, Password]) -> Done | None:
    wish = call.body
    _known(wish.mechanism)
    if len(wish.password) < _SHORTEST:
        raise bad_value("password", "(hidden)", f"is too short; write at least {_SHORTEST} characters")
    owners = _unless_managed(call, wish.mechanism, wish.anyway)
    admin = await call.place.admin()
    await set_scram_password(admin, call.path["user"], wish.password, call.scene.salt(_SALT), wish.mechanism)
    return past(owners)


async def delete_user(call: Call[DeletionQuery, None]) -> Done | None:
    mechanism = call.path["mechanism"]
    _known(mechanism)
    owners = _unless_managed(call, mechanism, call.query.anyway)
    await delete_scram_password(await call.place.admin(), call.path["user"], mechanism)
    return past(owners)


def _unless_managed(call: Call[Any, Any], mechanism: str, anyway: bool) -> dict[str, Owner]:
    """The operator knows the stronger mechanism only, and lets the other be."""
    owners = owners_of(call, [call.path["user"]] if mechanism == SCRAM_SHA_512 else [])
    refuse(owners, anyway=anyway, where=_PASSWORDS)
    return owners


def _known(mechanism: str) -> None:
    if mechanism not in _MECHANISMS:
        raise bad_value("mechanism", mechanism, f"is not known; write {' or '.join(_MECHANISMS)}")


def _entity(wish: Quota) -> QuotaEntity:
    given = (("user", wish.user), ("client-id", wish.client_id), ("ip", wish.ip))
    entity = tuple((kind, name or None) for kind, name in given if name is not None)
    if not entity:
        raise bad_value("user", None, "is missing; name a user, a clientId or an ip (empty: the default of all others)")
    if wish.ip is not None and len(entity) > 1:
        raise bad_value("ip", wish.ip, "stands alone; a limit is of an address, or of a user and a client id")
    return entity


def _shown(entity: QuotaEntity, limits: Any) -> Quota:
    named = {kind: name or "" for kind, name in entity}
    return Quota(named.get("user"), named.get("client-id"), named.get("ip"), dict(limits))


_CLUSTER = "/api/clusters/{cluster}"
ROUTES = (
    Route("GET", f"{_CLUSTER}/clientquotas", quotas, "Client quotas", _VIEW_QUOTAS, answer=QuotaList),
    Route(
        "POST",
        f"{_CLUSTER}/clientquotas",
        change_quota,
        "Set or take away quotas",
        _EDIT_QUOTAS,
        body=QuotaWish,
        answer=Done,
    ),
    Route("GET", f"{_CLUSTER}/scram-users", users, "Users with a SCRAM password", _VIEW_USERS, answer=ScramList),
    Route(
        "PUT",
        f"{_CLUSTER}/scram-users/{{user}}",
        set_password,
        "Set a password",
        _EDIT_USERS,
        body=Password,
        answer=Done,
    ),
    Route(
        "DELETE",
        f"{_CLUSTER}/scram-users/{{user}}/{{mechanism}}",
        delete_user,
        "Take a password away",
        _EDIT_USERS,
        query=DeletionQuery,
        answer=Done,
    ),
)
