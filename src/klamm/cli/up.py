"""`klamm up`: start what is not running, apply the manifests, wait until they are ready, say how to connect."""

import argparse
import asyncio

from klamm.cli.context import Context
from klamm.cli.manifests import Manifest, kafka_versions, read_manifests
from klamm.cli.starting import Wishes, ensure_running, provide_content, settle
from klamm.releases.versions import DEFAULT_WITH_ZOOKEEPER

AFTER_INTERRUPT = "What was started goes on by itself; `klamm up` waits again, `klamm status` shows how it stands."


def run(context: Context, arguments: argparse.Namespace) -> int:
    return asyncio.run(_run(context, arguments))


async def _run(context: Context, arguments: argparse.Namespace) -> int:
    manifests = read_manifests(arguments.files, context.input)
    watching = _watching() if arguments.monitoring else []
    settings = settle(
        context,
        Wishes(
            nodes=arguments.nodes,
            early_readiness=False if arguments.no_early_readiness else None,
            api_port=arguments.api_port,
            namespace=arguments.namespace,
        ),
    )
    await provide_content(context, kafka_versions(manifests, DEFAULT_WITH_ZOOKEEPER))
    starting = asyncio.create_task(asyncio.to_thread(ensure_running, context, settings))
    # While the node's processes start, this one would only wait: it imports its HTTP client meanwhile.
    await asyncio.sleep(0)
    from klamm.cli.bringing_up import Given, bring_up

    started = await starting
    given = Given(manifests, watching, context.namespace(arguments.namespace), arguments.timeout)
    await bring_up(context, given, started=started)
    return 0


def _watching() -> list[Manifest]:
    from klamm.cli import monitoring  # what few commands need

    return monitoring.manifests()
