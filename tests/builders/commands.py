"""A command line without a terminal: a context whose output is kept, and whose API says what a script tells it to."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from tests.builders.scripted_api import ScriptedApi, answer

from klamm.cli.context import Context, Output
from klamm.cli.home import Home
from klamm.kube.client import Client, over
from klamm.kube.exchange import Response

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class StillClock:
    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class ScriptedContext(Context):
    """Its API is the script; everything else is a `Context`."""

    api: ScriptedApi = field(default_factory=ScriptedApi)

    def client(self) -> Client:
        return over(self.api, "klamm", self.random)

    @property
    def said(self) -> str:
        assert isinstance(self.err, io.StringIO)
        return self.err.getvalue()

    @property
    def printed(self) -> str:
        assert isinstance(self.out, io.StringIO)
        return self.out.getvalue()


def context(folder: Path, output: Output = "text", *answers: Response, stdin: str = "") -> ScriptedContext:
    api = ScriptedApi()
    api.answers(*answers)
    return ScriptedContext(
        home=Home(folder / "home", folder / "cache"),
        java_home=None,
        environment={},
        clock=StillClock(),
        random=Random(7),
        out=io.StringIO(),
        err=io.StringIO(),
        control_plane=("control-plane",),
        output=output,
        input=io.StringIO(stdin),
        api=api,
    )


def groups(*versions: str) -> Response:
    """The answer to /apis: each "group/version" is its group's preferred one."""
    return answer({"groups": [{"preferredVersion": {"groupVersion": version}} for version in versions]})


def kinds(*entries: Mapping[str, Any]) -> Response:
    return answer({"kind": "APIResourceList", "resources": list(entries)})


def served(name: str, kind: str, *short: str, namespaced: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "namespaced": namespaced,
        "singularName": kind.lower(),
        "shortNames": list(short),
        **more,
    }


CORE = kinds(served("pods", "Pod", "po"), served("services", "Service", "svc"))
STRIMZI = kinds(
    served("kafkas", "Kafka", "k", categories=["strimzi"]),
    served("kafkatopics", "KafkaTopic", "kt", categories=["strimzi"]),
)
DISCOVERED = (groups("apps/v1", "kafka.strimzi.io/v1beta2"), CORE, STRIMZI)
"""What looking for a word of Strimzi's asks: the groups, the core kinds, Strimzi's kinds."""
