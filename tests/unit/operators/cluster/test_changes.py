"""A running cluster is changed: one pod at a time, never below min.insync.replicas, never a broker that holds data."""

from typing import Any

from tests.builders.fake_brokers import FakeTopic
from tests.builders.kafka import kafka_object
from tests.builders.kafka_world import KAFKAS, NAME, NAMESPACE, POD_SET_RESOURCE, KafkaWorld, kafka_world
from tests.builders.virtual_time import in_virtual_time

from klamm.localkube.objects import CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, STORAGE_CLASSES

BROKERS = [f"my-cluster-kafka-{number}" for number in range(3)]
ZOOKEEPERS = [f"my-cluster-zookeeper-{number}" for number in range(3)]
CHANGED = {"config": {"num.io.threads": 4}}


def deaths(world: KafkaWorld, part: str = "kafka") -> list[str]:
    return [death.pod for death in world.deaths if death.pod.startswith(f"my-cluster-{part}-")]


def assert_one_at_a_time(world: KafkaWorld) -> None:
    for death in world.deaths:
        assert death.not_ready == frozenset(), death


def claim_uids(world: KafkaWorld) -> dict[str, str]:
    claims = world.cluster.objects.list(PERSISTENT_VOLUME_CLAIMS, NAMESPACE)
    return {claim["metadata"]["name"]: claim["metadata"]["uid"] for claim in claims}


def small(**kafka: Any) -> Any:
    """Ephemeral storage: nothing but pods to look at."""
    storage = {"type": "ephemeral", "volumes": []}
    return kafka_object({"spec": {"kafka": {"storage": storage, **kafka}, "zookeeper": {"storage": storage}}})


@in_virtual_time
async def test_a_changed_setting_restarts_brokers_one_by_one_with_the_controller_last() -> None:
    async with kafka_world() as world:
        world.brokers.topics["orders"] = FakeTopic((0, 1, 2))
        world.brokers.controller = 1
        world.apply(small())
        await world.ready()
        world.change(kafka=CHANGED)
        await world.ready()
        assert deaths(world) == [BROKERS[0], BROKERS[2], BROKERS[1]]
        assert deaths(world, "zookeeper") == []
        assert_one_at_a_time(world)
        assert "its configuration changed" in world.cluster.events("ConfigChangeRequiresRestart", NAMESPACE)[0]


@in_virtual_time
async def test_no_broker_is_restarted_while_a_partition_needs_it() -> None:
    async with kafka_world() as world:
        world.brokers.topics["orders"] = FakeTopic((0, 1, 2))
        world.apply(small())
        await world.ready()
        world.brokers.lagging.add(2)
        world.change(kafka=CHANGED)
        await world.passes(60)
        # Broker 2 is out of sync, so it may go; 0 and 1 are the two that keep the partition writable.
        assert deaths(world) == [BROKERS[2]]
        [condition] = world.conditions("NotReady")
        told = "my-cluster-kafka-1 is needed by partition orders-0, which has 2 in-sync replicas and needs 2"
        assert told in condition["message"]
        world.brokers.lagging.clear()
        await world.ready()
        assert deaths(world) == [BROKERS[2], BROKERS[1], BROKERS[0]], "the controller, which is 0, goes last"


@in_virtual_time
async def test_a_broker_that_knows_no_topic_yet_does_not_let_the_others_go() -> None:
    async with kafka_world() as world:
        world.brokers.topics["orders"] = FakeTopic((0, 1, 2))
        world.apply(small())
        await world.ready()
        world.brokers.lagging.add(2)
        world.brokers.blind.add(0)
        world.change(kafka=CHANGED)
        await world.passes(60)
        assert deaths(world) == [BROKERS[2]]
        world.brokers.lagging.clear()
        await world.ready()


@in_virtual_time
async def test_brokers_that_do_not_answer_are_not_restarted() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        world.brokers.down = True
        world.change(kafka=CHANGED)
        await world.passes(60)
        assert deaths(world) == []
        assert "no broker answers about its partitions" in world.conditions("NotReady")[0]["message"]


@in_virtual_time
async def test_a_roll_stops_at_the_first_pod_that_does_not_come_back() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        world.cluster.holds_back.add(BROKERS[1])
        world.brokers.controller = 2
        world.change(kafka=CHANGED)
        await world.passes(120)
        assert deaths(world) == [BROKERS[0], BROKERS[1]]
        world.cluster.holds_back.clear()
        world.cluster.becomes(BROKERS[1], ready=True, namespace=NAMESPACE)
        await world.ready()
        assert deaths(world) == BROKERS


