"""klamm's exporter in the pod `<cluster>-kafka-exporter`: a cluster's topics, groups and lags for Prometheus.

Settings come from the environment, under the names that Strimzi gives kafka_exporter's pod.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom

from klamm.base import logs, tls
from klamm.base.clock import SystemClock
from klamm.exporter.probe import ProbeSettings
from klamm.exporter.service import Settings, serve
from klamm.exporter.text import Form
from klamm.kafka.admin import Connection
from klamm.observing import collector
from klamm.observing.filters import Filters, Unreadable, filters
from klamm.programs import process

PORT = 9404
CLUSTER_CA = Path("/etc/kafka-exporter/cluster-ca-certs")
IDENTITY = Path("/etc/kafka-exporter/kafka-exporter-certs")

_PREFIX = "KAFKA_EXPORTER_"
_LEVELS = {"0": "INFO", "1": "DEBUG", "2": "DEBUG"}
"""kafka_exporter's verbosity, as Strimzi translates `logging`."""


def settings(environment: Mapping[str, str], authorities: Path = CLUSTER_CA, identity: Path = IDENTITY) -> Settings:
    """KAFKA_EXPORTER_KAFKA_VERSION and _ENABLE_SARAMA are accepted and of no use: versions are asked of the brokers.

    KAFKA_EXPORTER_PROBE_TOPIC is ours: with it, the end-to-end probe runs.
    """
    bootstrap = tuple(process.listed(environment, f"{_PREFIX}KAFKA_SERVER"))
    if not bootstrap:
        raise process.BadSetting(f"{_PREFIX}KAFKA_SERVER is not set; write host:port of a broker")

    def files() -> tuple[bytes, ...]:
        trusted = b"".join(path.read_bytes() for path in sorted(authorities.glob("*.crt")))
        return trusted, (identity / "kafka-exporter.crt").read_bytes(), (identity / "kafka-exporter.key").read_bytes()

    def connection() -> Connection:
        trusted, certificate, key = files()
        return Connection(bootstrap, tls.client_context(trusted, certificate, key), client_id="klamm-exporter")

    return Settings(
        connection=connection,
        files=files,
        host=None,
        port=process.number(environment, f"{_PREFIX}PORT", PORT),
        form=Form(show_all=process.truth(environment, f"{_PREFIX}OFFSET_SHOW_ALL", True)),
        collecting=collector.Settings(filters=_filters(environment)),
        probe=ProbeSettings(topic=topic) if (topic := environment.get(f"{_PREFIX}PROBE_TOPIC")) else None,
    )


def _filters(environment: Mapping[str, str]) -> Filters:
    def given(name: str, default: str) -> tuple[str, str]:
        return f"{_PREFIX}{name}", environment.get(f"{_PREFIX}{name}") or default

    try:
        return filters(
            given("TOPIC_REGEX", ".*"),
            given("TOPIC_EXCLUDE_REGEX", "^$"),
            given("GROUP_REGEX", ".*"),
            given("GROUP_EXCLUDE_REGEX", "^$"),
        )
    except Unreadable as error:
        raise process.BadSetting(str(error)) from error


async def _main(environment: Mapping[str, str]) -> None:
    await serve(settings(environment), SystemClock(), SystemRandom(), process.told_to_stop())


def main() -> None:
    environment = dict(os.environ)  # noqa: TID251 (a program reads its environment)
    logs.set_up(_LEVELS.get(environment.get(f"{_PREFIX}LOGGING", "0"), "INFO"))
    try:
        asyncio.run(_main(environment))
    except process.BadSetting as error:
        sys.exit(f"kafka exporter: {error}")


if __name__ == "__main__":
    main()
