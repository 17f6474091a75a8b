"""Lays what a container image holds into a folder: `python -m klamm.programs.image_content --root FOLDER WHAT`.

The Dockerfiles of images/ run it in a build stage, so that containers hold what pods on one machine see. WHAT is
`operator`, or `kafka VERSION`, which fetches the release into --store (where it may be already) and makes its class
archive, with which Kafka starts in two thirds of the time.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import klamm
from klamm.base.clock import SystemClock
from klamm.distribution import containers
from klamm.distribution.archives import ArchiveFailed, prepare_archive
from klamm.distribution.images import PythonRuntime, prepare_base
from klamm.distribution.progress import silent
from klamm.distribution.provide import provide
from klamm.distribution.store import Store


def main() -> None:
    arguments = _parser().parse_args()
    store = Store(arguments.store)
    if arguments.what == "operator":
        _lay_operator(store, arguments.root)
    else:
        asyncio.run(_lay_kafka(store, arguments.version, arguments.root))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="image_content", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the folder that becomes the image's content")
    parser.add_argument("--store", type=Path, required=True, help="where jars are kept, or are already")
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("operator")
    what.add_parser("kafka").add_argument("version")
    return parser


def _lay_operator(store: Store, root: Path) -> None:
    prepare_base(store)
    package = Path(klamm.__file__).parent
    python = PythonRuntime(sys.executable, sys.prefix, sys.base_prefix, str(package))
    containers.lay(containers.operator(store, python), root)


async def _lay_kafka(store: Store, version: str, root: Path) -> None:
    clock = SystemClock()
    provided = await provide(store, [version], java_home=None, clock=clock)
    home = provided.homes[version]
    try:
        await prepare_archive(store, home, provided.java, clock, silent)
        containers.lay_jars_of_archive(home, root)
    except ArchiveFailed as error:
        print(f"Kafka {version} goes on without a class archive: {error}", file=sys.stderr)
    containers.lay(containers.kafka(home, provided.java), root)


if __name__ == "__main__":
    main()
