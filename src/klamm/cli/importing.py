"""`klamm import topics`: manifests for topics that clients made, to be looked through and applied.

Done inside the topic operator's container: it has the certificates and the network to reach Kafka, whatever listeners
the cluster has. Only a fixed command and a flag go there.
"""

import argparse
import asyncio

import msgspec

from klamm.cli.applying import Object, Served, list_objects
from klamm.cli.context import Context, as_yaml
from klamm.cli.errors import Mistake, NotFound, Unfinished
from klamm.cli.pods import PODS, is_ready
from klamm.kube.client import Client
from klamm.kube.kinds import Name

_KAFKAS = Served("kafka.strimzi.io/v1beta2", "Kafka", "kafkas", True, ("k",), "kafka")
_CONTAINER = "topic-operator"
_PROGRAM = 'exec "${KLAMM_PYTHON:-python3}" -m klamm.programs.import_topics "$@"'


def run(context: Context, arguments: argparse.Namespace) -> int:
    return asyncio.run(_run(context, arguments))


async def _run(context: Context, arguments: argparse.Namespace) -> int:
    namespace = context.namespace(arguments.namespace)
    async with context.client() as client:
        cluster = await _cluster(client, namespace, arguments.cluster)
        pod = await _entity_operator(client, namespace, cluster)
    from klamm.cli.executing import output_of

    command = ["sh", "-c", _PROGRAM, "import_topics", *(["--internal"] if arguments.internal else [])]
    code, out, err = await output_of(context, Name(namespace, pod), _CONTAINER, command)
    if code != 0:
        raise Unfinished(f"listing the topics of {cluster} in pod {pod}: {err.decode('utf-8', 'replace').strip()}")
    topics: list[Object] = msgspec.json.decode(out)
    if context.for_programs:
        context.give({"apiVersion": "v1", "kind": "List", "items": topics})
    elif topics:
        context.put("---\n".join(as_yaml(topic) for topic in topics).rstrip("\n"))
    context.say(_told(cluster, topics))
    return 0


def _told(cluster: str, topics: list[Object]) -> str:
    if not topics:
        return f"every topic of {cluster} has a KafkaTopic already"
    count = "1 topic has" if len(topics) == 1 else f"{len(topics)} topics have"
    return (
        f"{count} no KafkaTopic yet. Look through the manifests, then apply them: klamm import topics | klamm apply -"
    )


async def _cluster(client: Client, namespace: str, given: str | None) -> str:
    names = [one["metadata"]["name"] for one in await list_objects(client, _KAFKAS, namespace)]
    if given is not None:
        if given not in names:
            raise NotFound(
                f"there is no Kafka {given} in {namespace}{'; there is ' + ', '.join(names) if names else ''}"
            )
        return given
    if not names:
        raise NotFound(f"there is no Kafka resource in {namespace}; name the namespace with -n")
    if len(names) > 1:
        raise Mistake(f"{namespace} has several clusters ({', '.join(names)}): choose one with --cluster")
    return str(names[0])


async def _entity_operator(client: Client, namespace: str, cluster: str) -> str:
    """The pod whose topic operator can be asked."""
    pods = await list_objects(client, PODS, namespace, f"strimzi.io/name={cluster}-entity-operator")
    with_topics = [pod for pod in pods if any(one["name"] == _CONTAINER for one in pod["spec"]["containers"])]
    if not with_topics:
        raise Mistake(
            f"Kafka {cluster} has no topic operator: add spec.entityOperator.topicOperator: {{}} to it, and try again "
            "when it is ready"
        )
    return str(min(with_topics, key=lambda pod: not is_ready(pod))["metadata"]["name"])
