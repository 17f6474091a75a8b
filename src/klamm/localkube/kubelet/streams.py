"""`Streams` of the API server: logs, exec, attach and port-forward into the pods of this kubelet, and its metrics."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from klamm.base.clock import Clock
from klamm.localkube.kubelet.facts import ContainerFacts, container_id, containers_of
from klamm.localkube.kubelet.host_volumes import VolumeBlocked, claimed_folder
from klamm.localkube.kubelet.log_stream import stream_log
from klamm.localkube.kubelet.logs import LogSelection
from klamm.localkube.kubelet.metrics import ClaimedVolume, RunningContainer, of_containers, of_volumes
from klamm.localkube.kubelet.parts import Parts
from klamm.localkube.kubelet.pods import PodWorker
from klamm.localkube.kubelet.references import claim_name
from klamm.localkube.kubelet.runtime import CannotStart, Runtime, Usage
from klamm.localkube.kubelet.statuses import waiting_of
from klamm.localkube.objects import ExecSession, LogOptions, Object, PortConnection, Refused, Use


class Workers(Protocol):
    """The pods of this kubelet."""

    def find(self, namespace: str, pod: str) -> PodWorker | None: ...

    def all(self) -> Sequence[PodWorker]: ...


class KubeletStreams:
    def __init__(self, parts: Parts, workers: Workers) -> None:
        self._parts = parts
        self._workers = workers
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

    async def metrics(self, node: str, path: str) -> str:
        """Raises `Refused` for another node or path, and when the node's processes do not answer."""
        if not any(one.name == node for one in self._parts.settings.nodes):
            raise Refused(404, "NotFound", f'nodes "{node}" not found')
        workers = [worker for worker in self._workers.all() if worker.pod["spec"].get("nodeName") == node]
        if path == "metrics":
            return of_volumes(volume for worker in workers for volume in self._volumes(worker))
        if path != "metrics/cadvisor":
            raise Refused(404, "NotFound", f"a kubelet of localkube tells nothing at /{path}")
        try:
            usage = await self._runtime.usage()
        except CannotStart as error:
            raise _failed(str(error)) from error
        return of_containers((one for worker in workers for one in _containers(worker, usage)), self._parts.now())

    def _volumes(self, worker: PodWorker) -> Iterator[ClaimedVolume]:
        namespace = worker.key.namespace
        for volume in worker.pod["spec"].get("volumes") or ():
            claim = claim_name(worker.key.name, volume)
            if claim is None:
                continue
            with suppress(VolumeBlocked):
                folder = claimed_folder(self._parts.objects, namespace, volume["name"], claim)
                yield ClaimedVolume(namespace, claim, folder)

    def _running(self, use: Use, namespace: str, pod: str, container: str) -> str:
        """The runtime's id of the container; `Refused` when it does not run."""
        state = self._container(self._worker(namespace, pod), container).state
        if state is None or not state.running:
            missing = f'container not found ("{container}")'
            raise _failed(missing if use == "exec" else f"container {container} not found in pod {pod}_{namespace}")
        return state.id

    def _worker(self, namespace: str, pod: str) -> PodWorker:
        worker = self._workers.find(namespace, pod)
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


def _containers(worker: PodWorker, usage: Mapping[str, Usage]) -> Iterator[RunningContainer]:
    key = worker.key
    for name, facts in worker.facts.items():
        state = facts.state
        if state is not None and state.running and state.id in usage:
            used = usage[state.id]
            yield RunningContainer(key.namespace, key.name, name, facts.image, state.id, state.started_at, used)


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
