"""When a Kafka resource is gone: what garbage collection cannot do.

Everything that the resource owns goes with it. Left are a binding that is cluster-wide and can have no owner, and the
finalizers of KafkaTopics: their topics went with the cluster, and the operator that would take the finalizers off
did so too. Letting go touches no Kafka.

When a namespace goes with everything in it, this operator's own pod may be among the first. Topic operators let their
topics go then, but one that was just being started again does not; so it is done here once more (`farewell`).
"""

from klamm.base import logs
from klamm.base.deadlines import DeadlineExceeded, within
from klamm.control.results import DONE, Result
from klamm.desired.kafka.access import init_binding_name
from klamm.kube import errors
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.kinds import Name, name_of
from klamm.kube.native import CLUSTER_ROLE_BINDINGS, NAMESPACES
from klamm.operators.cluster.hands import Hands
from klamm.planning.topics import FINALIZER

_log = logs.room("departure")


async def clean_up(hands: Hands, name: Name) -> Result:
    await _delete_binding(hands, Name("", init_binding_name(name.namespace, name.name)))
    await let_topics_go(hands, name)
    hands.applier.forget_namesakes(name)
    return DONE


async def _delete_binding(hands: Hands, binding: Name) -> None:
    try:
        await hands.client.delete(CLUSTER_ROLE_BINDINGS, binding)
    except errors.Forbidden:
        # Installed without rights on cluster-wide objects: then it was not made by us, and nothing is left over.
        _log.debug("who may not delete bindings has made none", binding=binding)


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
    listed = await hands.client.list(KAFKA_TOPICS, cluster.namespace, {"strimzi.io/cluster": cluster.name})
    held = [topic for topic in listed.items if FINALIZER in topic.metadata.finalizers]
    for topic in held:
        kept = [one for one in topic.metadata.finalizers if one != FINALIZER]
        try:
            await hands.client.patch(KAFKA_TOPICS, name_of(topic), {"metadata": {"finalizers": kept}})
        except errors.NotFound:
            continue
    if held:
        _log.info(f"{len(held)} KafkaTopics of {cluster} were let go: their cluster is gone")
    return len(held)
