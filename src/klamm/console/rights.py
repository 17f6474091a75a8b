"""Who may do what: the vocabulary of kafka-ui's roles, and the decision.

    role: clusters [production], subjects [...], permissions:
        - {resource: topic, value: "orders-.*", actions: [view, messages_read]}

A right names a resource and an action; the value is a regular expression that a name must match whole. Without any
role everybody may do everything, as in kafka-ui.
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
class Role:
    name: str
    clusters: frozenset[str]
    permissions: tuple[Permission, ...]


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
