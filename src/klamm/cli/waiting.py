"""Waiting that people can watch: what is waited for, why it is not there yet, and for how long already.

Woken by watches, not by a timer (the terminal's clock alone ticks); on a terminal one block of lines is kept up to
date, elsewhere a line is written whenever the reason changes. Ends early when the operator says that a resource is
wrong: no patience mends a manifest.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from klamm.base.together import ended
from klamm.cli.columns import span
from klamm.cli.context import Context
from klamm.cli.errors import Mistake, Unfinished
from klamm.cli.manifests import Manifest
from klamm.cli.painting import SPINNER, Block, Line
from klamm.cli.readiness import PodState, Readiness, State, is_ready_since, pod_state, readiness
from klamm.cli.seen import PODS, RECONCILED, STRIMZI, Pod, Resource, kind_of
from klamm.kube.client import Client
from klamm.kube.kinds import Kind, Name
from klamm.kube.watching import Watched

_TICK = 0.25
_OPERATOR = "strimzi-cluster-operator"


@dataclass(frozen=True, slots=True)
class Target:
    kind: Kind[Resource]
    name: Name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def targets(manifests: Iterable[Manifest], namespace: str) -> list[Target]:
    """The objects whose status says when they are ready."""
    found = ((kind_of(one.api_version, one.kind), one) for one in manifests)
    return [Target(kind, Name(one.namespace or namespace, one.name)) for kind, one in found if kind is not None]


def without_operator(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Strimzi's kinds that this klamm stores and does not act on yet: nothing would come of waiting for them."""
    return [one for one in manifests if one.api_version.startswith(f"{STRIMZI}/") and one.kind not in RECONCILED]


async def wait_until_ready(
    context: Context, client: Client, wanted: Sequence[Target], seconds: float, since: datetime | None = None
) -> Mapping[Target, Resource]:
    """The resources as they were when all was ready, with pods that became so after `since`.

    Raises `Mistake` when one is refused by its operator, `Unfinished` at the end of `seconds` with what was last seen.
    """
    if not wanted:
        return {}
    scene = Scene(context, client, wanted, since)
    try:
        async with asyncio.timeout(seconds):
            await scene.watch()
    except TimeoutError:
        raise Unfinished(
            f"not ready after {seconds:g} s: {'; '.join(scene.reasons)}.{scene.trouble} It goes on by itself; "
            "`klamm status` shows how it stands, `klamm up` again waits on."
        ) from None
    return scene.resources


