"""`klamm logs`: what a container wrote, and with -f what it goes on writing."""

import argparse
import asyncio
import sys

from klamm.cli.context import Context
from klamm.cli.errors import Mistake
from klamm.cli.pods import container_of, find_pod
from klamm.kube.requests import Query, Request

_SILENCE = 7 * 86400.0
"""Seconds that a followed log may be silent: a broker without work writes nothing for days."""


def run(context: Context, arguments: argparse.Namespace) -> int:
    if arguments.output != "text":
        raise Mistake("a log is text as it was written: -o text is all that there is")
    if arguments.tail is not None and arguments.tail < 0:
        raise Mistake(f"--tail {arguments.tail}: a number of lines is 0 or more")
    return asyncio.run(_run(context, arguments))


async def _run(context: Context, arguments: argparse.Namespace) -> int:
    namespace = context.namespace(arguments.namespace)
    async with context.client() as client:
        pod = await find_pod(client, arguments.pod, namespace)
        name = pod["metadata"]["name"]
        container = container_of(context, pod, arguments.container)
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/log"
        doing = f"read the log of {container} in pod {namespace}/{name}"
        timeout = _SILENCE if arguments.follow else 30.0
        request = Request(
            "GET", path, doing, query_of(arguments, container), idempotent=True, timeout=timeout, accept="*/*"
        )
        async with client.stream(request) as stream:
            async for piece in stream.pieces:
                _write(context, piece)
    return 0


def query_of(arguments: argparse.Namespace, container: str) -> Query:
    flags = {"follow": arguments.follow, "previous": arguments.previous, "timestamps": arguments.timestamps}
    chosen = tuple((name, "true") for name, value in flags.items() if value)
    tail = (("tailLines", str(arguments.tail)),) if arguments.tail is not None else ()
    return (("container", container), *chosen, *tail)


def _write(context: Context, piece: bytes) -> None:
    """As bytes: what a program wrote need not be UTF-8, and a piece may end within a letter."""
    if context.out is sys.stdout:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    else:
        context.out.write(piece.decode("utf-8", "replace"))
