"""How long somebody waits after wrong passwords: per account, so that many machines guess no faster than one."""

import re
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass

FREE = 5
"""Wrong passwords that cost no wait; people mistype."""

LONGEST = 60.0
FORGOTTEN = 900.0
"""Seconds after the last try from which on an account's tries are no longer known."""

MOST = 10_000
"""Accounts that are remembered. Every try costs the check of a hash, so to push one out is slower than to wait."""


_NOTHING = re.compile("[\u034f\u1806\u180b-\u180d\ufe00-\ufe0f\ufffc]")


def spelled(account: str) -> str:
    """As directories compare names (RFC 4518, 2), but for upper and lower case: other spaces, widths of letters and
    what nobody sees make no other account."""
    text = _NOTHING.sub("", unicodedata.normalize("NFKC", account))
    return " ".join("".join(one for one in text if one.isspace() or unicodedata.category(one)[0] != "C").split())


def _key(account: str) -> str:
    return spelled(account).casefold()


@dataclass(slots=True)
class _Tries:
    count: int
    last: float


class Attempts:
    """A try counts as wrong from its begin until it is known to be right: tries side by side gain nothing."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, _Tries] = OrderedDict()

    def wait(self, account: str, now: float) -> float:
        """Seconds until the next try is taken, 0 when it is taken now."""
        tries = self._of.get(_key(account))
        if tries is None or tries.count < FREE or now - tries.last > FORGOTTEN:
            return 0.0
        return max(0.0, tries.last + min(2.0 ** (tries.count - FREE), LONGEST) - now)

    def begun(self, account: str, now: float) -> None:
        key = _key(account)
        tries = self._of.pop(key, None)
        if tries is None or now - tries.last > FORGOTTEN:
            tries = _Tries(0, now)
        self._of[key] = _Tries(tries.count + 1, now)
        if len(self._of) > MOST:
            self._of.popitem(last=False)

    def right(self, account: str) -> None:
        self._of.pop(_key(account), None)
