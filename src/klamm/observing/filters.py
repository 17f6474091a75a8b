"""Which topics and groups are looked at: patterns that may match anywhere in a name, as kafka_exporter has them."""

import re
from dataclasses import dataclass


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
