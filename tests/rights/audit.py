"""What accounts asked of the API (its audit log), beside what their roles let them.

A right is (group, resource or resource/subresource, verb). A server-side apply that made the object has used two: the
API server checks `create` in it as well.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from klamm.resources.native.access import ClusterRole, PolicyRule

ACCOUNT = "system:serviceaccount:"
_CREATED = 201
_REFUSED = 403
_TERMINATING = "because it is being terminated"
"""A 403, and no matter of roles."""


@dataclass(frozen=True, order=True)
class Right:
    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{'.' if self.group else ''}{self.group}"


@dataclass(frozen=True)
class Asked:
    """One request: by whom (`namespace:name` of the account, and which token of it), for what, and what came of it."""

    account: str
    token: str
    """The token's id (`jti`)."""
    right: Right
    what: str
    code: int
    message: str

    @property
    def is_refused(self) -> bool:
        return self.code == _REFUSED and _TERMINATING not in self.message

    @property
    def rights(self) -> tuple[Right, ...]:
        if self.right.verb == "patch" and self.code == _CREATED:
            return self.right, Right(self.right.group, self.right.resource, "create")
        return (self.right,)

    def __str__(self) -> str:
        return f"{self.account}: {self.right} ({self.what}): {self.message}"


def read_audit(log: Path) -> Iterator[Asked]:
    with log.open() as lines:
        for line in lines:
            if not line.endswith("\n"):
                return  # it is being written
            if (asked := _asked(json.loads(line))) is not None:
                yield asked


def _asked(event: Mapping[str, Any]) -> Asked | None:
    user, about = event["user"]["username"], event.get("objectRef") or {}
    if not user.startswith(ACCOUNT) or "resource" not in about:
        return None
    resource = "/".join(part for part in (about["resource"], about.get("subresource")) if part)
    right = Right(about.get("apiGroup", ""), resource, event["verb"])
    what = "/".join(part for part in (about.get("namespace"), about.get("name")) if part)
    status = event.get("responseStatus") or {}
    ids = event["user"].get("extra", {}).get("authentication.kubernetes.io/credential-id", [""])
    token, code, message = ids[0].removeprefix("JTI="), status.get("code", 0), status.get("message", "")
    return Asked(user.removeprefix(ACCOUNT), token, right, what, code, message)


def used(asked: Iterable[Asked], accounts: Iterable[str]) -> set[Right]:
    """What accounts whose names end so have used and were let."""
    endings = tuple(accounts)
    return {right for one in asked if one.account.endswith(endings) and one.code != _REFUSED for right in one.rights}


def granted(role: ClusterRole) -> set[Right]:
    return {right for rule in role.rules for right in _of_rule(rule)}


def _of_rule(rule: PolicyRule) -> Iterator[Right]:
    for group in rule.api_groups:
        for resource in rule.resources:
            for verb in rule.verbs:
                yield Right(group, resource, verb)


def refusals(asked: Iterable[Asked]) -> str:
    """One a line; empty when there was none."""
    return "\n".join(sorted({str(one) for one in asked if one.is_refused}))


def told(rights: Iterable[Right]) -> str:
    """One a line, in order."""
    return "\n".join(f"  {right}" for right in sorted(rights))
