"""Python's own client of Kubernetes, typed and dynamic, is told the same by localkube and by a real kube-apiserver."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from tests.builders.api_server import running_api
from tests.conformance.python_client import election, typed, untyped
from tests.conformance.python_client.told import Told, ask
from tests.conformance.transcripts import differences
from tests.kubernetes.control_plane import ControlPlane

from klamm.base.together import side_by_side
from klamm.localkube.objects import Streams

PARTS: list[Callable[[Told], None]] = [
    typed.objects,
    typed.pages,
    typed.patches,
    typed.watches,
    typed.pods_and_accounts,
    untyped.custom_objects,
    untyped.dynamically,
    untyped.manifests,
    election.by_a_lease,
    election.by_a_config_map,
]


@pytest.mark.parametrize("part", PARTS, ids=[f"{each.__module__.rsplit('.')[-1]}: {each.__name__}" for each in PARTS])
async def test_the_python_client_is_told_the_same(
    part: Callable[[Told], None], kubernetes_running: ControlPlane, tmp_path: Path
) -> None:
    namespace = "python-" + re.sub(r"\W|_", "-", part.__name__)
    there = kubernetes_running.folder / "kubeconfig"
    async with running_api(tmp_path, cast(Streams, None)) as api:
        ours, theirs = await side_by_side(
            *(asyncio.to_thread(ask, kubeconfig, namespace, tmp_path, part) for kubeconfig in (api.kubeconfig, there))
        )
    found = differences(ours, theirs)
    assert not found, "\n".join(found)
