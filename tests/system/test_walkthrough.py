"""What a user does with the system, command by command, typed as it stands.

One cluster for all rows: on one machine, once with pods that are ready as soon as their probes say so and once with
readiness that waits for its initial delay, as in a cluster; with `--on=kubernetes` a real Kubernetes instead. The rows
build on one another; each says itself what it needs (the namespace, Kafka, the client pod), so that any of them can be
run alone.
"""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest
from tests.builders.cluster import EXAMPLES, GONE_WITHIN, READY_WITHIN, Cluster, is_ready_pod, is_true
from tests.builders.kinds_of_cluster import cluster_of_kind
from tests.builders.scrapes import forwarded
from tests.helm.program import helm_program

BOOTSTRAP = "my-cluster-kafka-bootstrap.kafka.svc:9092"
KINDS = {
    "kafkabridges.kafka.strimzi.io",
    "kafkaconnectors.kafka.strimzi.io",
    "kafkaconnects.kafka.strimzi.io",
    "kafkamirrormaker2s.kafka.strimzi.io",
    "kafkamirrormakers.kafka.strimzi.io",
    "kafkanodepools.kafka.strimzi.io",
    "kafkarebalances.kafka.strimzi.io",
    "kafkas.kafka.strimzi.io",
    "kafkatopics.kafka.strimzi.io",
    "kafkausers.kafka.strimzi.io",
    "strimzipodsets.core.strimzi.io",
}
TOPIC = """
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata:
  name: NAME
  labels: {strimzi.io/cluster: my-cluster}
spec: {partitions: 3, replicas: 3}
"""
USER = """
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaUser
metadata:
  name: NAME
  labels: {strimzi.io/cluster: my-cluster}
spec: {authentication: {type: scram-sha-512}}
"""


