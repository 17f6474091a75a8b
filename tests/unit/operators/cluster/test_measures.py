"""What the cluster operator counts over a cluster's life."""

from tests.builders import metric_names as names
from tests.builders.fake_brokers import FakeTopic
from tests.builders.kafka import kafka_object
from tests.builders.kafka_world import KAFKAS, NAMESPACE, KafkaWorld, kafka_world
from tests.builders.metric_pages import Series, names_of, read_page
from tests.builders.virtual_time import in_virtual_time

from klamm.control import measures
from klamm.operators.cluster.measures import FAMILIES


@in_virtual_time
async def test_every_name_that_dashboards_ask_for_is_there_and_none_that_is_not_declared() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        shown = names_of(page(world))
        assert names.CLUSTER_OPERATOR - shown == set()
        declared = {one.name for one in (*measures.FAMILIES, *FAMILIES)}
        suffixes = ("_bucket", "_count", "_max", "_sum")
        stems = {name.removesuffix(next((one for one in suffixes if name.endswith(one)), "")) for name in shown}
        assert stems - declared == set()


@in_virtual_time
async def test_a_ready_cluster_and_its_certificates_and_pods() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        await world.passes(5)
        info = one(world, "strimzi_kafka_resource_info", name="my-cluster")
        assert {
            "ready": "True",
            "exported_namespace": NAMESPACE,
            "generation": "1",
        }.items() <= info.items()
        assert value(world, "strimzi_resource_state", kind="Kafka", name="my-cluster") == 1
        assert value(world, "strimzi_resources", kind="Kafka", namespace=NAMESPACE) == 1
        assert value(world, "strimzi_resources", kind="StrimziPodSet", namespace=NAMESPACE) == 2
        assert value(world, "strimzi_resources", kind="KafkaConnect") == 0
        for type_ in ("cluster-ca", "client-ca"):
            end = value(world, "strimzi_certificate_expiration_timestamp_ms", cluster="my-cluster", type=type_)
            leaf = value(world, "klamm_certificate_expiration_timestamp_seconds", certificate="my-cluster-kafka-0")
            assert end > 1e12
            assert leaf == end / 1000
        assert value(world, "klamm_roll_pods", pod_set="my-cluster-kafka", state="as wanted") == 3
        assert "klamm_waiting" not in names_of(page(world))


@in_virtual_time
async def test_a_roll_is_seen_on_its_way() -> None:
    async with kafka_world() as world:
        world.brokers.topics["orders"] = FakeTopic((0, 1, 2))
        world.apply(kafka_object())
        await world.ready()
        world.brokers.lagging.add(2)
        world.change(kafka={"config": {"num.io.threads": 9}})
        await world.passes(60)
        brokers, reason = {"pod_set": "my-cluster-kafka"}, "ConfigChangeRequiresRestart"
        assert value(world, "klamm_roll_pods", **brokers, state="to be restarted") == 2
        assert value(world, "klamm_roll_pods", **brokers, state="as wanted") == 1
        assert value(world, "klamm_roll_reasons", **brokers, reason=reason) == 2
        assert value(world, "klamm_roll_waits_total", **brokers, reason="WouldLoseInSync") >= 1
        waiting = {"step": "roll brokers", "outcome": "again", "reason": "WouldLoseInSync"}
        assert value(world, "klamm_waiting", **waiting) == 1
        world.brokers.lagging.clear()
        await world.ready()
        assert value(world, "klamm_roll_pods", **brokers, state="to be restarted") == 0
        assert value(world, "klamm_pod_restarts_total", **brokers, reason=reason) == 3
        assert "klamm_roll_reasons" not in names_of(page(world))


@in_virtual_time
async def test_a_mistake_is_a_failure_that_alerts_see() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        world.change(kafka={"version": "2.0.0"})
        await world.passes(5)
        assert one(world, "strimzi_kafka_resource_info", name="my-cluster")["ready"] == "False"
        assert value(world, "strimzi_resource_state", reason="InvalidResourceException") == 0
        assert value(world, "klamm_passes_total", kind="Kafka", namespace=NAMESPACE, outcome="blocked") >= 1
        assert value(world, "strimzi_reconciliations_failed_total", kind="Kafka", namespace=NAMESPACE) >= 1


@in_virtual_time
async def test_a_cluster_that_is_gone_is_forgotten() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        world.cluster.objects.delete(KAFKAS, NAMESPACE, "my-cluster")
        await world.passes(30)
        assert left(world) == {"klamm_wanted"}


