"""When a Kafka resource is gone: what garbage collection cannot do.

Everything that the resource owns goes with it. Left is a binding that is cluster-wide: its namespace owns it, which may
stay.

No watch tells an operator that starts what went before: it may have been away, or have died before the deed. So it
looks once for clusters of which only this is left (`departed`).
"""

from collections.abc import Sequence

from klamm.base import logs
from klamm.control.results import DONE, Result
from klamm.desired.kafka.access import init_binding_name
from klamm.desired.labels import CLUSTER, KIND
from klamm.kube import errors
from klamm.kube.kinds import Name
from klamm.kube.native import CLUSTER_ROLE_BINDINGS
from klamm.operators.cluster.hands import Hands
from klamm.resources.native.access import ClusterRoleBinding

_log = logs.room("departure")


async def clean_up(hands: Hands, name: Name) -> Result:
    await _delete_binding(hands, Name("", init_binding_name(name.namespace, name.name)))
    hands.applier.forget_namesakes(name)
    hands.mentions.forget(name)
    return DONE


async def _delete_binding(hands: Hands, binding: Name) -> None:
    try:
        await hands.client.delete(CLUSTER_ROLE_BINDINGS, binding)
    except errors.Forbidden:
        # Installed without rights on cluster-wide objects: then it was not made by us, and nothing is left over.
        _log.debug("who may not delete bindings has made none", binding=binding)


async def departed(hands: Hands) -> set[Name]:
    """Clusters that still have something to be cleaned up, and seem to have no Kafka resource: the pass looks again."""
    left = {
        Name(subject.namespace or "", one.metadata.labels.get(CLUSTER, ""))
        for one in await _bindings(hands)
        for subject in one.subjects
    }
    return {name for name in left if _may_be_ours(hands, name) and hands.kafkas.get(name) is None}


async def _bindings(hands: Hands) -> Sequence[ClusterRoleBinding]:
    """None, too, where the operator was given no cluster-wide rights: then it has made none."""
    try:
        return (await hands.client.list(CLUSTER_ROLE_BINDINGS, labels=f"{CLUSTER},{KIND}=Kafka")).items
    except errors.Forbidden:
        return ()


def _may_be_ours(hands: Hands, name: Name) -> bool:
    return bool(name.name) and hands.kafkas.namespace in (None, name.namespace)
