"""What the processes of a container have used, from /proc: there need be no cgroups for an ordinary user.

A container's processes are its first one and everything below it. Times of children that have ended are in their
parents' once these have waited for them. Commands of `exec` are nobody's children inside, and are left out.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PARENT, _TIMES, _RESIDENT = 1, slice(11, 15), 21
"""Places in /proc/<pid>/stat behind the program's name."""

Usage = tuple[float, int]
"""(seconds of CPU, bytes of resident memory)"""


def usage_of(first: Iterable[int]) -> Mapping[int, Usage]:
    """For each of these processes what it and all below it have used; those that are gone are left out."""
    own: dict[int, Usage] = {}
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := _read(name)) is not None:
            parent, used = found
            own[int(name)] = used
            children.setdefault(parent, []).append(int(name))
    return {pid: _together(pid, own, children) for pid in first if pid in own}


def _read(pid: str) -> tuple[int, Usage] | None:
    """(parent, own usage); None when the process has just ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The program's name is in brackets, and may hold brackets and spaces itself.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[_PARENT]), (sum(map(int, fields[_TIMES])) / _TICKS, int(fields[_RESIDENT]) * _PAGE)


def _together(pid: int, own: Mapping[int, Usage], children: Mapping[int, list[int]]) -> Usage:
    seconds, memory = 0.0, 0
    waiting = [pid]
    while waiting:
        each = waiting.pop()
        seconds, memory = seconds + own[each][0], memory + own[each][1]
        waiting += children.get(each, ())
    return seconds, memory