@in_virtual_time
async def test_what_is_wanted_is_named_as_the_pods_that_have_it() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        shown = [dict(series[1]) for series in found(world, "klamm_wanted", {"cluster": "my-cluster"})]
        pods = {name: pod["spec"]["containers"] for name, pod in world.pods().items()}
        assert len(shown) == 4
        for one in shown:
            of_it = [pods[name] for name in pods if name.startswith(f"{one['workload']}-")]
            assert of_it
            assert all(one["component"] in {container["name"] for container in each} for each in of_it)


@in_virtual_time
async def test_what_a_resource_wants_is_told_and_0_once_nobody_wants_it_any_more() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        assert wanted(world) == {"kafka": 1, "zookeeper": 1, "topic-operator": 1, "user-operator": 1}
        world.change(entityOperator={"userOperator": None})
        await world.ready()
        assert wanted(world) == {"kafka": 1, "zookeeper": 1, "topic-operator": 1, "user-operator": 0}
        world.cluster.objects.delete(KAFKAS, NAMESPACE, "my-cluster")
        await world.passes(30)
        assert wanted(world) == {"kafka": 0, "zookeeper": 0, "topic-operator": 0, "user-operator": 0}


@in_virtual_time
async def test_a_paused_cluster_wants_what_it_wanted_also_of_an_operator_that_starts() -> None:
    async with kafka_world(operator=False) as world:
        paused = {"metadata": {"annotations": {"strimzi.io/pause-reconciliation": "true"}}}
        world.apply(kafka_object(paused))
        world.start_operator()
        await world.passes(10)
        assert wanted(world)["kafka"] == 1


@in_virtual_time
async def test_the_certificate_of_an_operator_or_exporter_that_was_taken_out_is_forgotten() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object({"spec": {"kafkaExporter": {}}}))
        await world.ready()
        secrets = {"my-cluster-kafka-exporter-certs", "my-cluster-entity-user-operator-certs"}
        assert secrets <= secrets_shown(world)
        world.change(kafkaExporter=None, entityOperator={"userOperator": None})
        await world.ready()
        assert secrets & secrets_shown(world) == set()
        assert "my-cluster-entity-topic-operator-certs" in secrets_shown(world)


@in_virtual_time
async def test_a_cluster_that_is_no_longer_selected_is_forgotten() -> None:
    async with kafka_world(selector={"team": "a"}) as world:
        world.apply(kafka_object({"metadata": {"labels": {"team": "a"}}}))
        await world.ready()
        world.cluster.objects.patch(KAFKAS, NAMESPACE, "my-cluster", {"metadata": {"labels": {"team": "b"}}})
        await world.passes(30)
        assert left(world) == {"klamm_wanted"}


@in_virtual_time
async def test_an_operator_that_stands_by_shows_no_resources() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        assert world.hands is not None
        world.hands.measures.leads = False
        for name in ("strimzi_resources_paused", "strimzi_pod_set_resource_info", "klamm_wanted"):
            assert found(world, name, {}) == {}
        assert found(world, "strimzi_resources", {"kind": "Kafka"}) == {}
        assert found(world, "strimzi_resources", {"kind": "StrimziPodSet"}) == {}


def wanted(world: KafkaWorld) -> dict[str, float]:
    shown = found(world, "klamm_wanted", {"namespace": NAMESPACE})
    return {dict(series[1])["component"]: value for series, value in shown.items()}


def left(world: KafkaWorld) -> set[str]:
    """Names of the series of the cluster; those of what was wanted stay, as 0."""
    return {name for name, labels in read_page(page(world)) if "my-cluster" in dict(labels).values()}


def secrets_shown(world: KafkaWorld) -> set[str]:
    shown = found(world, "klamm_certificate_expiration_timestamp_seconds", {})
    return {dict(series[1])["secret"] for series in shown}


def page(world: KafkaWorld) -> str:
    assert world.hands is not None
    return world.hands.measures.metrics.text()


def found(world: KafkaWorld, name: str, labels: dict[str, str]) -> dict[Series, float]:
    series = {one: value for one, value in read_page(page(world)).items() if one[0] == name}
    return {one: value for one, value in series.items() if labels.items() <= dict(one[1]).items()}


def value(world: KafkaWorld, name: str, /, **labels: str) -> float:
    """Of the one series that has these labels."""
    [single] = found(world, name, labels).values()
    return single


def one(world: KafkaWorld, name: str, /, **labels: str) -> dict[str, str]:
    """All labels of the one series that has these."""
    [single] = found(world, name, labels)
    return dict(single[1])
