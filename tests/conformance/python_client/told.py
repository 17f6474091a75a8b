"""What Python's own client of Kubernetes is told, call by call, without what differs from run to run."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from tests.conformance.transcripts import Varying

from klamm.base.clock import SystemClock

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
MANAGER = "python"
COMES_WITHIN = 20.0
_CLOCK = SystemClock()


@dataclass
class Told:
    """One server, asked by one client in a namespace of its own; made in a thread that nobody else uses."""

    api: client.ApiClient
    namespace: str
    folder: Path
    """For the client's own files."""
    lines: list[Any] = field(default_factory=list)
    _varying: Varying = field(default_factory=Varying)

    def call(self, what: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """What it answers, or the refusal; both are written down."""
        try:
            answer = function(*arguments, **options)
        except ApiException as refused:
            self.say(what, {"code": refused.status, "reason": refused.reason, "body": _read(refused.body)})
            return None
        self.say(what, answer)
        return answer

    def say(self, what: str, value: Any) -> None:
        plain = self.plain(value)
        self._varying.remember(plain)
        self.lines.append({what: self._varying.steady(plain)})

    def plain(self, value: Any) -> Any:
        """As JSON would have it: models of the typed client, instances of the dynamic one."""
        return self.api.sanitize_for_serialization(value.to_dict() if hasattr(value, "attributes") else value)

    def until(self, what: str, holds: Callable[[], object]) -> None:
        """Wait for a condition; a refusal says that it does not hold yet."""
        begun = _CLOCK.monotonic()
        while _CLOCK.monotonic() - begun < COMES_WITHIN:
            with contextlib.suppress(ApiException):
                if holds():
                    return
            threading.Event().wait(0.05)
        raise AssertionError(f"waited {COMES_WITHIN:g} s: {what}")

    def events(self, what: str, stream: Iterator[Any], count: int) -> None:
        """That many events, without bookmarks, and then the stream is closed."""
        seen: list[Any] = []
        for event in stream:
            if event["type"] != "BOOKMARK":
                seen.append({"type": event["type"], "object": event["raw_object"]})
            if len(seen) == count:
                break
        stream.close()  # type: ignore[attr-defined]
        self.say(what, seen)


def _read(body: Any) -> Any:
    try:
        return json.loads(body)
    except (TypeError, ValueError):
        return str(body)


def ask(kubeconfig: Path, namespace: str, folder: Path, part: Callable[[Told], None]) -> list[Any]:
    """The transcript of `part` in a new namespace of this server. Waits: call it in a thread."""

    def first(told: Told) -> None:
        client.CoreV1Api(told.api).create_namespace({"metadata": {"name": namespace}})
        part(told)

    return asked(kubeconfig, namespace, folder, first)


def asked(kubeconfig: Path, namespace: str, folder: Path, part: Callable[[Told], None]) -> list[Any]:
    """As `ask`, in a namespace that is there."""
    settings = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=settings)
    with client.ApiClient(settings) as api:
        api.user_agent = MANAGER
        told = Told(api, namespace, folder)
        part(told)
    return told.lines
