"""When a Kafka resource is gone: what garbage collection cannot do.

Everything that the resource owns goes with it. Left are a binding that is cluster-wide and can have no owner, and the
finalizers of KafkaTopics: their topics went with the cluster, and the operator that would take the finalizers off
did so too. Letting go touches no Kafka.
"""

from klamm.base import logs
from klamm.control.results import DONE, Result
from klamm.desired.kafka.access import init_binding_name
from klamm.kube import errors
from klamm.kube.catalogue import KAFKA_TOPICS
from klamm.kube.kinds import Name, name_of
from klamm.kube.native import CLUSTER_ROLE_BINDINGS
from klamm.operators.cluster.hands import Hands
from klamm.planning.topics import FINALIZER

_log = logs.room("departure")


async def clean_up(hands: Hands, name: Name) -> Result:
    await hands.client.delete(CLUSTER_ROLE_BINDINGS, Name("", init_binding_name(name.namespace, name.name)))
    await let_topics_go(hands, name)
    hands.applier.forget_namesakes(name)
    return DONE


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
