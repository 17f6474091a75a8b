"""The web console as a pod: kafka-ui's environment and files in, pages at the port out.

It starts where kafka-ui's image does: SPRING_CONFIG_ADDITIONAL-LOCATION names YAML, variables like
KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS stand above it, /actuator/health answers probes.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom
from typing import Any

import yaml

from klamm.base import documents, logs
from klamm.base.clock import SystemClock
from klamm.console.configuring.configuration import Configuration, Place, places, read
from klamm.console.configuring.told import Unusable
from klamm.console.service import serve
from klamm.programs import process

_log = logs.room("console")

_LEVELS = ("LOGGING_LEVEL_ROOT", "LOGGING_LEVEL_COM_PROVECTUS", "LOGGING_LEVEL_IO_KAFBAT_UI")


def configuration(environment: Mapping[str, str]) -> Configuration:
    """Raises `BadSetting`, whose text names everything that cannot be used."""
    found = [(place.path, document_of(place)) for place in places(environment)]
    present = [(name, document) for name, document in found if document is not _ABSENT]
    try:
        return read(present, environment, read_file)
    except Unusable as error:
        raise process.BadSetting(str(error)) from error


def read_file(path: str) -> bytes:
    return Path(path.removeprefix("file:")).read_bytes()


_ABSENT = object()


def document_of(place: Place) -> Any:
    """What the file holds. One that is optional may be missing."""
    try:
        return documents.read(Path(place.path).read_bytes())
    except FileNotFoundError as error:
        if place.optional:
            return _ABSENT
        raise process.BadSetting(f"{place.path}: is not there; mount it, or write optional: before its name") from error
    except OSError as error:
        raise process.BadSetting(f"{place.path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise process.BadSetting(f"{place.path}: is no YAML: {_where(error)}") from error


def _where(error: Exception) -> str:
    """Without the line itself, which may hold a password."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem} in line {mark.line + 1}, column {mark.column + 1}"
    return "it cannot be read as text in UTF-8"


def level(environment: Mapping[str, str]) -> str:
    given = next((environment[name] for name in _LEVELS if environment.get(name)), "INFO")
    return process.LEVELS.get(given.upper(), "INFO")


async def _main(environment: Mapping[str, str]) -> None:
    configured = configuration(environment)
    for remark in configured.remarks:
        _log.info("configuration", remark=remark)
    await serve(configured.settings, SystemClock(), SystemRandom(), process.told_to_stop())


def main() -> None:
    environment = dict(os.environ)  # noqa: TID251 (a program reads its environment)
    logs.set_up(level(environment))
    try:
        asyncio.run(_main(environment))
    except process.BadSetting as error:
        sys.exit("\n".join(f"kafka-ui: {line}" for line in str(error).splitlines()))


if __name__ == "__main__":
    main()
