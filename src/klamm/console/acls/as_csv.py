"""ACLs as CSV, in the columns that kafka-ui writes and reads."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from klamm.console.acls.rules import reason_wrong
from klamm.kafka.facts import AclRule

COLUMNS = ("Principal", "ResourceType", "PatternType", "ResourceName", "Operation", "PermissionType", "Host")


@dataclass(frozen=True, slots=True)
class WrongLine:
    """`line` counts from 1, the heading too."""

    line: int
    why: str


def write(rules: Iterable[AclRule]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(map(_row, rules)))
    return out.getvalue()


def read(text: str) -> list[AclRule] | WrongLine:
    """The rules, or what is wrong with the first line that is wrong. A heading may be there or not."""
    rules: list[AclRule] = []
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells) or (not rules and tuple(cells) == COLUMNS):
                continue
            if len(cells) != len(COLUMNS):
                return WrongLine(reader.line_num, f"it has {len(cells)} columns; write {','.join(COLUMNS)}")
            rule = _rule(*cells)
            if (wrong := reason_wrong(rule)) is not None:
                field, value, must = wrong
                return WrongLine(reader.line_num, f"{field}: {value!r} {must}")
            rules.append(rule)
    except csv.Error as error:
        return WrongLine(reader.line_num, str(error))
    return rules


def _row(rule: AclRule) -> tuple[str, ...]:
    return (
        rule.principal,
        rule.resource_type,
        rule.pattern_type,
        rule.resource_name,
        rule.operation,
        rule.permission,
        rule.host,
    )


def _rule(principal: str, kind: str, pattern: str, name: str, operation: str, permission: str, host: str) -> AclRule:
    return AclRule(principal, kind.upper(), name, pattern.upper(), operation.upper(), permission.upper(), host)