class Scene:
    """Caches of what is waited for, and of the pods that it is made of."""

    def __init__(
        self, context: Context, client: Client, wanted: Sequence[Target], since: datetime | None = None
    ) -> None:
        self._context = context
        self._up_since = since
        self._wanted = wanted
        self._changed = asyncio.Event()
        self._started = context.clock.monotonic()
        self._said: dict[str, str] = {}
        self._since: dict[str, tuple[str, float]] = {}
        kinds = {target.kind.kind: target.kind for target in wanted}
        namespaces = {target.name.namespace for target in wanted}
        place = namespaces.pop() if len(namespaces) == 1 else None
        self._caches = {name: Watched(client, kind, context.random, namespace=place) for name, kind in kinds.items()}
        self._pods = Watched(client, PODS, context.random, namespace=place)

    @property
    def resources(self) -> dict[Target, Resource]:
        found = {target: self._resource(target) for target in self._wanted}
        return {target: resource for target, resource in found.items() if resource is not None}

    @property
    def reasons(self) -> list[str]:
        return [f"{target}: {is_.why}" for target, is_ in self._states() if not is_.is_ready]

    @property
    def trouble(self) -> str:
        """Pods that do not come up, for the message at the end; "" when there are none."""
        found = [f" Pod {name}: {state}." for name, state in self._pod_states() if state.is_trouble]
        return "".join(found[:3])

    async def watch(self) -> None:
        caches: list[Watched[Any]] = [*self._caches.values(), self._pods]
        tasks = [asyncio.create_task(cache.run(), name=f"watch of {cache.kind.plural}") for cache in caches]
        for cache in caches:
            cache.subscribe(lambda old, new: self._changed.set())
        try:
            for cache in caches:
                await cache.synced()
            await self._until_ready()
        finally:
            await ended(*tasks)

    async def _until_ready(self) -> None:
        if not self._context.err.isatty():
            while not self._is_over():
                self._tell()
                self._changed.clear()
                await self._changed.wait()
            return
        with Block(self._context.err, self._context.style) as block:
            while not self._is_over():
                block.paint(self._lines())
                self._changed.clear()
                try:
                    async with asyncio.timeout(_TICK):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    def _is_over(self) -> bool:
        """Raises `Mistake` for what waiting does not mend."""
        states = self._states()
        refused = [
            f"{target}: {is_.reason}:\n" + "\n".join(f"  {line}" for line in is_.why.splitlines())
            for target, is_ in states
            if is_.state is State.REFUSED
        ]
        if refused:
            raise Mistake(
                "\n".join([*refused, "Change the manifest, then run `klamm up` or `klamm apply` with it again."])
            )
        return all(is_.is_settled for _, is_ in states)

    def _states(self) -> list[tuple[Target, Readiness]]:
        return [(target, self._state(target)) for target in self._wanted]

    def _resource(self, target: Target) -> Resource | None:
        found = self._caches[target.kind.kind].get(target.name)
        if found is not None and not found.kind:
            # The items of a list do not say what they are: the list does.
            found.api_version, found.kind = target.kind.api_version, target.kind.kind
        return found

    def _state(self, target: Target) -> Readiness:
        """A resource is as ready as its pods: after a `down` it still says what was true before."""
        found = readiness(self._resource(target))
        if not found.is_ready:
            return found
        late = sorted(
            pod.metadata.name or ""
            for pod in self._pods.all()
            if _is_of(pod, target) and not is_ready_since(pod, self._up_since)
        )
        return Readiness(State.NOT_READY, f"waiting for pods {', '.join(late)}") if late else found

    def _pod_states(self) -> list[tuple[str, PodState]]:
        shown = [pod for pod in self._pods.all() if self._concerns(pod)]
        return [
            (pod.metadata.name or "", pod_state(pod)) for pod in sorted(shown, key=lambda pod: pod.metadata.name or "")
        ]

    def _concerns(self, pod: Pod) -> bool:
        """Pods of Strimzi's clusters and the operator, while it is on its way; and those of workloads waited for."""
        labels = pod.metadata.labels
        if labels.get("name") == _OPERATOR:
            return not pod_state(pod).is_ready
        if "strimzi.io/cluster" in labels:
            return any(target.kind.group == STRIMZI for target in self._wanted)
        return any(_is_of(pod, target) for target in self._wanted)

    # On a terminal

    def _lines(self) -> list[Line]:
        elapsed = self._elapsed()
        turning = SPINNER[int(elapsed / _TICK) % len(SPINNER)]
        lines: list[Line] = []
        for target, is_ in self._states():
            if is_.is_ready:
                lines.append(Line(f"✓ {target} is ready", "good"))
                continue
            lines.append(Line(f"{turning} {target}   {elapsed:.0f} s", "strong"))
            lines.extend(Line(f"    {line}") for line in is_.why.splitlines()[:6])
        pods = self._pod_states()
        if not pods:
            return lines
        width = max(len(name) for name, _ in pods)
        lines.append(Line(""))
        lines.extend(self._pod_line(name, state, width, turning) for name, state in pods)
        return lines

    def _pod_line(self, name: str, state: PodState, width: int, turning: str) -> Line:
        word, since = self._since.get(name, ("", 0.0))
        if word != state.word:
            since = self._elapsed()
            self._since[name] = (state.word, since)
        sign, how = ("✓", "good") if state.is_ready else ("✗", "bad") if state.is_trouble else (turning, "busy")
        return Line(f"{sign} {name.ljust(width)}   {span(self._elapsed() - since).rjust(4)}   {state}", how)

    def _elapsed(self) -> float:
        return self._context.clock.monotonic() - self._started

    # Elsewhere

    def _tell(self) -> None:
        for target, is_ in self._states():
            self._tell_once(str(target), is_.state.value if is_.is_ready else is_.why, "")
        for name, state in self._pod_states():
            self._tell_once(name, str(state), "  pod ")

    def _tell_once(self, what: str, how: str, indent: str) -> None:
        if self._said.get(what) != how:
            self._said[what] = how
            self._context.say(f"{self._elapsed():6.1f} s  {indent}{what}: {how}")


def _is_of(pod: Pod, target: Target) -> bool:
    if pod.metadata.namespace != target.name.namespace:
        return False
    if target.kind.kind == "Kafka":
        return pod.metadata.labels.get("strimzi.io/cluster") == target.name.name
    return target.kind.group == "apps" and (pod.metadata.name or "").startswith(f"{target.name.name}-")
