"""Class archives, as far as they need no JVM; that JVMs map them is shown in tests/system/distribution."""

import asyncio
import os
from pathlib import Path

import pytest

from klamm.base.clock import SystemClock
from klamm.base.deadlines import until
from klamm.distribution.archives import prepare_archive
from klamm.distribution.artifacts import release
from klamm.distribution.homes import KafkaHome, home_of
from klamm.distribution.java import JavaHome
from klamm.distribution.progress import silent
from klamm.distribution.store import Store

_ENDS_FOR_NO_WORD = """#!/bin/sh
trap 'echo asked >> "${0%/*}/../asked"' TERM
echo $$ >> "${0%/*}/../pids"
echo PrepRequestProcessor
echo 'started (kafka.server.KafkaServer)'
while :; do sleep 0.2; done
"""
SERVERS_AND_A_TOOL = 3
_WITHIN = 60.0


@pytest.fixture
def home(tmp_path: Path) -> KafkaHome:
    """Of a Kafka whose every program runs until it is killed."""
    home = home_of(Store(tmp_path / "store"), release("3.6.0"))
    programs = home.path / "bin"
    programs.mkdir(parents=True)
    for name in ("kafka-run-class.sh", "kafka-topics.sh"):
        (programs / name).write_text(_ENDS_FOR_NO_WORD)
        (programs / name).chmod(0o755)
    return home


async def test_who_gives_up_an_archive_kills_what_he_started_and_asks_nobody_to_end(
    tmp_path: Path, home: KafkaHome, java: JavaHome
) -> None:
    noted = home.path / "pids"
    making = asyncio.create_task(prepare_archive(Store(tmp_path / "store"), home, java, SystemClock(), silent))

    async def why_not() -> str | None:
        if making.done():
            making.result()
        started = len(noted.read_text().splitlines()) if noted.exists() else 0
        return None if started == SERVERS_AND_A_TOOL else f"{started} have, {making}"

    await until(_WITHIN, "servers and a tool to have started", why_not, every=0.05)
    making.cancel()
    _, late = await asyncio.wait([making], timeout=_WITHIN)
    assert not late
    assert [pid for pid in noted.read_text().split() if os.path.exists(f"/proc/{pid}")] == []
    assert not (home.path / "asked").exists(), "which takes seconds: `klamm down` waits for it"
    assert list(home.archives.glob(".training-*")) == []