@in_virtual_time
async def test_a_change_that_is_taken_back_in_time_restarts_nobody_else() -> None:
    async with kafka_world() as world:
        world.brokers.controller = 2
        world.apply(small())
        await world.ready()
        world.cluster.holds_back.add(BROKERS[0])
        world.change(kafka=CHANGED)
        await world.passes(20)
        world.cluster.holds_back.clear()
        world.change(kafka={"config": None})
        await world.ready()
        assert deaths(world) == [BROKERS[0], BROKERS[0]]


@in_virtual_time
async def test_zookeeper_is_rolled_before_brokers_with_its_leader_last() -> None:
    async with kafka_world() as world:
        world.zookeeper_leader = ZOOKEEPERS[0]
        world.brokers.controller = 2
        world.apply(small())
        await world.ready()
        world.change(kafka=CHANGED, zookeeper={"config": {"tickTime": 3000}})
        await world.ready()
        order = [death.pod for death in world.deaths if "entity" not in death.pod]
        assert order == [ZOOKEEPERS[1], ZOOKEEPERS[2], ZOOKEEPERS[0], *BROKERS]
        assert_one_at_a_time(world)


@in_virtual_time
async def test_an_operator_that_dies_in_a_roll_goes_on_where_it_was() -> None:
    async with kafka_world() as world:
        world.brokers.controller = 2
        world.apply(small())
        await world.ready()
        world.change(kafka=CHANGED)
        await world.until("one is restarted", lambda: None if deaths(world) else "none")
        await world.stop_operator()
        world.start_operator()
        await world.ready()
        assert deaths(world) == BROKERS


@in_virtual_time
async def test_manual_roll_of_a_pod_set_restarts_each_of_its_pods_once() -> None:
    async with kafka_world() as world:
        world.brokers.controller = 2
        world.apply(small())
        await world.ready()
        world.annotate(POD_SET_RESOURCE, "my-cluster-kafka", manual_rolling_update="true")
        await world.until("all were restarted", lambda: None if len(deaths(world)) == 3 else str(deaths(world)), 300)
        await world.passes(120)
        assert deaths(world) == BROKERS
        assert_one_at_a_time(world)
        annotations = world.get(POD_SET_RESOURCE, "my-cluster-kafka")["metadata"]["annotations"]
        assert "strimzi.io/manual-rolling-update" not in annotations


@in_virtual_time
async def test_manual_roll_of_one_pod() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        world.annotate(PODS, ZOOKEEPERS[1], manual_rolling_update="true")
        await world.passes(60)
        assert [death.pod for death in world.deaths] == [ZOOKEEPERS[1]]
        assert "asks for it" in world.cluster.events("ManualRollingUpdate", NAMESPACE)[0]


@in_virtual_time
async def test_a_pod_is_made_anew_with_empty_volumes() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        claim = "data-my-cluster-zookeeper-2"
        before = claim_uids(world)
        world.annotate(PODS, ZOOKEEPERS[2], delete_pod_and_pvc="true")
        await world.until("the pod goes", lambda: None if deaths(world, "zookeeper") else "it is there")
        await world.ready(120)
        after = claim_uids(world)
        assert [death.pod for death in world.deaths] == [ZOOKEEPERS[2]]
        assert {name for name in before if before[name] != after[name]} == {claim}
        assert world.get(PERSISTENT_VOLUME_CLAIMS, claim)["status"]["phase"] == "Bound"


@in_virtual_time
async def test_more_brokers_are_added_without_touching_those_that_run() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        before = world.uids()
        world.change(kafka={"replicas": 5})
        await world.ready()
        after = world.uids()
        assert {"my-cluster-kafka-3", "my-cluster-kafka-4"} <= set(after)
        assert [after[name] for name in BROKERS] == [before[name] for name in BROKERS]


