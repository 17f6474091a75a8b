"""`klamm up`: start what is not running, apply the manifests, wait until they are ready, say how to connect."""

import argparse
import asyncio
from collections.abc import Sequence

from klamm.cli.applying import Discovery, apply_manifest, ensure_namespace
from klamm.cli.context import Context
from klamm.cli.manifests import Manifest, kafka_versions, read_manifests
from klamm.cli.starting import Wishes, ensure_running, provide_content, settle
from klamm.cli.waiting import wait_until_ready
from klamm.releases.versions import DEFAULT_WITH_ZOOKEEPER


def run(context: Context, arguments: argparse.Namespace) -> int:
    return asyncio.run(_run(context, arguments))


async def _run(context: Context, arguments: argparse.Namespace) -> int:
    manifests = read_manifests(arguments.files, context.input)
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
    ensure_running(context, settings)
    if manifests:
        await _bring_up(context, manifests, context.namespace(arguments.namespace), arguments.timeout)
    return 0


async def _bring_up(context: Context, manifests: Sequence[Manifest], namespace: str, seconds: float) -> None:
    async with context.client() as client:
        for one in dict.fromkeys([namespace, *(manifest.namespace or namespace for manifest in manifests)]):
            await ensure_namespace(client, one)
        discovery = Discovery(client)
        for manifest in manifests:
            await apply_manifest(client, discovery, manifest, namespace)
        await wait_until_ready(context, client, manifests, namespace, seconds)
