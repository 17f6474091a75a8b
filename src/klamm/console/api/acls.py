"""ACLs: the list, changes, templates, CSV, and why somebody may or may not do something."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from klamm.console.access.rights import Right
from klamm.console.acls import as_csv
from klamm.console.acls import rules as acl_rules
from klamm.console.acls.rules import Authorizer, Names, Question
from klamm.console.api.managing import Done
from klamm.console.api.owning import Owner, names_of, owners_of, past, refuse
from klamm.console.problems import Problem, bad_value
from klamm.console.routes import Call, Download, NoQuery, Route
from klamm.kafka.admin import Admin
from klamm.kafka.facts import AclRule
from klamm.kafka.users import all_acls, create_acls, delete_acls

_VIEW = Right("acl", "view")
_EDIT = Right("acl", "edit")
_USER = "User:"
_STANDARD = ("StandardAuthorizer", "AclAuthorizer", "SimpleAclAuthorizer")


class Acl(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """In Kafka's words, upper case: TOPIC, LITERAL, READ, ALLOW."""

    principal: str
    resource_type: str
    resource_name: str
    pattern_type: str = "LITERAL"
    operation: str = "ALL"
    permission: str = "ALLOW"
    host: str = "*"


class AclsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`search`: in principals and names. `resourceType`, `resourceName`: only rules that speak of this one."""

    search: str = ""
    resource_type: str = ""
    resource_name: str = ""


class AclList(msgspec.Struct, frozen=True):
    """`managed`: principals with the KafkaUser that manages them."""

    acls: tuple[Acl, ...]
    managed: dict[str, str] = {}


class AclWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`anyway`: also rules of users that a KafkaUser manages, whose operator sets them back."""

    acls: tuple[Acl, ...]
    anyway: bool = False


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`kind`: consumer (of `topics`, in `groups`), producer (to `topics`, with `transactionalIds`), streams (from
    `topics` to `outputs`, called `application`). `prefixed`: the names are beginnings of names."""

    kind: str
    principal: str
    host: str = "*"
    topics: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    transactional_ids: tuple[str, ...] = ()
    application: str = ""
    prefixed: bool = False
    idempotent: bool = False


class CsvWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`sync`: rules that the file does not have are deleted. `dryRun`: nothing is done, and all is told. `anyway`: as
    for single rules."""

    csv: str
    sync: bool = False
    dry_run: bool = True
    anyway: bool = False


class CsvDone(msgspec.Struct, frozen=True):
    """`managed`: principals among them with the KafkaUser that manages them."""

    created: tuple[Acl, ...]
    deleted: tuple[Acl, ...]
    kept: int
    managed: dict[str, str] = {}


class DecisionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`superUsers` ("User:a;User:b") and `allowIfNoAcl`: as the brokers are told, for they may not tell themselves."""

    principal: str
    operation: str
    resource_type: str
    resource_name: str
    host: str = "127.0.0.1"
    super_users: str = ""
    allow_if_no_acl: bool | None = None


class DecisionView(msgspec.Struct, frozen=True):
    """`allowed`: None where it hangs on what is not known. `by`: the rule that decided; `others`: more rules that speak
    of the resource. `remark`: what limits the word."""

    allowed: bool | None
    why: str
    by: Acl | None
    others: tuple[Acl, ...]
    remark: str | None


async def acls(call: Call[AclsQuery, None]) -> AclList:
    query = call.query
    needle = query.search.strip().lower()
    question = Question("", "", "", query.resource_type.upper(), query.resource_name)
    shown = [
        rule
        for rule in await all_acls(await call.place.admin())
        if needle in f"{rule.principal}\n{rule.resource_name}".lower()
        and (not query.resource_type or rule.resource_type == question.resource_type)
        and (not query.resource_name or acl_rules.speaks_of(rule, question))
    ]
    return AclList(_shown(shown), names_of(_owners(call, shown)))


async def create(call: Call[NoQuery, AclWish]) -> Done | None:
    rules = _rules(call.body.acls)
    owners = _unless_managed(call, rules, call.body.anyway)
    await create_acls(await call.place.admin(), rules)
    return past(owners)


async def delete(call: Call[NoQuery, AclWish]) -> Done | None:
    rules = _rules(call.body.acls)
    owners = _unless_managed(call, rules, call.body.anyway)
    await delete_acls(await call.place.admin(), rules)
    return past(owners)


def _owners(call: Call[Any, Any], rules: Iterable[AclRule]) -> dict[str, Owner]:
    """By principal."""
    principals = {one.principal for one in rules if one.principal.startswith(_USER)}
    owners = owners_of(call, [one.removeprefix(_USER) for one in principals])
    return {f"{_USER}{user}": owner for user, owner in owners.items()}


def _unless_managed(call: Call[Any, Any], rules: Iterable[AclRule], anyway: bool) -> dict[str, Owner]:
    owners = _owners(call, rules)
    refuse(owners, anyway=anyway, where="in its spec.authorization.acls")
    return owners


async def template(call: Call[NoQuery, Template]) -> AclList:
    """Nothing is made: the page shows them, and then creates them."""
    wish, prefixed = call.body, call.body.prefixed
    topics = Names(_named(wish.topics), prefixed)
    if wish.kind == "consumer":
        rules = acl_rules.for_consumer(wish.principal, wish.host, topics, Names(_named(wish.groups), prefixed))
    elif wish.kind == "producer":
        transactional = Names(_named(wish.transactional_ids), prefixed)
        rules = acl_rules.for_producer(wish.principal, wish.host, topics, transactional, wish.idempotent)
    elif wish.kind == "streams":
        if not wish.application.strip():
            raise bad_value("application", wish.application, "is empty; write the application.id")
        outputs = Names(_named(wish.outputs), prefixed)
        rules = acl_rules.for_streams(wish.principal, wish.host, topics, outputs, wish.application.strip())
    else:
        raise bad_value("kind", wish.kind, "is no template; write consumer, producer or streams")
    if not rules:
        raise bad_value("topics", wish.topics, "names nothing; name at least one topic")
    return AclList(_shown(_rules(_shown(rules))))


async def download(call: Call[NoQuery, None]) -> Download:
    text = as_csv.write(await all_acls(await call.place.admin()))

    async def stream() -> AsyncIterator[bytes]:
        yield text.encode()

    return Download(f"{call.place.name}-acls.csv", "text/csv; charset=utf-8", stream())


async def upload(call: Call[NoQuery, CsvWish]) -> CsvDone:
    read = as_csv.read(call.body.csv)
    if isinstance(read, as_csv.WrongLine):
        raise Problem(400, "BadValue", f"csv: line {read.line}: {read.why}", "csv")
    admin = await call.place.admin()
    there = await all_acls(admin)
    wanted = frozenset(read)
    to_create, to_delete = wanted - there, there - wanted if call.body.sync else frozenset[AclRule]()
    owners = _owners(call, to_create | to_delete)
    if not call.body.dry_run:
        _unless_managed(call, to_create | to_delete, call.body.anyway)
        # Rules that allow come before others go: nobody is locked out in between.
        await create_acls(admin, to_create)
        await delete_acls(admin, to_delete)
    return CsvDone(_shown(to_create), _shown(to_delete), len(wanted & there), names_of(owners))


async def decision(call: Call[DecisionQuery, None]) -> DecisionView:
    query = call.query
    asked = Question(query.principal, query.host, query.operation, query.resource_type, query.resource_name)
    for field, value, known in (
        ("operation", asked.operation, acl_rules.OPERATIONS[1:]),
        ("resourceType", asked.resource_type, acl_rules.RESOURCES),
    ):
        if value not in known:
            raise bad_value(field, value, f"is not known; write one of {', '.join(known)}")
    if ":" not in asked.principal:
        raise bad_value("principal", asked.principal, "is no principal; write User:NAME")
    admin = await call.place.admin()
    snapshot = await call.place.snapshot()
    authorizer, remark = await _authorizer(admin, snapshot.cluster.brokers[0].id, query)
    made = acl_rules.decide(asked, await all_acls(admin), authorizer)
    by = None if made.by is None else _shown([made.by])[0]
    return DecisionView(made.allowed, made.why, by, _shown(made.others), remark)


async def _authorizer(admin: Admin, broker: int, query: DecisionQuery) -> tuple[Authorizer, str | None]:
    """As one broker is told; all should be told the same. What it does not tell is taken from who asks."""
    config = (await admin.broker_configs([broker]))[broker]
    values = {key: one.value for key, one in config.items() if one.value}
    told = values.get("super.users", "")
    supers = frozenset(one.strip() for one in (told or query.super_users).split(";") if one.strip())
    allow = values.get("allow.everyone.if.no.acl.found")
    remark = None
    name = values.get("authorizer.class.name", "")
    if name and not name.endswith(_STANDARD):
        remark = f"Brokers ask {name}, which may decide otherwise than by ACLs alone."
    elif not supers:
        remark = "Brokers do not tell who is a super user (super.users): such a one may do everything."
    return Authorizer(supers, query.allow_if_no_acl if allow is None else allow.strip().lower() == "true"), remark


def _rules(given: Iterable[Acl]) -> list[AclRule]:
    rules = [
        AclRule(
            one.principal,
            one.resource_type,
            one.resource_name,
            one.pattern_type,
            one.operation,
            one.permission,
            one.host,
        )
        for one in given
    ]
    for rule in rules:
        if (wrong := acl_rules.reason_wrong(rule)) is not None:
            raise bad_value(*wrong)
    return rules


def _named(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in names if name.strip())


def _shown(rules: Iterable[AclRule]) -> tuple[Acl, ...]:
    shown = (
        Acl(
            one.principal,
            one.resource_type,
            one.resource_name,
            one.pattern_type,
            one.operation,
            one.permission,
            one.host,
        )
        for one in rules
    )
    return tuple(sorted(shown, key=msgspec.structs.astuple))


_ACLS = "/api/clusters/{cluster}/acls"
ROUTES = (
    Route("GET", _ACLS, acls, "ACLs", _VIEW, query=AclsQuery, answer=AclList),
    Route("POST", _ACLS, create, "Create ACLs", _EDIT, body=AclWish, answer=Done),
    Route("POST", f"{_ACLS}/deletions", delete, "Delete ACLs", _EDIT, body=AclWish, answer=Done),
    Route("POST", f"{_ACLS}/template", template, "The ACLs that somebody needs", _VIEW, body=Template, answer=AclList),
    Route("GET", f"{_ACLS}/csv", download, "ACLs as CSV", _VIEW),
    Route("POST", f"{_ACLS}/csv", upload, "ACLs from CSV", _EDIT, body=CsvWish, answer=CsvDone),
    Route(
        "GET",
        f"{_ACLS}/decision",
        decision,
        "Whether somebody may do something, and why",
        _VIEW,
        query=DecisionQuery,
        answer=DecisionView,
    ),
)
