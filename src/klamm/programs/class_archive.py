"""Makes the class-data archive of one Kafka release: `python -m klamm.programs.class_archive CACHE VERSION`.

A process of its own, because it runs JVMs for half a minute at the lowest priority. It ends with the control plane that
asked for it, however that one ends.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from klamm.base.clock import SystemClock
from klamm.distribution.archives import ArchiveFailed, prepare_archive
from klamm.distribution.progress import silent
from klamm.distribution.provide import provide
from klamm.distribution.store import Store
from klamm.localkube.node.linux import die_with_parent

_LOWEST = 19


async def _make(cache: Path, version: str) -> None:
    making = asyncio.current_task()
    assert making is not None
    # The JVMs of the training must not outlive us: cancelled, their owner ends them.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, making.cancel)
    clock, store = SystemClock(), Store(cache)
    provided = await provide(store, [version], java_home=None, clock=clock)
    await prepare_archive(store, provided.homes[version], provided.java, clock, silent)


def main() -> int:
    cache, version = sys.argv[1:]
    die_with_parent(signal.SIGTERM)
    os.nice(_LOWEST)
    try:
        asyncio.run(_make(Path(cache), version))
    except ArchiveFailed as error:
        print(f"Kafka {version} goes on without a class archive: {error}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    return 0


if __name__ == "__main__":
    sys.exit(main())
