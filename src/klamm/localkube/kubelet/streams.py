"""`Streams` of the API server: logs, exec, attach and port-forward into the pods of this kubelet."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from klamm.base.clock import Clock
from klamm.localkube.kubelet.facts import ContainerFacts, container_id, containers_of
from klamm.localkube.kubelet.log_stream import stream_log
from klamm.localkube.kubelet.logs import LogSelection
from klamm.localkube.kubelet.parts import Parts
from klamm.localkube.kubelet.pods import PodWorker
from klamm.localkube.kubelet.runtime import CannotStart, Runtime
from klamm.localkube.kubelet.statuses import waiting_of
from klamm.localkube.objects import ExecSession, LogOptions, Object, PortConnection, Refused, Use


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

    def expect_running(self, use: Use, namespace: str, pod: str, container: str = "") -> None:
        """The words are a kubelet's, which people know and look for."""
        if use != "port-forward":
            self._running(use, namespace, pod, container)
        elif self._worker(namespace, pod).sandbox is None:
            raise _failed(f'pod not found ("{pod}_{namespace}")')

    async def exec(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, stdin: bool, tty: bool
    ) -> ExecSession:
        """Raises `Refused` when there is no such running container or no such program."""
        self._running("exec", namespace, pod, container)
        worker = self._worker(namespace, pod)
        variables = dict(await worker.attempts.environment(container))
        if tty:
            variables.setdefault("TERM", "xterm")
        identity = self._running("exec", namespace, pod, container)
        try:
            return await self._runtime.exec(identity, command, environment=variables, stdin=stdin, tty=tty)
        except CannotStart as error:
            raise _failed(str(error)) from error

    async def attach(self, namespace: str, pod: str, container: str, *, stdin: bool) -> ExecSession:
        """Raises `Refused` when there is no such running container."""
        identity = self._running("attach", namespace, pod, container)
        worker = self._worker(namespace, pod)
        spec = next(each for _, each in containers_of(worker.pod) if each["name"] == container)
        once = bool(spec.get("stdinOnce"))
        try:
            return await self._runtime.attach(identity, stdin=stdin, stdin_once=once)
        except CannotStart as error:
            raise _failed(str(error)) from error

    async def port_forward(self, namespace: str, pod: str, port: int) -> PortConnection:
        """Raises `Refused` without a running pod, or when nothing listens."""
        self.expect_running("port-forward", namespace, pod)
        try:
            return await self._runtime.connect(self._worker(namespace, pod).key.uid, port)
        except CannotStart as error:
            raise _failed(str(error)) from error

    def _running(self, use: Use, namespace: str, pod: str, container: str) -> str:
        """The runtime's id of the container; `Refused` when it does not run."""
        state = self._container(self._worker(namespace, pod), container).state
        if state is None or not state.running:
            missing = f'container not found ("{container}")'
            raise _failed(missing if use == "exec" else f"container {container} not found in pod {pod}_{namespace}")
        return state.id

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
            raise _bad(
                f'container "{facts.name}" in pod "{pod}" is waiting to start: {_why_waiting(worker.pod, facts)}'
            )
        return facts.attempt


def _why_waiting(pod: Object, facts: ContainerFacts) -> str:
    reason = str(waiting_of(pod, facts)["reason"])
    return {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason)


def _bad(message: str) -> Refused:
    return Refused(400, "BadRequest", message)


def _failed(message: str) -> Refused:
    return Refused(500, "InternalError", message)
