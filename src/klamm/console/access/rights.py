"""Who may do what: the vocabulary of kafka-ui's roles, and the decision.

    role: clusters [production], subjects [...], permissions:
        - {resource: topic, value: "orders-.*", actions: [view, messages_read]}

A right names a resource and an action; the value is a regular expression that a name must match whole. Without any
role everybody may do everything, as in kafka-ui. Roles go to people by what their log-in says about them: `Person` and
`Subject` meet in `principal`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "applicationconfig": ("view", "edit"),
    "clusterconfig": ("view", "edit"),
    "topic": (
        "view",
        "create",
        "edit",
        "delete",
        "messages_read",
        "messages_produce",
        "messages_delete",
        "analysis_view",
        "analysis_run",
    ),
    "consumer": ("view", "delete", "reset_offsets"),
    "schema": ("view", "create", "delete", "edit", "modify_global_compatibility"),
    "connect": ("view", "edit", "create", "operate", "delete", "reset_offsets"),
    "connector": ("view", "edit", "create", "operate", "delete", "reset_offsets"),
    "ksql": ("execute",),
    "acl": ("view", "edit"),
    "client_quotas": ("view", "edit"),
    "audit": ("view",),
}
"""By resource; "all" among a permission's actions means each of them."""

IMPLIED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("topic", "messages_delete"): ("view", "edit"),
    ("topic", "analysis_run"): ("view", "analysis_view"),
}
"""Whoever may do this may do that, too. Every other action implies "view", where the resource has it: a role that may
edit what it may not look at helps nobody."""

WITHOUT_NAME = frozenset({"applicationconfig", "clusterconfig", "ksql", "acl", "client_quotas", "audit"})


@dataclass(frozen=True, slots=True)
class Right:
    """What a route needs. `of`: the path's parameter that names the object, None where there is none."""

    resource: str
    action: str
    of: str | None = None

    @property
    def changes(self) -> bool:
        return self.action not in ("view", "messages_read", "analysis_view", "analysis_run")


@dataclass(frozen=True, slots=True)
class Permission:
    resource: str
    actions: frozenset[str]
    value: "re.Pattern[str] | None" = None
    """None: every name."""

    def gives(self, resource: str, action: str, name: str | None) -> bool:
        if resource != self.resource or action not in self.actions:
            return False
        return self.value is None or name is None or self.value.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Person:
    """What a log-in says of somebody. `provider`: of kafka-ui's subjects, "ldap" or "oauth_google", say. `names`: by
    the type of a subject (user, group, role, domain, organization, team) those that are his."""

    user: str
    provider: str
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a role is for. `pattern`: instead of the very value; both without regard to case."""

    provider: str
    type: str
    value: str
    pattern: "re.Pattern[str] | None" = None

    def means(self, person: Person) -> bool:
        if person.provider != self.provider:
            return False
        names = person.names.get(self.type, frozenset())
        if self.pattern is not None:
            return any(self.pattern.fullmatch(name) for name in names)
        return any(name.casefold() == self.value.casefold() for name in names)


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    clusters: frozenset[str]
    permissions: tuple[Permission, ...]
    subjects: tuple[Subject, ...] = ()


@dataclass(frozen=True, slots=True)
class Roles:
    """`otherwise`: for who has logged in and has none of them."""

    named: tuple[Role, ...]
    otherwise: Role | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `roles`: None means that there are no roles at all, so everything is allowed."""

    name: str
    roles: tuple[Role, ...] | None = field(default=None)

    def may(self, cluster: str | None, resource: str, action: str, name: str | None = None) -> bool:
        if self.roles is None:
            return True
        return any(
            permission.gives(resource, action, name)
            for role in self.roles
            if cluster is None or cluster in role.clusters
            for permission in role.permissions
        )

    def sees(self, cluster: str) -> bool:
        return self.roles is None or any(cluster in role.clusters for role in self.roles)

    def allowed(self, cluster: str, resource: str, action: str, names: Iterable[str]) -> Sequence[str]:
        """Those of the names for which it may, in their order."""
        if self.roles is None:
            return list(names)
        return [name for name in names if self.may(cluster, resource, action, name)]


ANYBODY = Principal("anybody")


def principal(person: Person, roles: Roles | None) -> Principal:
    """None: there are no roles at all."""
    if roles is None:
        return Principal(person.user)
    his = tuple(role for role in roles.named if any(subject.means(person) for subject in role.subjects))
    if not his and roles.otherwise is not None:
        his = (roles.otherwise,)
    return Principal(person.user, his)


def with_implied(resource: str, actions: Iterable[str]) -> frozenset[str]:
    """These actions and what each of them cannot do without."""
    given = set(actions)
    for action in tuple(given):
        given.update(IMPLIED.get((resource, action), ("view",)))
    return frozenset(given & set(ACTIONS[resource]))
