"""Which topics and groups are looked at: patterns that may match anywhere in a name, as kafka_exporter has them."""

import re
from dataclasses import dataclass

from klamm.planning.name_patterns import reason_not_to_read

Given = tuple[str, str]
"""What people call a pattern (a flag, a variable), and the pattern."""


@dataclass(frozen=True, slots=True)
class Names:
    """Those that `include` matches and `exclude` does not."""

    include: re.Pattern[str] = re.compile(".*")
    exclude: re.Pattern[str] = re.compile("^$")

    def has(self, name: str) -> bool:
        return self.include.search(name) is not None and self.exclude.search(name) is None


@dataclass(frozen=True, slots=True)
class Filters:
    topics: Names = Names()
    groups: Names = Names()


class Unreadable(Exception):
    """A pattern that cannot be used; the message names it, the rule and the mend."""


def filters(topics: Given, not_topics: Given, groups: Given, not_groups: Given) -> Filters:
    """Raises `Unreadable`."""
    return Filters(Names(_pattern(topics), _pattern(not_topics)), Names(_pattern(groups), _pattern(not_groups)))


def _pattern(given: Given) -> re.Pattern[str]:
    name, pattern = given
    if (why := reason_not_to_read(pattern)) is not None:
        rule, mend = why
        raise Unreadable(f"{name}: {pattern!r} {rule}; {mend}")
    return re.compile(pattern)
