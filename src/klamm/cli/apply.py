"""`klamm apply`: manifests to the API; what the API tolerates but warns of is passed on."""

import argparse
import asyncio

from klamm.cli.applying import Discovery, apply_manifest
from klamm.cli.complaints import refusal
from klamm.cli.context import Context
from klamm.cli.errors import Mistake
from klamm.cli.manifests import read_manifests
from klamm.kube import errors


def run(context: Context, arguments: argparse.Namespace) -> int:
    files = [*arguments.files, *arguments.filename]
    if not files:
        raise Mistake("apply what? Name files, or - for standard input")
    return asyncio.run(_run(context, files, arguments))


async def _run(context: Context, files: list[str], arguments: argparse.Namespace) -> int:
    """Every manifest is tried: one that is wrong does not hide what is wrong with the next."""
    manifests = read_manifests(files, context.input)
    namespace = context.namespace(arguments.namespace)
    applied, wrong = [], []
    async with context.client() as client:
        discovery = Discovery(client)
        for manifest in manifests:
            try:
                done = await apply_manifest(client, discovery, manifest, namespace, dry_run=arguments.dry_run)
            except (errors.Invalid, errors.NotFound, errors.Forbidden, Mistake) as error:
                wrong.append(str(error) if isinstance(error, Mistake) else f"{error.doing}: {refusal(error)}")
                continue
            for warning in done.warnings:
                context.say(f"warning: {manifest.origin}: {warning}")
            applied.append(done)
            if not context.for_programs:
                served = await discovery.of_manifest(manifest)
                context.put(f"{served.typed}/{manifest.name} {done.change}{' (dry run)' * arguments.dry_run}")
    if context.for_programs:
        objects = [done.object for done in applied]
        context.give(
            objects[0] if len(manifests) == 1 and objects else {"apiVersion": "v1", "kind": "List", "items": objects}
        )
    if wrong:
        raise Mistake("\n".join(wrong))
    return 0
