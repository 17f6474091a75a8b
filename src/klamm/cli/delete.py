"""`klamm delete`: what manifests name, or resources by kind and name; waits until they are gone, and says for whom."""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from klamm.cli.applying import Discovery, Served, delete, read
from klamm.cli.context import Context
from klamm.cli.errors import Mistake, NotFound, Unfinished
from klamm.cli.manifests import read_manifests
from klamm.kube.client import Client
from klamm.kube.kinds import Kind
from klamm.kube.watch_stream import Change
from klamm.resources.native.metadata import NativeObject


@dataclass(frozen=True, slots=True)
class Doomed:
    served: Served
    namespace: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.served.typed}/{self.name}"


def run(context: Context, arguments: argparse.Namespace) -> int:
    return asyncio.run(_run(context, arguments))


async def _run(context: Context, arguments: argparse.Namespace) -> int:
    namespace = context.namespace(arguments.namespace)
    files, words = split_target(arguments.target)
    manifests = read_manifests([*files, *arguments.filename], context.input)
    if not manifests and not words:
        raise Mistake("delete what? Name files, or a kind and names: klamm delete kafka my-cluster")
    async with context.client() as client:
        discovery = Discovery(client)
        # Backwards: what was made last may stand on what was made first.
        doomed = [
            Doomed(await discovery.of_manifest(one), one.namespace or namespace, one.name)
            for one in reversed(manifests)
        ]
        doomed += await _named(discovery, words, namespace)
        missing = [one for one in doomed if not await _delete(context, client, one)]
        if not arguments.no_wait:
            await _until_gone(client, [one for one in doomed if one not in missing], arguments.timeout)
    if context.for_programs:
        context.give({"deleted": [str(one) for one in doomed if one not in missing]})
    if missing:
        where = ", ".join(f"{one} in {one.namespace}" if one.served.namespaced else str(one) for one in missing)
        raise NotFound(f"there was no {where}")
    return 0


def split_target(target: Sequence[str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Files, or kinds with names, of what was typed: `a.yaml b.yaml`, `kafka a b`, `kafka/a topic/b`."""
    if not target:
        return [], []
    if all(word == "-" or word.endswith((".yaml", ".yml", ".json")) or Path(word).is_file() for word in target):
        return list(target), []
    if all("/" in word for word in target):
        parts = [word.partition("/") for word in target]
        return [], [(kind, [name]) for kind, _, name in parts]
    kind, *names = target
    if not names:
        raise Mistake(f"{kind}: which one? klamm delete {kind} NAME (or the file that names it)")
    return [], [(kind, names)]


async def _named(discovery: Discovery, words: Sequence[tuple[str, Sequence[str]]], namespace: str) -> list[Doomed]:
    return [
        Doomed(served, namespace, name)
        for kind, names in words
        for served in await discovery.words(kind)
        for name in names
    ]


async def _delete(context: Context, client: Client, one: Doomed) -> bool:
    was_there = await delete(client, one.served, one.namespace, one.name)
    if was_there and not context.for_programs:
        context.put(f"{one} deleted")
    return was_there


async def _until_gone(client: Client, doomed: Sequence[Doomed], seconds: float) -> None:
    """Raises `Unfinished` with what still holds them."""
    left = list(doomed)
    try:
        async with asyncio.timeout(seconds):
            while left:
                await _gone(client, left[0])
                left.pop(0)
    except TimeoutError:
        why = "; ".join([await _what_holds(client, one) for one in left])
        raise Unfinished(f"not gone after {seconds:g} s: {why}. Deletion goes on by itself") from None


async def _gone(client: Client, one: Doomed) -> None:
    """Until the watch of exactly this object says that it is away, or that another one has taken its name."""
    try:
        found = await read(client, one.served, one.namespace, one.name)
    except NotFound:
        return
    uid, version = found["metadata"]["uid"], found["metadata"]["resourceVersion"]
    group, _, api_version = one.served.api_version.rpartition("/")
    kind = Kind(group, api_version, one.served.plural, one.served.kind, NativeObject, one.served.namespaced)
    namespace = one.namespace if one.served.namespaced else None
    async for event in client.watch(kind, version, namespace, fields=f"metadata.name={one.name}"):
        if event.object is not None and (event.change is Change.DELETED or event.object.metadata.uid != uid):
            return


async def _what_holds(client: Client, one: Doomed) -> str:
    try:
        found = msgspec.convert((await read(client, one.served, one.namespace, one.name)), NativeObject)
    except NotFound:
        return f"{one} is gone now"
    if found.metadata.finalizers:
        return f"{one} waits for its finalizers ({', '.join(found.metadata.finalizers)}): is their operator running?"
    return f"{one} is still stopping"
