"""The second half of `klamm up`, when processes run: objects, waiting, and what to do with it all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from klamm.cli.applying import Discovery, Object, apply_manifest, ensure_namespace
from klamm.cli.columns import aligned
from klamm.cli.connecting import addresses, how_to_connect
from klamm.cli.context import Context
from klamm.cli.manifests import Manifest
from klamm.cli.readiness import readiness
from klamm.cli.seen import Resource
from klamm.cli.starting import running_since, until_api_answers
from klamm.cli.waiting import Target, targets, wait_until_ready, without_operator
from klamm.kube.client import Client

_API_ANSWERS_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be brought up; `namespace` is that of manifests that name none."""

    manifests: Sequence[Manifest]
    monitoring: Sequence[Manifest]
    namespace: str
    seconds: float

    @property
    def all(self) -> Sequence[Manifest]:
        return (*self.manifests, *self.monitoring)


async def bring_up(context: Context, given: Given, *, started: bool) -> None:
    begun = context.clock.monotonic()
    async with context.client() as client:
        await until_api_answers(context, client, _API_ANSWERS_WITHIN)
        applied = await _apply(context, client, given)
        since = running_since(context.home)
        ready = await wait_until_ready(context, client, targets(given.all, given.namespace), given.seconds, since)
    watching = _addresses_of_monitoring(applied) if given.monitoring else {}
    if context.for_programs:
        context.give({**_summary(context, ready), **({"monitoring": watching} if watching else {})})
        return
    for line in _told(context, ready, context.clock.monotonic() - begun, started=started):
        context.say(line)
    for line in aligned([[title, address] for title, address in watching.items()]):
        context.say(line)


async def _apply(context: Context, client: Client, given: Given) -> list[Object]:
    """Returns what came of the manifests of monitoring."""
    # Without a manifest no namespace is made: `kubectl create namespace kafka` is the walkthrough's first step.
    for one in dict.fromkeys(manifest.namespace or given.namespace for manifest in given.manifests):
        await ensure_namespace(client, one)
    for place in {manifest.namespace for manifest in given.monitoring if manifest.namespace}:
        await ensure_namespace(client, place)
    discovery, applied = Discovery(client), []
    for manifest in given.all:
        done = await apply_manifest(client, discovery, manifest, given.namespace)
        applied.append(done.object)
        for warning in done.warnings:
            context.say(f"warning: {manifest.origin}: {warning}")
    for manifest in without_operator(given.manifests):
        context.say(f"{manifest.origin}: {manifest.kind} {manifest.name} is stored; this klamm does not act on it yet")
    return applied[len(given.manifests) :]


def _addresses_of_monitoring(applied: Sequence[Object]) -> Mapping[str, str]:
    from klamm.cli.monitoring import addresses  # what few `up`s need

    return addresses(applied)


def _told(context: Context, ready: Mapping[Target, Resource], seconds: float, *, started: bool) -> Iterable[str]:
    style = context.style
    if not ready:
        yield f"{'started' if started else 'running'}: the cluster of {context.home.path}"
    for target, resource in ready.items():
        is_ = readiness(resource)
        state = f"is ready after {seconds:.1f} s" if is_.is_ready else is_.why
        yield style(f"✓ {target} {state}" if style.colours else f"{target} {state}", "good" if is_.is_ready else "busy")
        for warning in is_.warnings:
            yield style(f"  warning: {warning}", "busy")
    yield ""
    yield from how_to_connect(ready.values())


def _summary(context: Context, ready: Mapping[Target, Resource]) -> dict[str, object]:
    """What programs get: everything that they need to connect."""
    return {
        "kubeconfig": str(context.home.kubeconfig),
        "resources": [
            {
                "kind": target.kind.kind,
                "namespace": target.name.namespace,
                "name": target.name.name,
                "state": readiness(resource).state.value,
                "warnings": list(readiness(resource).warnings),
                "listeners": [
                    {"name": one.listener, "bootstrapServers": one.inside or one.outside, "fromHost": bool(one.outside)}
                    for one in addresses(resource)
                ],
            }
            for target, resource in ready.items()
        ],
    }
