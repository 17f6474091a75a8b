"""The web console as a pod: kafka-ui's environment and files in, pages at the port out.

It starts where kafka-ui's image does: SPRING_CONFIG_ADDITIONAL-LOCATION names YAML, variables like
KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS stand above it, /actuator/health answers probes. KLAMM_KUBERNETES_NAMESPACES is ours:
with it, the operator's view is there.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from random import SystemRandom

from klamm.base import garbage, logs
from klamm.base.clock import SystemClock
from klamm.console.configuring.configuration import Configuration, places
from klamm.console.configuring.files import read_places
from klamm.console.configuring.told import Unusable
from klamm.console.service import serve
from klamm.console.settings import KubernetesSettings
from klamm.programs import process

_log = logs.room("console")

NAMESPACES = "KLAMM_KUBERNETES_NAMESPACES"
_LEVELS = ("LOGGING_LEVEL_COM_PROVECTUS", "LOGGING_LEVEL_IO_KAFBAT_UI", "LOGGING_LEVEL_ROOT")


def configuration(environment: Mapping[str, str]) -> Configuration:
    """Raises `BadSetting`, whose text names everything that cannot be used."""
    try:
        read = read_places(places(environment), environment)
    except Unusable as error:
        raise process.BadSetting(str(error)) from error
    namespaces = process.listed(environment, NAMESPACES)
    if not namespaces:
        return read
    kubernetes = KubernetesSettings(process.api_connection(environment), tuple(namespaces))
    return replace(read, settings=replace(read.settings, kubernetes=kubernetes))


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
    garbage.seldom()
    try:
        asyncio.run(_main(environment))
    except process.BadSetting as error:
        sys.exit("\n".join(f"kafka-ui: {line}" for line in str(error).splitlines()))


if __name__ == "__main__":
    main()
