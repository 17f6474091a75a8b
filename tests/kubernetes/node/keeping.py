"""The first process of a namespace: it starts programs, collects orphans, and ends when one of its programs ends."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


class Keeper:
    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[int, str] = {}

    def start(self, name: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Each program writes to a log of its own."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        output = (os.POSIX_SPAWN_OPEN, 1, str(self._logs / f"{name}.log"), flags, 0o644)
        given = dict(os.environ) if environment is None else environment  # noqa: TID251 (handed on as it is)
        process = os.posix_spawnp(argv[0], list(argv), given, file_actions=[output, (os.POSIX_SPAWN_DUP2, 1, 2)])
        self._running[process] = name

    def keep(self) -> str:
        """Until one of the programs ends; which, and how, in words."""
        while True:
            process, status = os.wait()
            if name := self._running.pop(process, None):
                return f"{name} ended with {os.waitstatus_to_exitcode(status)}; see {self._logs / name}.log"


def in_groups(groups: Iterable[str | Path], argv: Sequence[str]) -> list[str]:
    """A command line that is in these control groups from its first moment, with all that it starts."""
    enter = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"'
    return ["sh", "-c", enter, "enter", *map(str, groups), "--", *argv]


def end(words: str) -> None:
    """The whole namespace ends with its first process."""
    sys.exit(words)