@pytest.fixture(scope="module")
def bare(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The operator in the namespace kafka, and nothing else."""
    with cluster_of_kind(request.param) as cluster:
        assert cluster.typed("kubectl create namespace kafka") == "namespace/kafka created\n"
        cluster.install_operator()
        yield cluster


@pytest.fixture(scope="module")
def cluster(bare: Cluster) -> Cluster:
    """`kubectl apply -f kafka-1.yaml -n kafka`, until all is ready."""
    assert bare.typed("kubectl apply -f kafka-1.yaml -n kafka") == "kafka.kafka.strimzi.io/my-cluster created\n"
    bare.until_ready()
    return bare


@pytest.fixture(scope="module")
def client(cluster: Cluster) -> Cluster:
    """The client pod runs."""
    said = cluster.typed("VERSION=3.6 envsubst < myclient.yaml | kubectl apply -f -")
    assert said == "daemonset.apps/myclient created\n"
    cluster.typed("kubectl rollout status ds/myclient --timeout=150s", within=160)
    return cluster


def lines_of(text: str) -> list[str]:
    return text.replace("\r", "").splitlines()


def table(text: str) -> list[list[str]]:
    """Cells of a printed table; a heading's words stay together, as two spaces part the columns."""
    return [re.split(r" {2,}", line.strip()) for line in lines_of(text) if line.strip()]


def names(text: str) -> set[str]:
    return {line.split()[0] for line in lines_of(text) if line.strip()}


# 1 Install the operator


def test_the_operator_is_ready_in_the_namespace(bare: Cluster) -> None:
    bare.kubectl(
        "wait", "--for=condition=Available", "deploy/strimzi-cluster-operator", "-n", "kafka", "--timeout=150s"
    )
    shown = bare.typed("kubectl get deploy,pod -n kafka")
    assert re.search(r"deployment.apps/strimzi-cluster-operator +1/1 +1 +1 ", shown)
    assert re.search(r"pod/strimzi-cluster-operator-\S+ +1/1 +Running +0 ", shown)


def test_the_operator_s_deployment_tells_the_supported_versions_with_their_images(bare: Cluster) -> None:
    shown = bare.typed("kubectl describe deploy -n kafka | grep KAFKA_IMAGES: -A3")
    for version in ("3.5.0", "3.5.1", "3.6.0"):
        assert re.search(rf"\b{version}=\S+-kafka-{version}\b", shown), shown


def test_eleven_kinds_are_defined(bare: Cluster) -> None:
    assert names(bare.typed("kubectl get crd | grep strimzi")) == KINDS


def test_the_definition_of_kafka_is_described(bare: Cluster) -> None:
    described = bare.typed("kubectl describe crd kafkas.kafka.strimzi.io")
    assert "Kind:         CustomResourceDefinition" in described
    for field in ("Listeners:", "Entity Operator:", "Bootstrap Servers:"):
        assert field in described
    assert described.count("Description:") > 100


def test_listeners_are_explained(bare: Cluster) -> None:
    explained = bare.typed("kubectl explain kafka.spec.kafka.listeners")
    assert "KIND:       Kafka" in explained
    for field in ("name\t<string> -required-", "port\t<integer> -required-", "tls\t<boolean> -required-", "type\t"):
        assert field in explained
    documented = re.findall(r"^  \w+\t<.*>.*\n(?:  enum: .*\n)?    \S.*$", explained, re.MULTILINE)
    assert len(documented) == len(re.findall(r"^  \w+\t<", explained, re.MULTILINE))


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_every_example_is_accepted(bare: Cluster, example: str) -> None:
    """Without a complaint about any field; the tests below apply those that there are now for real."""
    said = bare.typed(f"VERSION=3.6 envsubst < {example} | kubectl apply --dry-run=server -n kafka -f -")
    assert said.count("(server dry run)") == len(lines_of(said)), said


# 2 A cluster with ZooKeeper


def test_three_zookeepers_three_brokers_and_the_entity_operator_run(cluster: Cluster) -> None:
    expected = [f"my-cluster-{part}-{index}" for part in ("kafka", "zookeeper") for index in range(3)]
    pods = [name for name in cluster.pods() if not name.startswith("myclient")]
    assert [name for name in sorted(pods) if re.search(r"-\d$", name)] == expected
    assert sum(name.startswith("my-cluster-entity-operator-") for name in pods) == 1
    assert len(pods) == 8


def test_get_kafka_shows_wanted_replicas_and_readiness(cluster: Cluster) -> None:
    head, row = table(cluster.typed("kubectl get kafka -n kafka"))
    assert head[:4] == ["NAME", "DESIRED KAFKA REPLICAS", "DESIRED ZK REPLICAS", "READY"]
    assert {"WARNINGS", "METADATA STATE"} <= set(head)
    assert row[:4] == ["my-cluster", "3", "3", "True"]


def test_config_maps_and_secrets_are_there(cluster: Cluster) -> None:
    found = names(cluster.typed("kubectl get cm,secret -n kafka"))
    config_maps = {f"configmap/my-cluster-kafka-{index}" for index in range(3)} | {
        "configmap/my-cluster-zookeeper-config",
        "configmap/my-cluster-entity-topic-operator-config",
        "configmap/my-cluster-entity-user-operator-config",
    }
    secrets = {
        f"secret/my-cluster-{name}"
        for name in (
            "clients-ca",
            "clients-ca-cert",
            "cluster-ca",
            "cluster-ca-cert",
            "cluster-operator-certs",
            "entity-topic-operator-certs",
            "entity-user-operator-certs",
            "kafka-brokers",
            "zookeeper-nodes",
        )
    }
    assert config_maps <= found
    assert secrets <= found


def test_pods_belong_to_pod_sets_and_to_no_stateful_set(cluster: Cluster) -> None:
    head, *rows = table(cluster.typed("kubectl get strimzipodsets -n kafka"))
    assert head == ["NAME", "PODS", "READY PODS", "CURRENT PODS", "AGE"]
    assert [row[:4] for row in rows] == [["my-cluster-kafka", "3", "3", "3"], ["my-cluster-zookeeper", "3", "3", "3"]]
    assert "No resources found" in cluster.typed("kubectl get statefulset -A")


def test_nodes_are_described(cluster: Cluster) -> None:
    described = cluster.typed("kubectl describe node")
    for word in ("Name: ", "Capacity:", "Allocatable:", "Non-terminated Pods:", "Ready            True"):
        assert described.count(word) == 3, word
    for index in range(3):
        assert described.count(f" my-cluster-kafka-{index} ") == 1


def test_each_node_is_in_a_zone_of_its_own(cluster: Cluster) -> None:
    head, *rows = table(cluster.typed("kubectl get node --label-columns=topology.ebs.csi.aws.com/zone"))
    assert head[-1] == "ZONE"
    assert [row[1] for row in rows] == ["Ready"] * 3
    assert len({row[-1] for row in rows}) == 3


@pytest.mark.parametrize("part", ["kafka", "zookeeper"])
def test_pods_are_found_by_their_part_s_label(cluster: Cluster, part: str) -> None:
    _, *rows = table(cluster.typed(f"kubectl get pod -n kafka -l app.kubernetes.io/name={part}"))
    assert [row[0] for row in rows] == [f"my-cluster-{part}-{index}" for index in range(3)]
    assert {(row[1], row[2]) for row in rows} == {("1/1", "Running")}


def test_pods_are_found_by_their_cluster_s_label(cluster: Cluster) -> None:
    _, *rows = table(cluster.typed("kubectl get pod -n kafka -l app.kubernetes.io/instance=my-cluster"))
    assert len(rows) == 7


def test_no_two_brokers_share_a_zone(cluster: Cluster) -> None:
    brokers = cluster.objects("pod", "-n", "kafka", "-l", "strimzi.io/name=my-cluster-kafka")
    assert len({pod["spec"]["nodeName"] for pod in brokers}) == 3


def test_services_have_their_endpoints(cluster: Cluster) -> None:
    services = names(cluster.typed("kubectl get svc -n kafka"))
    expected = {
        "my-cluster-kafka-bootstrap",
        "my-cluster-kafka-brokers",
        "my-cluster-kafka-external-bootstrap",
        "my-cluster-kafka-0",
        "my-cluster-kafka-1",
        "my-cluster-kafka-2",
        "my-cluster-zookeeper-client",
        "my-cluster-zookeeper-nodes",
    }
    assert expected <= services
    shown = cluster.typed("kubectl get svc,endpointslice -n kafka")
    assert re.search(r"service/my-cluster-kafka-brokers +ClusterIP +None ", shown)
    assert re.search(r"service/my-cluster-kafka-external-bootstrap +NodePort +\S+ +<none> +9094:3\d{4}/TCP", shown)
    count = {"my-cluster-kafka-0": 1, "my-cluster-kafka-1": 1, "my-cluster-kafka-2": 1}
    slices = cluster.objects("endpointslice", "-n", "kafka")
    for name in expected:
        (one,) = [one for one in slices if one["metadata"]["labels"]["kubernetes.io/service-name"] == name]
        ready = [endpoint for endpoint in one["endpoints"] if endpoint["conditions"]["ready"]]
        assert len(ready) == count.get(name, 3), name


def test_every_claim_is_bound_to_a_volume(cluster: Cluster) -> None:
    shown = cluster.typed("kubectl get pvc,pv -n kafka")
    for claim in [f"data-0-my-cluster-kafka-{i}" for i in range(3)] + [
        f"data-my-cluster-zookeeper-{i}" for i in range(3)
    ]:
        assert re.search(rf"persistentvolumeclaim/{claim} +Bound +pvc-\S+ +10Gi +RWO", shown), claim
        assert re.search(rf"persistentvolume/pvc-\S+ +10Gi +RWO +Delete +Bound +kafka/{claim}", shown), claim


def test_a_broker_s_configuration_is_described(cluster: Cluster) -> None:
    described = cluster.typed("kubectl describe cm -n kafka my-cluster-kafka-0")
    for line in (
        "broker.id=0",
        "log.dirs=/var/lib/kafka/data-0/kafka-log0",
        "default.replication.factor=3",
        "min.insync.replicas=2",
        "inter.broker.protocol.version=3.6",
    ):
        assert line in lines_of(described), line
    listeners = next(line for line in lines_of(described) if line.startswith("listeners="))
    assert [address.rsplit(":", 1)[1] for address in listeners.split(",")] == ["9090", "9091", "9092", "9093", "9094"]


def test_the_status_tells_three_listeners(cluster: Cluster) -> None:
    listeners = json.loads(cluster.typed("kubectl get kafka -n kafka my-cluster -o jsonpath={.status.listeners}"))
    told = {listener["name"]: listener["bootstrapServers"] for listener in listeners}
    service = cluster.found("svc", "my-cluster-kafka-external-bootstrap", "-n", "kafka") or {}
    port = service["spec"]["ports"][0]["nodePort"]
    addresses = {
        one["address"]
        for node in cluster.objects("node")
        for one in node["status"]["addresses"]
        if one["type"] == "InternalIP"
    }
    assert told == {
        "plain": "my-cluster-kafka-bootstrap.kafka.svc:9092",
        "tls": "my-cluster-kafka-bootstrap.kafka.svc:9093",
        "external": ",".join(f"{address}:{port}" for address in sorted(addresses)),
    }


def test_network_policies_and_disruption_budgets_select_the_right_pods(cluster: Cluster) -> None:
    assert names(cluster.typed("kubectl get networkpolicy,pdb -n kafka | grep my-cluster")) == {
        "networkpolicy.networking.k8s.io/my-cluster-network-policy-kafka",
        "networkpolicy.networking.k8s.io/my-cluster-network-policy-zookeeper",
        "networkpolicy.networking.k8s.io/my-cluster-entity-operator",
        "poddisruptionbudget.policy/my-cluster-kafka",
        "poddisruptionbudget.policy/my-cluster-zookeeper",
    }
    for part in ("kafka", "zookeeper"):
        selector = f"strimzi.io/cluster=my-cluster,strimzi.io/kind=Kafka,strimzi.io/name=my-cluster-{part}"
        assert len(cluster.objects("pod", "-n", "kafka", "-l", selector)) == 3
        policy = cluster.typed(f"kubectl describe networkpolicy my-cluster-network-policy-{part} -n kafka")
        assert re.search(rf"PodSelector: +{selector}$", policy, re.MULTILINE)
        budget = cluster.typed(f"kubectl describe pdb my-cluster-{part} -n kafka")
        assert re.search(rf"Selector: +{selector}$", budget, re.MULTILINE)
        assert re.search(r"Allowed disruptions: +1$", budget, re.MULTILINE)


def test_logs_and_exec_work_on_every_pod(client: Cluster) -> None:
    for name, pod in client.pods().items():
        for container in pod["spec"]["containers"]:
            which = f"{name} -c {container['name']} -n kafka"
            logged = client.typed(f"kubectl logs {which}")
            assert logged or name.startswith("myclient"), which
            # kubectl itself says now and then, of an empty message that came early, that it discards it.
            said = client.typed(f"kubectl exec {which} -- sh -c 'echo in $HOSTNAME' 2> /dev/null")
            assert said == f"in {name}\n"


# 3 A client pod


def test_the_client_runs_in_the_current_namespace(client: Cluster) -> None:
    current = client.typed("kubectl config view --minify -o jsonpath={..namespace}")
    assert current == "kafka"
    pods = client.objects("pod", "-n", current, "-l", "name=kafkaclient")
    assert len(pods) == 3
    assert all(is_ready_pod(pod) for pod in pods)


def test_the_client_has_kafka_s_tools(client: Cluster) -> None:
    shown = client.typed_in_terminal("kubectl exec -it ds/myclient -- ls /opt/bitnami/kafka/bin")
    tools = {"kafka-topics.sh", "kafka-console-producer.sh", "kafka-console-consumer.sh", "kafka-configs.sh"}
    assert tools <= set(shown.split())
    assert len(shown.split()) > 30


def test_exec_gives_a_terminal_that_is_typed_in(client: Cluster) -> None:
    # The size comes after the first prompt, maybe.
    sized = "until [ \"$(stty size)\" != '0 0' ]; do sleep 0.1; done"
    shown = client.typed_in_terminal(
        "kubectl exec -it ds/myclient -- sh", given=f"tty; {sized}; stty size; echo $((40+2)); exit\n"
    )
    assert "/dev/pts/" in shown
    assert "24 80" in lines_of(shown)
    assert "42" in lines_of(shown)


def test_the_client_reaches_three_brokers(client: Cluster) -> None:
    shown = client.typed_in_terminal(
        f"kubectl exec -it ds/myclient -- kafka-broker-api-versions.sh --bootstrap-server {BOOTSTRAP}"
    )
    assert sorted(re.findall(r"\(id: (\d) rack", shown)) == ["0", "1", "2"]


@pytest.mark.parametrize("broker", [0, 1, 2])
def test_all_values_of_a_broker_are_described(client: Cluster, broker: int) -> None:
    shown = client.typed_in_terminal(
        f"kubectl exec -it ds/myclient -- kafka-configs.sh --bootstrap-server {BOOTSTRAP}"
        f" --broker {broker} --all --describe"
    )
    assert f"All configs for broker {broker} are" in shown
    assert re.search(rf"\bbroker\.id={broker} ", shown)
    assert re.search(r"\bmin\.insync\.replicas=2 ", shown)
    assert shown.count(" sensitive=") > 200


def test_a_topic_resource_becomes_a_topic(client: Cluster) -> None:
    client.typed("kubectl apply -f topic.yaml -n kafka")
    client.kubectl("wait", "--for=condition=Ready", "kafkatopic/orders", "-n", "kafka", "--timeout=150s")

    def is_listed() -> bool:
        """Whichever broker is asked: they hear of it one after the other."""
        listed = client.typed_in_terminal(
            f"kubectl exec -it ds/myclient -- kafka-topics.sh --bootstrap-server {BOOTSTRAP} --list"
        )
        return "orders" in lines_of(listed)

    client.until("the topic is listed", is_listed)
    head, *rows = table(client.typed("kubectl get kafkatopics -n kafka"))
    assert head == ["NAME", "CLUSTER", "PARTITIONS", "REPLICATION FACTOR", "READY"]
    assert ["orders", "my-cluster", "3", "3", "True"] in rows


def test_user_resources_become_users_with_their_secrets(client: Cluster) -> None:
    client.typed("kubectl apply -f user-scram.yaml -f user-tls.yaml -n kafka")
    users = [user["metadata"]["name"] for user in client.objects("kafkauser", "-n", "kafka")]
    assert len(users) == 2
    for user in users:
        client.kubectl("wait", "--for=condition=Ready", f"kafkauser/{user}", "-n", "kafka", "--timeout=150s")
        secret = client.found("secret", user, "-n", "kafka")
        assert secret is not None
        assert {"password", "user.crt"} & set(secret["data"])


def test_records_come_out_as_they_went_in(client: Cluster) -> None:
    words = "".join(f"word {number} ä€\n" for number in range(100))
    at = f"--bootstrap-server {BOOTSTRAP} --topic words"
    client.typed(f"kubectl exec -i ds/myclient -- kafka-console-producer.sh {at}", given=words)
    read = client.typed(
        f"kubectl exec ds/myclient -- kafka-console-consumer.sh {at} --from-beginning --max-messages 100 2>/dev/null"
    )
    assert lines_of(read) == lines_of(words)


class VerifiableProducer:
    """kafka-verifiable-producer.sh with acks=all in the client pod; `acknowledged` grows while it runs."""

    def __init__(self, cluster: Cluster, topic: str, count: int, a_second: int) -> None:
        command = (
            f"kubectl exec ds/myclient -- kafka-verifiable-producer.sh --bootstrap-server {BOOTSTRAP}"
            f" --topic {topic} --acks -1 --max-messages {count} --throughput {a_second}"
        )
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self._process = subprocess.Popen(
            ["bash", "-c", command], env=cluster.environment, stdout=subprocess.PIPE, text=True
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                said = json.loads(line)
                if said["name"] == "producer_send_success":
                    self.acknowledged.add(said["value"])
                elif said["name"] == "producer_send_error":
                    self.refused.add(said["value"])

    def wait(self, within: float) -> None:
        self._process.wait(within)
        self._thread.join(within)


def test_a_deleted_broker_comes_back_with_its_volume_while_a_producer_goes_on(client: Cluster) -> None:
    before = client.pods()["my-cluster-kafka-1"]
    producer = VerifiableProducer(client, "numbers", 4000, 200)
    client.until("a hundred records are acknowledged", lambda: len(producer.acknowledged) > 100)
    assert "deleted" in client.typed("kubectl delete pod my-cluster-kafka-1 -n kafka --wait=false")
    when_deleted = len(producer.acknowledged)

    def comes_back() -> bool:
        pod = client.pods().get("my-cluster-kafka-1")
        return pod is not None and pod["metadata"]["uid"] != before["metadata"]["uid"] and is_ready_pod(pod)

    client.until("my-cluster-kafka-1 is ready again", comes_back)
    assert len(producer.acknowledged) > when_deleted, "nothing was acknowledged while a broker was away"
    after = client.pods()["my-cluster-kafka-1"]
    assert claims_of(after) == claims_of(before) == ["data-0-my-cluster-kafka-1"]
    producer.wait(READY_WITHIN)
    assert len(producer.acknowledged) + len(producer.refused) == 4000
    assert producer.acknowledged <= set(all_records_of(client, "numbers")), "an acknowledged record is lost"
    client.until_ready()


def all_records_of(client: Cluster, topic: str) -> list[str]:
    """To the topic's end: it may hold more than was acknowledged, as a refused record may be written all the same."""
    at = f"--bootstrap-server {BOOTSTRAP} --topic {topic}"
    ends = client.typed(f"kubectl exec ds/myclient -- kafka-get-offsets.sh {at} 2>/dev/null")
    count = sum(int(line.rsplit(":", 1)[1]) for line in lines_of(ends))
    read = client.typed(
        f"kubectl exec ds/myclient -- kafka-console-consumer.sh {at} --from-beginning"
        f" --max-messages {count} --timeout-ms 60000 2>/dev/null"
    )
    assert len(lines_of(read)) == count
    return lines_of(read)


def claims_of(pod: dict[str, object]) -> list[str]:
    volumes = pod["spec"]["volumes"]  # type: ignore[index]
    return [one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one]


# 4 Web UI


@pytest.fixture(scope="module")
def console(client: Cluster) -> Iterator[str]:
    """`helm install kafka-ui … -f kafkaui-values.yml`, and the address of its Service."""
    said = client.typed(f"{helm_program()} install kafka-ui ../charts/kafka-ui -n kafka -f kafkaui-values.yml")
    assert "STATUS: deployed" in said
    client.typed("kubectl rollout status deploy/kafka-ui -n kafka --timeout=150s", within=160)
    with forwarded(client, "svc/kafka-ui", 80) as port:
        yield f"http://127.0.0.1:{port}"


def answer(url: str) -> Any:
    with urlopen(url, timeout=60) as said:
        return json.loads(said.read())


def test_the_console_is_ready_behind_its_service(console: str, client: Cluster) -> None:
    _, row = table(client.typed("kubectl get pod -n kafka -l app.kubernetes.io/name=kafka-ui"))
    assert row[1:4] == ["1/1", "Running", "0"]
    assert re.search(
        r"^kafka-ui +ClusterIP +\S+ +<none> +80/TCP", client.typed("kubectl get svc -n kafka"), re.MULTILINE
    )
    assert answer(f"{console}/actuator/health") == {"status": "UP"}
    with urlopen(f"{console}/", timeout=60) as page:
        assert "<title>" in page.read().decode()


def test_the_console_has_the_cluster_named_yaml_with_its_brokers(console: str, client: Cluster) -> None:
    def online() -> Any:
        (one,) = answer(f"{console}/api/clusters")["clusters"]
        return one if one["status"] == "online" else None

    seen = client.until("the console has seen the cluster", online)
    assert (seen["name"], seen["brokerCount"], seen["readOnly"]) == ("yaml", 3, False)
    assert [one["id"] for one in answer(f"{console}/api/clusters/yaml/brokers")["brokers"]] == [0, 1, 2]


def test_the_console_shows_topics_with_their_messages_and_groups_with_their_lag(console: str, client: Cluster) -> None:
    client.kubectl("apply", "-n", "kafka", "-f", "-", given=TOPIC.replace("NAME", "shown"))
    client.kubectl("wait", "--for=condition=Ready", "kafkatopic/shown", "-n", "kafka", "--timeout=150s")
    at = f"--bootstrap-server {BOOTSTRAP} --topic shown"
    words = "".join(f"word {number}\n" for number in range(30))
    client.typed(f"kubectl exec -i ds/myclient -- kafka-console-producer.sh {at}", given=words)
    client.typed(
        f"kubectl exec ds/myclient -- kafka-console-consumer.sh {at} --group readers --from-beginning --max-messages 20"
    )

    def topic() -> Any:
        found = answer(f"{console}/api/clusters/yaml/topics?search=shown")["topics"]
        return next((one for one in found if one["messages"] == 30), None)

    def group() -> Any:
        found = answer(f"{console}/api/clusters/yaml/consumer-groups?topic=shown")["groups"]
        return next((one for one in found if one["lag"] == 10), None)

    shown = client.until("the console shows the topic with its messages", topic)
    assert (shown["partitions"], shown["replicationFactor"], shown["outOfSync"]) == (3, 3, 0)
    assert client.until("the console shows the group with its lag", group)["name"] == "readers"


def test_the_console_reads_messages(console: str, client: Cluster) -> None:
    client.kubectl("apply", "-n", "kafka", "-f", "-", given=TOPIC.replace("NAME", "read"))
    client.kubectl("wait", "--for=condition=Ready", "kafkatopic/read", "-n", "kafka", "--timeout=150s")
    words = {f"word {number} ä€" for number in range(30)}
    at = f"--bootstrap-server {BOOTSTRAP} --topic read"
    client.typed(f"kubectl exec -i ds/myclient -- kafka-console-producer.sh {at}", given="\n".join(words) + "\n")
    with urlopen(f"{console}/api/clusters/yaml/topics/read/messages?mode=EARLIEST&limit=100", timeout=60) as stream:
        events = [block.splitlines() for block in stream.read().decode().split("\n\n")]
    messages = [json.loads(lines[1].removeprefix("data: ")) for lines in events if lines[:1] == ["event: message"]]
    assert {one["value"]["text"] for one in messages} == words


def test_the_console_goes_with_its_release(console: str, client: Cluster) -> None:
    client.typed(f"{helm_program()} uninstall kafka-ui -n kafka")
    client.until(
        "nothing of it is left",
        lambda: not client.objects("all,cm,secret,sa", "-n", "kafka", "-l", "app.kubernetes.io/instance=kafka-ui"),
    )


# Everything goes


def test_deleting_the_manifest_deletes_what_it_made_and_lets_topics_and_users_go(client: Cluster) -> None:
    client.kubectl("apply", "-n", "kafka", "-f", "-", given=TOPIC.replace("NAME", "held"))
    client.kubectl("apply", "-n", "kafka", "-f", "-", given=USER.replace("NAME", "ann"))
    client.kubectl("wait", "--for=condition=Ready", "kafkatopic/held", "kafkauser/ann", "-n", "kafka", "--timeout=150s")
    said = client.typed("kubectl delete -f kafka-1.yaml -n kafka", within=GONE_WITHIN)
    assert said.startswith('kafka.kafka.strimzi.io "my-cluster" deleted')

    def all_gone() -> bool:
        left = client.objects(
            "all,pvc,cm,secret,networkpolicy,pdb", "-n", "kafka", "-l", "app.kubernetes.io/instance=my-cluster"
        )
        return left == []

    client.until("nothing of my-cluster is left", all_gone, within=GONE_WITHIN)
    client.until("its volumes are gone (deleteClaim)", lambda: not client.objects("pv"), within=GONE_WITHIN)
    client.typed("kubectl delete kafkatopic,kafkauser --all -n kafka", within=GONE_WITHIN)


def test_deleting_the_namespace_deletes_everything_in_it(client: Cluster) -> None:
    client.typed("kubectl apply -f kafka-1.yaml -n kafka")
    client.until_ready()
    client.kubectl("apply", "-n", "kafka", "-f", "-", given=TOPIC.replace("NAME", "held"))
    client.kubectl("apply", "-n", "kafka", "-f", "-", given=USER.replace("NAME", "ann"))
    client.kubectl("wait", "--for=condition=Ready", "kafkatopic/held", "kafkauser/ann", "-n", "kafka", "--timeout=150s")
    client.typed("kubectl delete ns kafka", within=GONE_WITHIN)
    assert "kafka" not in names(client.typed("kubectl get ns"))
    shown = client.typed("kubectl get kafka,kafkatopic,kafkauser,pod,pvc -A")
    assert {line.split()[0] for line in lines_of(shown) if line.split()} <= {"No", "NAMESPACE", "kube-system"}, shown


def test_nothing_hangs_when_the_operator_went_first_and_then_the_cluster(client: Cluster) -> None:
    client.typed("kubectl create namespace kafka")
    client.install_operator()
    client.typed("kubectl apply -f kafka-1.yaml -n kafka")
    client.until_ready()
    client.kubectl("apply", "-n", "kafka", "-f", "-", given=TOPIC.replace("NAME", "held"))
    client.kubectl("wait", "--for=condition=Ready", "kafkatopic/held", "-n", "kafka", "--timeout=150s")
    client.uninstall_operator()
    client.until(
        "the operator is gone", lambda: not any("operator-" in pod and "strimzi" in pod for pod in client.pods())
    )
    client.typed("kubectl delete kafka my-cluster -n kafka")
    client.typed("kubectl delete kafkatopic held -n kafka", within=GONE_WITHIN)
    client.typed("kubectl delete ns kafka", within=GONE_WITHIN)
    assert "kafka" not in names(client.typed("kubectl get ns"))
    assert is_true(client.objects("node")[0], "Ready")
