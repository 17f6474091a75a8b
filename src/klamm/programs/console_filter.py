"""The process in which the console's filters run: what a user writes, with little memory and no secrets."""

import sys

from klamm.console.records.cel import limit_memory, work


def main() -> None:
    limit_memory()
    work(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