@in_virtual_time
async def test_a_broker_that_holds_replicas_is_not_taken_away_and_the_rest_goes_on() -> None:
    async with kafka_world() as world:
        world.brokers.topics["orders"] = FakeTopic((0, 1, 3))
        world.apply(small(replicas=4))
        await world.ready()
        world.change(kafka={"replicas": 3, **CHANGED})
        await world.ready()
        assert "my-cluster-kafka-3" in world.pods()
        assert "num.io.threads=4" in world.get(CONFIG_MAPS, "my-cluster-kafka-3")["data"]["server.config"]
        told = {one["reason"]: one["message"] for one in world.conditions("Warning")}
        assert "broker 3 holds replicas of orders-0" in told["ScaleDownPreventionCheck"]
        assert "put spec.kafka.replicas back to 4" in told["ScaleDownPreventionCheck"]
        world.brokers.topics["orders"] = FakeTopic((0, 1, 2))
        await world.until("broker 3 is gone", lambda: "it runs" if "my-cluster-kafka-3" in world.pods() else None)
        await world.ready()
        await world.passes(5)
        assert "my-cluster-kafka-3" not in world.names(CONFIG_MAPS)
        assert "my-cluster-kafka-3.crt" not in world.get(SECRETS, "my-cluster-kafka-brokers")["data"]
        reasons = {one["reason"] for one in world.conditions("Warning")}
        assert "ScaleDownPreventionCheck" not in reasons


@in_virtual_time
async def test_the_check_of_a_scale_down_can_be_skipped() -> None:
    async with kafka_world() as world:
        world.brokers.topics["orders"] = FakeTopic((0, 1, 3))
        world.apply(small(replicas=4))
        await world.ready()
        world.annotate(KAFKAS, NAME.name, skip_broker_scaledown_check="true")
        world.change(kafka={"replicas": 3})
        await world.ready()
        assert "my-cluster-kafka-3" not in world.pods()


@in_virtual_time
async def test_claims_of_removed_brokers_go_only_when_they_may() -> None:
    async with kafka_world() as world:
        volumes = [
            {"id": 0, "type": "persistent-claim", "size": "1Gi", "deleteClaim": True},
            {"id": 1, "type": "persistent-claim", "size": "1Gi"},
        ]
        world.apply(kafka_object({"spec": {"kafka": {"replicas": 4, "storage": {"volumes": volumes}}}}))
        await world.ready()
        world.change(kafka={"replicas": 3})
        await world.ready()
        await world.passes(10)
        left = [name for name in world.names(PERSISTENT_VOLUME_CLAIMS) if name.endswith("kafka-3")]
        assert left == ["data-1-my-cluster-kafka-3"]


@in_virtual_time
async def test_the_number_of_zookeepers_stays() -> None:
    async with kafka_world() as world:
        world.apply(small())
        await world.ready()
        world.change(zookeeper={"replicas": 5})
        await world.ready()
        assert [name for name in world.pods() if "zookeeper" in name] == ZOOKEEPERS
        [told] = [one for one in world.conditions("Warning") if one["reason"] == "ZooKeeperReplicas"]
        assert "put it back to 3" in told["message"]


def sizes(world: KafkaWorld) -> set[str]:
    claims = [world.get(PERSISTENT_VOLUME_CLAIMS, name) for name in world.names(PERSISTENT_VOLUME_CLAIMS)]
    return {
        claim["spec"]["resources"]["requests"]["storage"]
        for claim in claims
        if "kafka" in claim["metadata"]["name"].removeprefix("data-my-cluster")
    }


GROWN = {"storage": {"volumes": [{"id": 0, "type": "persistent-claim", "size": "20Gi"}]}}


@in_virtual_time
async def test_claims_grow_where_their_class_allows_it() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        pods = world.uids()
        world.change(kafka=GROWN)
        await world.ready()
        assert sizes(world) == {"20Gi"}
        assert world.uids() == pods


@in_virtual_time
async def test_claims_of_a_class_without_growth_stay_and_it_is_told() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        world.cluster.objects.patch(STORAGE_CLASSES, None, "standard", {"allowVolumeExpansion": False})
        world.change(kafka=GROWN)
        await world.ready()
        assert sizes(world) == {"10Gi"}
        told = [one["message"] for one in world.conditions("Warning") if one["reason"] == "PvcResizingWarning"]
        assert "stays at 10Gi: its storage class standard does not let volumes grow" in told[0]
        assert len(told) == 3


@in_virtual_time
async def test_storage_that_cannot_be_had_is_refused_and_the_old_one_stays() -> None:
    async with kafka_world() as world:
        world.apply(kafka_object())
        await world.ready()
        world.change(kafka={"storage": {"volumes": [{"id": 0, "type": "persistent-claim", "size": "5Gi"}]}})
        await world.ready()
        assert sizes(world) == {"10Gi"}
        told = [one["message"] for one in world.conditions("Warning") if one["reason"] == "KafkaStorage"]
        assert "is less than the 10Gi in use" in told[0]
