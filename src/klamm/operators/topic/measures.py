"""What the topic operator counts: names as Strimzi's dashboards know them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from klamm.base.metrics import Family, Metrics, gauge, timer
from klamm.control.measures import PassMeasures, selector_text
from klamm.control.resource_info import info, told, watch_states
from klamm.kafka.errors import KafkaFailure
from klamm.kafka.facts import ConfigChange, ConfigValue, Created, NewTopic, Topic
from klamm.kube.requests import Labels
from klamm.operators.topic.admin import TopicAdmin
from klamm.resources.custom.topic import KafkaTopic

KIND = "KafkaTopic"

_LABELS = ("kind", "namespace", "selector")


def _timer(name: str, help: str) -> Family:
    return timer(f"strimzi_{name}_duration_seconds", help, *_LABELS)


LONGEST_LINE = gauge("strimzi_reconciliations_max_queue_size", "Most topics that were in line at a time", *_LABELS)
LARGEST_BATCH = gauge("strimzi_reconciliations_max_batch_size", "Most topics that were in one batch", *_LABELS)
CREATE = _timer("create_topics", "Requests to Kafka to create topics")
DELETE = _timer("delete_topics", "Requests to Kafka to delete topics")
GROW = _timer("create_partitions", "Requests to Kafka to add partitions")
CONFIGURE = _timer("alter_configs", "Requests to Kafka to change settings of topics")
DESCRIBE = _timer("describe_topics", "Requests to Kafka to describe topics")
READ_CONFIGS = _timer("describe_configs", "Requests to Kafka for the settings of topics")
STATUS = _timer("update_status", "Writes of a KafkaTopic's status")
HOLD = _timer("add_finalizer", "Writes that put a finalizer on; klamm sends none")
LET_GO = _timer("remove_finalizer", "Writes that take a finalizer off")
REASSIGNMENTS = _timer("list_reassignments", "Requests to Kafka for reassignments; klamm sends none")
CRUISE_CONTROL = _timer("cruisecontrol_topic_config", "Requests to Cruise Control for replicas; klamm sends none")
CRUISE_CONTROL_TASKS = _timer("cruisecontrol_user_tasks", "Requests to Cruise Control for tasks; klamm sends none")
INFO = info("kafka_topic", "partitions", "replicas", "topicId", "topicName")

_TIMERS = (
    *(CREATE, DELETE, GROW, CONFIGURE, DESCRIBE, READ_CONFIGS, STATUS, HOLD, LET_GO),
    *(REASSIGNMENTS, CRUISE_CONTROL, CRUISE_CONTROL_TASKS),
)
FAMILIES: tuple[Family, ...] = (LONGEST_LINE, LARGEST_BATCH, *_TIMERS, INFO)


class TopicMeasures:
    """`labels` select the cluster's topics in `namespace`."""

    def __init__(self, metrics: Metrics, namespace: str, labels: Labels) -> None:
        selector = selector_text(labels)
        self.namespace = namespace
        self.passes = PassMeasures(metrics, KIND, [namespace], selector)
        self._labels = {"kind": KIND, "namespace": namespace, "selector": selector}
        self._metrics = metrics
        self._longest = self._largest = 0
        self._note_sizes()
        for one in _TIMERS:
            metrics.show(one, **self._labels)

    def watch(self, topics: Callable[[], Iterable[KafkaTopic]]) -> None:
        """Show, at each scrape, what there is."""
        self.passes.watch_resources(topics)
        watch_states(self._metrics, KIND, topics)
        self._metrics.ask(INFO, lambda: ((_info(one), 1.0) for one in topics()))

    def timing(self, family: Family) -> AbstractContextManager[None]:
        return self._metrics.timing(family, **self._labels)

    def batch(self, size: int, waiting: int) -> None:
        """A batch begins; `waiting`: how many were in line, these among them."""
        self._largest, self._longest = max(self._largest, size), max(self._longest, waiting)
        self._note_sizes()
        self.passes.begun(self.namespace, size)

    def _note_sizes(self) -> None:
        self._metrics.set(LARGEST_BATCH, self._largest, **self._labels)
        self._metrics.set(LONGEST_LINE, self._longest, **self._labels)

    def worked(self, topics: int, otherwise: Mapping[str, int], seconds: float) -> None:
        """A batch has ended. `otherwise`: how many are to be tried again (failed) or wait for their user (blocked)."""
        for outcome, some in {"done": topics - sum(otherwise.values()), **otherwise}.items():
            self.passes.ended(self.namespace, outcome, some)
        self.passes.lasted(self.namespace, seconds)


class MeasuredAdmin:
    """A TopicAdmin whose requests are timed."""

    def __init__(self, admin: TopicAdmin, measures: TopicMeasures) -> None:
        self._admin = admin
        self._timing = measures.timing

    async def describe_topics(self, names: Sequence[str] | None = None) -> dict[str, Topic]:
        with self._timing(DESCRIBE):
            return await self._admin.describe_topics(names)

    async def topic_configs(self, names: Iterable[str]) -> dict[str, dict[str, ConfigValue]]:
        with self._timing(READ_CONFIGS):
            return await self._admin.topic_configs(names)

    async def create_topics(self, topics: Sequence[NewTopic]) -> dict[str, Created | KafkaFailure]:
        with self._timing(CREATE):
            return await self._admin.create_topics(topics)

    async def grow_topics(self, partitions: Mapping[str, int]) -> dict[str, KafkaFailure | None]:
        with self._timing(GROW):
            return await self._admin.grow_topics(partitions)

    async def delete_topics(self, names: Sequence[str]) -> dict[str, KafkaFailure | None]:
        with self._timing(DELETE):
            return await self._admin.delete_topics(names)

    async def delete_topics_by_id(self, ids: Sequence[str]) -> dict[str, KafkaFailure | None]:
        with self._timing(DELETE):
            return await self._admin.delete_topics_by_id(ids)

    async def change_topic_configs(self, changes: Mapping[str, ConfigChange]) -> dict[str, KafkaFailure | None]:
        with self._timing(CONFIGURE):
            return await self._admin.change_topic_configs(changes)


def _info(topic: KafkaTopic) -> tuple[str, ...]:
    status = topic.status
    identifier, name = (status.topic_id, status.topic_name) if status else (None, None)
    return told(topic, status, topic.spec.partitions, topic.spec.replicas, identifier, name)
