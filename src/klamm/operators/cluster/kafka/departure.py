"""When a Kafka resource is gone: what garbage collection cannot do.

Everything that the resource owns goes with it. Left are a binding that is cluster-wide and can have no owner, and the
finalizers of KafkaTopics: their topics went with the cluster, and the operator that would take the finalizers off
did so too. Letting go touches no Kafka.

No watch tells an operator that starts what went before: it may have been away, or have died between the two deeds.
So it looks once for clusters of which only these are left (`departed`).

When a namespace goes with everything in it, this operator's own pod may be among the first. Topic operators let their
topics go then, but one that was just being started again does not; so it is done here once more (`farewell`).
"""

from collections.abc import Sequence

from klamm.base import logs
from klamm.base.deadlines import DeadlineExceeded, within
from klamm.control.results import DONE, Result
from klamm.desired.kafka.access import init_binding_name
from klamm.desired.labels import CLUSTER, KIND
from klamm.kube import errors
from klamm.kube.catalogue import KAFKA_TOPIC_NAMES
from klamm.kube.kinds import Name, Object, name_of
from klamm.kube.native import CLUSTER_ROLE_BINDINGS, NAMESPACES
from klamm.operators.cluster.hands import Hands
from klamm.planning.topics import FINALIZER
from klamm.resources.native.access import ClusterRoleBinding

_log = logs.room("departure")


async def clean_up(hands: Hands, name: Name) -> Result:
    await _delete_binding(hands, Name("", init_binding_name(name.namespace, name.name)))
    await let_topics_go(hands, name)
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
    bindings = await _bindings(hands)
    topics = await hands.client.list(KAFKA_TOPIC_NAMES, hands.kafkas.namespace, CLUSTER)
    left = {
        *(Name(subject.namespace or "", _cluster(one)) for one in bindings for subject in one.subjects),
        *(Name(name_of(one).namespace, _cluster(one)) for one in topics.items if FINALIZER in one.metadata.finalizers),
    }
    return {name for name in left if _may_be_ours(hands, name) and hands.kafkas.get(name) is None}


async def _bindings(hands: Hands) -> Sequence[ClusterRoleBinding]:
    """None, too, where the operator was given no cluster-wide rights: then it has made none."""
    try:
        return (await hands.client.list(CLUSTER_ROLE_BINDINGS, labels=f"{CLUSTER},{KIND}=Kafka")).items
    except errors.Forbidden:
        return ()


def _cluster(obj: Object) -> str:
    return obj.metadata.labels.get(CLUSTER, "")


def _may_be_ours(hands: Hands, name: Name) -> bool:
    return bool(name.name) and hands.kafkas.namespace in (None, name.namespace)


async def farewell(hands: Hands, deadline: float) -> None:
    """At the end of the process: the topics of clusters whose namespace is terminating hang on nobody."""
    try:
        await within(deadline, "topics to be let go", _let_topics_of_terminating_namespaces_go(hands))
    except (errors.KubeError, DeadlineExceeded) as error:
        _log.info("topics of terminating namespaces were not looked for", because=str(error))


async def _let_topics_of_terminating_namespaces_go(hands: Hands) -> None:
    clusters = [name_of(kafka) for kafka in hands.kafkas.all()]
    for name in {cluster.namespace for cluster in clusters}:
        namespace = await hands.client.find(NAMESPACES, Name("", name))
        if namespace is not None and namespace.metadata.deletion_timestamp:
            for cluster in clusters:
                if cluster.namespace == name:
                    await let_topics_go(hands, cluster)


async def let_topics_go(hands: Hands, cluster: Name) -> int:
    """Take the finalizer off the cluster's KafkaTopics; returns how many had one."""
    listed = await hands.client.list(KAFKA_TOPIC_NAMES, cluster.namespace, {"strimzi.io/cluster": cluster.name})
    held = [topic for topic in listed.items if FINALIZER in topic.metadata.finalizers]
    for topic in held:
        kept = [one for one in topic.metadata.finalizers if one != FINALIZER]
        # The version guards other controllers' finalizers, which stand in the same list.
        change = {"finalizers": kept, "resourceVersion": topic.metadata.resource_version}
        try:
            await hands.client.patch(KAFKA_TOPIC_NAMES, name_of(topic), {"metadata": change})
        except errors.NotFound:
            continue
    if held:
        _log.info(f"{len(held)} KafkaTopics of {cluster} were let go: their cluster is gone")
    return len(held)
