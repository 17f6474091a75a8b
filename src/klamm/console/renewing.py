"""Certificates change under a running console: a kubelet brings a renewed Secret's files within a minute."""

import asyncio
from collections.abc import Sequence

from klamm.base import logs
from klamm.console.settings import ClusterSettings
from klamm.kafka.link import Link

_log = logs.room("console")

EVERY = 30.0
"""Seconds between looks at a cluster's files."""


async def follow_files(settings: ClusterSettings, links: Sequence[Link]) -> None:
    """Connect anew when they changed, for ever."""
    known = settings.files()
    while True:
        await asyncio.sleep(EVERY)
        try:
            now = settings.files()
            if now != known:
                connection = settings.connection()
                for link in links:
                    await link.renew(connection)
                known = now
                _log.info("certificates were renewed, connecting with the new ones", cluster=settings.name)
        except Exception as error:
            # One file is new and another old, say: what is connected stays so, and the next look finds them whole.
            _log.warning("certificates cannot be read now", cluster=settings.name, because=str(error))
