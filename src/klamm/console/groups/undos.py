"""What offsets were before they were reset, for a while: bounded, in this process, gone with it."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from klamm.console.groups.resets import Key

RESETS_OF_A_GROUP = 10
GROUPS = 200
LINES = 100_000
"""Of all resets together: some ten MB."""


@dataclass(frozen=True, slots=True)
class Reset:
    """`before` and `after`: None where nothing was committed. `at`: seconds of the wall clock."""

    number: int
    at: float
    by: str
    what: str
    before: Mapping[Key, int | None]
    after: Mapping[Key, int | None]


class Undos:
    def __init__(self, of_a_group: int = RESETS_OF_A_GROUP, groups: int = GROUPS, lines: int = LINES) -> None:
        self._of_a_group = of_a_group
        self._groups = groups
        self._lines = lines
        self._kept: OrderedDict[str, list[Reset]] = OrderedDict()
        self._number = 0

    def of(self, group: str) -> Sequence[Reset]:
        """The newest first."""
        return self._kept.get(group, [])[::-1]

    def find(self, group: str, number: int) -> Reset | None:
        return next((one for one in self._kept.get(group, ()) if one.number == number), None)

    def add(
        self,
        group: str,
        at: float,
        by: str,
        what: str,
        before: Mapping[Key, int | None],
        after: Mapping[Key, int | None],
    ) -> Reset:
        """Forgets the oldest of the group, and groups that were reset longest ago, where it is too much."""
        self._number += 1
        made = Reset(self._number, at, by, what, dict(before), dict(after))
        kept = [*self._kept.pop(group, []), made]
        self._kept[group] = kept[-self._of_a_group :]
        while len(self._kept) > 1 and (len(self._kept) > self._groups or self._count() > self._lines):
            self._kept.popitem(last=False)
        while len(self._kept[group]) > 1 and self._count() > self._lines:
            del self._kept[group][0]
        return made

    def forget(self, group: str) -> None:
        self._kept.pop(group, None)

    def _count(self) -> int:
        return sum(len(one.before) for resets in self._kept.values() for one in resets)
