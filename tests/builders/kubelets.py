"""A kubelet over the fakes, pods that are valid by default, and waiting for what a test is about."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.builders.fake_node import FakeNode
from tests.builders.objects_in_memory import ObjectsInMemory
from tests.builders.virtual_time import LoopClock

from klamm.base.together import ended
from klamm.localkube.kubelet.kubelet import Kubelet
from klamm.localkube.kubelet.settings import BackOffPolicy, EarlyReadiness, KubeletSettings, NodeSettings
from klamm.localkube.kubelet.tokens import Token, TokenRequest
from klamm.localkube.objects import EVENTS, PODS, Image, Mount, Object, Refused

NAMESPACE = "kafka"
NODE = "klamm-0"


def container(name: str = "web", **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": "web:1", "command": ["/bin/web"]} | fields


def pod(name: str = "web-0", *containers: dict[str, Any], **spec: Any) -> Object:
    """One container "web" on node klamm-0; keyword arguments are fields of the spec."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}"},
        "spec": {"nodeName": NODE, "containers": list(containers or (container(),))} | spec,
    }


class Images:
    """Two images; names in `slow` take that many seconds to pull."""

    def __init__(self) -> None:
        here = Image(mounts=(Mount("/usr", "/usr"),), environment={"LANG": "C.UTF-8"}, entrypoint=("/bin/entry",))
        self.table = {"web:1": here, "web:2": here}
        self.slow: dict[str, float] = {}
        self.failures: list[Exception] = []

    async def pull(self, name: str) -> Image | None:
        if name in self.slow:
            await asyncio.sleep(self.slow[name])
        if self.failures:
            raise self.failures.pop(0)
        return self.table.get(name)

    def known(self) -> Sequence[str]:
        return list(self.table)


class Tokens:
    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self.requests: list[TokenRequest] = []

    def issue(self, request: TokenRequest) -> Token:
        if request.service_account == "missing":
            raise Refused(404, "NotFound", 'serviceaccounts "missing" not found')
        self.requests.append(request)
        expires_at = self._clock.now().timestamp() + request.seconds
        return Token(f"token-{len(self.requests)}", expires_at)


class World:
    """API, node and kubelet of one test, with the questions that tests ask."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.clock = LoopClock()
        self.objects = ObjectsInMemory(self.clock)
        self.node = FakeNode(self.clock)
        self.images = Images()
        self.tokens = Tokens(self.clock)
        self.settings = replace(
            KubeletSettings(
                nodes=(NodeSettings(NODE, {"topology.kubernetes.io/zone": "a"}),),
                pods_folder=folder / "pods",
                memory_folder=folder / "memory",
                logs_folder=folder / "logs",
                early_readiness=EarlyReadiness(enabled=False),
                back_off=BackOffPolicy(),
            ),
            **settings,
        )
        self.kubelet = self._kubelet()

    def _kubelet(self) -> Kubelet:
        return Kubelet(self.objects, self.node, self.images, self.settings, self.clock, self.tokens)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A control plane's life; leaving it is its death, and entering again a new one."""
        self.kubelet = self._kubelet()
        task = asyncio.ensure_future(self.kubelet.run())
        try:
            yield
            if task.done():
                task.result()
        finally:
            await ended(task)

    def apply(self, obj: Object) -> Object:
        return self.objects.create(PODS, NAMESPACE, obj)

    def pod(self, name: str = "web-0") -> Object:
        return self.objects.get(PODS, NAMESPACE, name)

    def exists(self, name: str = "web-0") -> bool:
        return self.objects.find(PODS, NAMESPACE, name) is not None

    def status(self, name: str = "web-0") -> dict[str, Any]:
        status: dict[str, Any] = self.pod(name).get("status") or {}
        return status

    def container(self, container: str = "web", pod: str = "web-0") -> dict[str, Any]:
        status = self.status(pod)
        entries = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
        found: dict[str, Any] = next((entry for entry in entries if entry["name"] == container), {})
        return found

    def condition(self, kind: str, pod: str = "web-0") -> str:
        entries = self.status(pod).get("conditions", ())
        return next((entry["status"] for entry in entries if entry["type"] == kind), "")

    def is_ready(self, pod: str = "web-0") -> bool:
        return self.exists(pod) and self.condition("Ready", pod) == "True"

    def waits_because(self, container: str = "web", pod: str = "web-0") -> str:
        state = self.container(container, pod).get("state", {})
        return str(state.get("waiting", {}).get("reason", ""))

    def events(self, reason: str) -> list[Object]:
        return [event for event in self.objects.list(EVENTS) if event["reason"] == reason]

    async def until(self, holds: Callable[[], object], seconds: float = 60.0) -> float:
        """Wait for it, at most that many virtual seconds; how long it took."""
        began = self.clock.monotonic()
        while not holds():
            took = self.clock.monotonic() - began
            assert took < seconds, f"not so after {took:g} s: {_source(holds)}; {self._picture()}"
            await asyncio.sleep(0.01)
        return self.clock.monotonic() - began

    def _picture(self) -> str:
        pods = {obj["metadata"]["name"]: obj.get("status") for obj in self.objects.list(PODS)}
        events = [(event["reason"], event["message"]) for event in self.objects.list(EVENTS)]
        return f"pods {pods}; events {events}; node {self.node.told}"


def _source(holds: Callable[[], object]) -> str:
    import inspect

    try:
        return inspect.getsource(holds).strip()
    except OSError:
        return repr(holds)
