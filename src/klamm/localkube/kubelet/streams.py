"""`Streams` of the API server: logs, exec and port-forward into the pods of this kubelet."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from klamm.base.clock import Clock
from klamm.localkube.kubelet.facts import ContainerFacts, container_id
from klamm.localkube.kubelet.log_stream import stream_log
from klamm.localkube.kubelet.logs import LogSelection
from klamm.localkube.kubelet.parts import Parts
from klamm.localkube.kubelet.pods import PodWorker
from klamm.localkube.kubelet.runtime import CannotStart, Runtime
from klamm.localkube.objects import ExecSession, LogOptions, PortConnection, Refused


class FindWorker(Protocol):
    def __call__(self, namespace: str, pod: str) -> PodWorker | None: ...


class KubeletStreams:
    def __init__(self, parts: Parts, find: FindWorker) -> None:
        self._parts = parts
        self._find = find
        self._clock: Clock = parts.clock
        self._runtime: Runtime = parts.runtime

    def logs(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Raises `Refused` at once, before anything is read."""
        worker = self._worker(namespace, pod)
        facts = self._container(worker, container)
        attempt = self._attempt(worker, facts, options.previous)
        path = self._parts.log_path(worker.key, container, attempt)
        selection = LogSelection.of(options, self._clock.now().timestamp())
        identity = container_id(worker.key.uid, container, attempt)
        follows = options.follow and not options.previous
        ended = (lambda: worker.attempts.ended(identity)) if follows else None
        return stream_log(path, selection, options.limit_bytes, ended)

    async def exec(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> ExecSession:
        """Raises `Refused` when there is no such running container or no such program."""
        worker = self._worker(namespace, pod)
        facts = self._container(worker, container)
        if facts.state is None or not facts.state.running:
            raise _bad(f"container {container} of pod {worker.key} is not running: nothing can be executed in it")
        variables = dict(await worker.attempts.environment(container))
        if tty:
            variables.setdefault("TERM", "xterm")
        try:
            return await self._runtime.exec(facts.state.id, command, environment=variables, stdin=stdin, tty=tty)
        except CannotStart as error:
            raise Refused(500, "InternalError", f"cannot execute in container {container}: {error}") from error

    async def port_forward(self, namespace: str, pod: str, port: int) -> PortConnection:
        """Raises `Refused` without a running pod, OSError when nothing listens."""
        worker = self._worker(namespace, pod)
        if worker.sandbox is None:
            raise _bad(f"pod {worker.key} is not running: its ports cannot be forwarded")
        try:
            return await self._runtime.connect(worker.key.uid, port)
        except CannotStart as error:
            raise _bad(f"port {port} of pod {worker.key} cannot be reached: {error}") from error

    def _worker(self, namespace: str, pod: str) -> PodWorker:
        worker = self._find(namespace, pod)
        if worker is None:
            raise Refused(
                404, "NotFound", f'pods "{pod}" not found in namespace {namespace} on the nodes of this machine'
            )
        return worker

    def _container(self, worker: PodWorker, name: str) -> ContainerFacts:
        facts = worker.facts.get(name)
        if facts is None:
            raise _bad(f"container {name} is not valid for pod {worker.key.name}")
        return facts

    def _attempt(self, worker: PodWorker, facts: ContainerFacts, previous: bool) -> int:
        pod = worker.key.name
        if previous:
            if facts.previous is None:
                raise _bad(f'previous terminated container "{facts.name}" in pod "{pod}" not found')
            return int(facts.previous.id.rsplit("/", 1)[-1])
        if facts.attempt < 0:
            waiting = facts.waiting.reason if facts.waiting else "ContainerCreating"
            raise _bad(f'container "{facts.name}" in pod "{pod}" is waiting to start: {waiting}')
        return facts.attempt


def _bad(message: str) -> Refused:
    return Refused(400, "BadRequest", message)
