"""What the cluster operator shows while it stands by, and once it leads."""

import asyncio
import contextlib
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from tests.builders.entity_api import NAMESPACE, entity_api, soon
from tests.builders.metric_pages import read_page
from tests.builders.ports import free_port
from tests.kubernetes.running_operator import HASTE, operator_settings

from klamm.base.together import ended
from klamm.programs.cluster_operator import run


async def test_resources_are_shown_by_the_operator_that_leads_and_by_no_other(tmp_path: Path) -> None:
    """Sums over all operators would count them twice."""
    turn, over = asyncio.Event(), asyncio.Event()

    async def lead(work: Callable[[], Awaitable[None]]) -> None:
        await turn.wait()
        working = asyncio.ensure_future(work())
        await over.wait()
        await ended(working)
        await asyncio.Event().wait()

    async with entity_api(tmp_path, "kafkas") as entity:
        settings = replace(operator_settings(), port=free_port(), namespaces=(NAMESPACE,))
        running = asyncio.create_task(run(settings, entity.client, Random(1), asyncio.Event(), pace=HASTE, lead=lead))

        async def kafkas() -> list[float]:
            page = await asyncio.to_thread(_page, settings.port)
            return [
                value for (name, of), value in read_page(page).items() if name == "strimzi_resources" and IS_KAFKA in of
            ]

        async def until_shown(wanted: list[float]) -> None:
            async def why_not() -> str | None:
                with contextlib.suppress(OSError):
                    return None if (found := await kafkas()) == wanted else f"{found} are shown"
                return "nobody answers"

            await soon(f"{wanted} to be shown", why_not)

        try:
            await until_shown([])
            turn.set()
            await until_shown([0.0])
            over.set()
            await until_shown([])
        finally:
            await ended(running)


IS_KAFKA = ("kind", "Kafka")


def _page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        return str(answer.read().decode())
