"""`klamm get`: resources in the columns that their kind has, or whole for programs."""

import argparse
import asyncio

from klamm.cli.applying import Discovery, Object, Served, list_objects, read
from klamm.cli.columns import aligned
from klamm.cli.context import Context
from klamm.cli.errors import Mistake
from klamm.cli.tables import View, fetch, rows_of
from klamm.kube import errors
from klamm.kube.client import Client


def run(context: Context, arguments: argparse.Namespace) -> int:
    return asyncio.run(_run(context, arguments))


async def _run(context: Context, arguments: argparse.Namespace) -> int:
    words, names = _words_and_names(arguments)
    namespace = None if arguments.all_namespaces else context.namespace(arguments.namespace)
    async with context.client() as client:
        kinds = await Discovery(client).words(words)
        if names:
            return await _some(context, client, kinds, names, namespace)
        if context.output in ("text", "wide"):
            return await _listed(context, client, kinds, namespace, arguments.selector or "")
        found = [obj for kind in kinds for obj in await list_objects(client, kind, namespace, arguments.selector or "")]
        return _give(context, kinds, found, as_list=True)


def _words_and_names(arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Of `kafka`, `kafka my-cluster` and `kafka/my-cluster`."""
    words, slash, name = arguments.kind.partition("/")
    names = [*([name] if slash else []), *arguments.names]
    if slash and arguments.names:
        raise Mistake(f"{arguments.kind} {' '.join(arguments.names)}: write KIND NAME… or one KIND/NAME")
    if names and arguments.all_namespaces:
        raise Mistake("a name is looked for in one namespace: say which with -n instead of -A")
    if names and arguments.selector:
        raise Mistake("give names or a selector (-l), not both")
    return words, names


async def _listed(context: Context, client: Client, kinds: list[Served], namespace: str | None, labels: str) -> int:
    query = (("labelSelector", labels),) if labels else ()
    several, any_found = len(kinds) > 1, False
    for kind in kinds:
        doing = f"list {kind.plural} {f'in {namespace}' if namespace else 'everywhere'}"
        table = await fetch(client, kind.path(namespace), doing, query)
        if not table.rows:
            continue
        view = View(context.output == "wide", kind.namespaced and namespace is None, f"{kind.typed}/" * several)
        if any_found:
            context.put("")
        any_found = True
        for line in aligned(rows_of(table, view)):
            context.put(line)
    if not any_found:
        what = " or ".join(kind.plural for kind in kinds[:3]) if len(kinds) <= 3 else "such resources"
        context.say(f"there are no {what} {f'in namespace {namespace}' if namespace else 'in any namespace'}")
    return 0


async def _some(context: Context, client: Client, kinds: list[Served], names: list[str], namespace: str | None) -> int:
    if context.output not in ("text", "wide"):
        found = [await read(client, kind, namespace, name) for kind in kinds for name in names]
        return _give(context, kinds, found, as_list=len(found) != 1)
    several = len(kinds) > 1
    for kind in kinds:
        view = View(context.output == "wide", prefix=f"{kind.typed}/" * several)
        rows: list[list[str]] = []
        for name in names:
            try:
                table = await fetch(client, kind.path(namespace, name), f"read {kind.kind} {name}")
            except errors.NotFound:
                # The same sentence as for every other command.
                await read(client, kind, namespace, name)
                raise
            rows.extend(rows_of(table, view)[1:] if rows else rows_of(table, view))
        for line in aligned(rows):
            context.put(line)
    return 0


def _give(context: Context, kinds: list[Served], found: list[Object], *, as_list: bool) -> int:
    if context.output == "name":
        words = {(kind.api_version, kind.kind): kind.typed for kind in kinds}
        for obj in found:
            word = words.get((obj["apiVersion"], obj["kind"]), obj["kind"].lower())
            context.put(f"{word}/{obj['metadata']['name']}")
        return 0
    shown = [_without_managed_fields(obj) for obj in found]
    context.give({"apiVersion": "v1", "kind": "List", "items": shown} if as_list else shown[0])
    return 0


def _without_managed_fields(obj: Object) -> Object:
    """Who set which field is long and of use to nobody who reads; `kubectl get --show-managed-fields` has it."""
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}
