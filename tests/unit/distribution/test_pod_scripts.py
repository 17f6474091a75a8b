"""What pods run, in plain folders and with a stand-in for java."""

import stat
from pathlib import Path

import pytest
from tests.builders.kafka_release import fake_release, fill
from tests.builders.pod_folders import Pod

from klamm.distribution.homes import KafkaHome, build
from klamm.distribution.store import Store

ADDRESSES = """\
export STRIMZI_NODEPORT_DEFAULT_ADDRESS=node.example
export STRIMZI_NODEPORT_INTERNALIP_ADDRESS=10.0.0.7
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> KafkaHome:
    """One for all pods, as on a machine: scripts write into their pod's folders only."""
    store = Store(tmp_path_factory.mktemp("installation") / "store")
    fill(store)
    return build(store, fake_release())


@pytest.fixture
def broker(tmp_path: Path, home: KafkaHome) -> Pod:
    made = Pod(tmp_path, home, "my-cluster-kafka-0")
    made.write("cluster-ca-certs/ca.crt", "CLUSTER CA")
    made.write("cluster-ca-certs/ca-2023.crt", "OLD CLUSTER CA\n")
    made.write("client-ca-certs/ca.crt", "CLIENTS CA\n")
    made.write("broker-certs/my-cluster-kafka-0.key", "KEY\n")
    made.write("broker-certs/my-cluster-kafka-0.crt", "CERTIFICATE\n")
    made.write("custom-config/server.config", "broker.id=0\n")
    made.write("custom-config/log4j.properties", "")
    return made


@pytest.fixture
def zookeeper(tmp_path: Path, home: KafkaHome) -> Pod:
    made = Pod(tmp_path, home, "my-cluster-zookeeper-1")
    made.write("cluster-ca-certs/ca.crt", "CLUSTER CA\n")
    made.write("zookeeper-node-certs/my-cluster-zookeeper-1.key", "KEY\n")
    made.write("zookeeper-node-certs/my-cluster-zookeeper-1.crt", "CERTIFICATE\n")
    made.write("custom-config/zookeeper.node-count", "3")
    made.environment = {
        "ZOOKEEPER_DOMAIN": "my-cluster-zookeeper-nodes.kafka.svc.cluster.local",
        "ZOOKEEPER_CONFIGURATION": "tickTime=2000\ninitLimit=5",
    }
    return made


def test_the_brokers_stores_are_made_from_its_volumes(broker: Pod) -> None:
    result = broker.run("kafka_run.sh")
    assert result.returncode == 0, result.stderr
    assert broker.made("kafka/cluster.keystore.pem") == "KEY\nCERTIFICATE\n"
    assert broker.made("kafka/cluster.truststore.pem") == "OLD CLUSTER CA\nCLUSTER CA\n"
    assert broker.made("kafka/clients.truststore.pem") == "CLIENTS CA\n"


def test_stores_and_settings_are_the_users_alone(broker: Pod) -> None:
    broker.run("kafka_run.sh")
    for path in ("kafka/cluster.keystore.pem", "kafka/cluster.truststore.pem", "strimzi.properties"):
        assert stat.S_IMODE((broker.folder / "tmp" / path).stat().st_mode) == 0o600


def test_what_the_image_sets_gives_way_to_what_the_configuration_says(broker: Pod) -> None:
    broker.environment["KAFKA_SERVER_DEFAULTS"] = "first=1 second=*"
    broker.run("kafka_run.sh")
    assert broker.made("strimzi.properties").splitlines() == ["first=1", "second=*", "broker.id=0"]


def test_a_listeners_own_certificate_becomes_a_store(broker: Pod) -> None:
    broker.write("certificates/custom-external-9094-certs/tls.key", "OWN KEY\n")
    broker.write("certificates/custom-external-9094-certs/tls.crt", "OWN CERTIFICATE\n")
    broker.run("kafka_run.sh")
    assert broker.made("kafka/custom-external-9094.keystore.pem") == "OWN KEY\nOWN CERTIFICATE\n"


def test_rack_and_addresses_are_filled_in(broker: Pod) -> None:
    broker.write("init/rack.id", "zone-b\n")
    broker.write("init/external.address", ADDRESSES)
    broker.write(
        "custom-config/server.config",
        "broker.rack=${STRIMZI_RACK_ID}\n"
        "advertised.listeners=A://${STRIMZI_NODEPORT_DEFAULT_ADDRESS}:31000,B://${STRIMZI_NODEPORT_INTERNALIP_ADDRESS}:31001\n",
    )
    broker.run("kafka_run.sh")
    assert broker.made("strimzi.properties") == (
        "broker.rack=zone-b\nadvertised.listeners=A://node.example:31000,B://10.0.0.7:31001\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "password=${OTHER_PLACEHOLDER}",
        "a=$(touch EVIL)",
        "b=`touch EVIL`",
        "c=back\\slash\\",
        'd="quotes" and $HOME',
        "e=*",
        "f=-n %s",
    ],
)
def test_settings_are_copied_as_they_are(broker: Pod, line: str) -> None:
    broker.write("custom-config/server.config", line + "\n")
    broker.run("kafka_run.sh")
    assert broker.made("strimzi.properties") == line + "\n"
    assert not (broker.folder / "EVIL").exists()


def test_what_kafka_init_wrote_is_not_executed(broker: Pod) -> None:
    evil = broker.folder / "EVIL"
    broker.write("init/external.address", f"export STRIMZI_NODEPORT_DEFAULT_ADDRESS=$(touch {evil})\ntouch {evil}\n")
    broker.write("custom-config/server.config", "x=${STRIMZI_NODEPORT_DEFAULT_ADDRESS}\n")
    broker.run("kafka_run.sh")
    assert broker.made("strimzi.properties") == f"x=$(touch {evil})\n"
    assert not evil.exists()


def test_java_runs_the_broker_with_the_pods_options(broker: Pod) -> None:
    broker.environment = {
        "KAFKA_HEAP_OPTS": "-Xms64M -Xmx64M",
        "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:+UseSerialGC",
        "STRIMZI_JAVA_OPTS": "-XX:MaxDirectMemorySize=8m",
        "STRIMZI_JAVA_SYSTEM_PROPERTIES": "-Da=1 -Db=*",
    }
    broker.run("kafka_run.sh")
    arguments = broker.java_arguments
    assert arguments[:3] == ["-Xms64M", "-Xmx64M", "-XX:+UseSerialGC"]
    assert {"-XX:MaxDirectMemorySize=8m", "-Da=1", "-Db=*"} <= set(arguments)
    assert f"-Dlog4j.configuration=file:{broker.folder}/volumes/custom-config/log4j.properties" in arguments
    assert arguments[-2:] == ["kafka.Kafka", f"{broker.folder}/tmp/strimzi.properties"]


def test_a_class_archive_is_used_when_it_is_there(broker: Pod) -> None:
    archive = broker.folder / "classes.jsa"
    broker.environment = {"KLAMM_CLASS_ARCHIVE": str(archive)}
    broker.run("kafka_run.sh")
    assert not [a for a in broker.java_arguments if "SharedArchiveFile" in a]
    archive.write_text("")
    broker.run("kafka_run.sh")
    assert f"-XX:SharedArchiveFile={archive}" in broker.java_arguments


def test_metrics_bring_the_agent(broker: Pod) -> None:
    broker.environment = {"KAFKA_METRICS_ENABLED": "true"}
    broker.run("kafka_run.sh")
    agents = [argument for argument in broker.java_arguments if argument.startswith("-javaagent:")]
    assert len(agents) == 1
    assert agents[0].endswith(f"=9404:{broker.folder}/volumes/custom-config/metrics-config.json")


def test_a_missing_certificate_is_named(broker: Pod) -> None:
    (broker.folder / "volumes/broker-certs/my-cluster-kafka-0.key").unlink()
    result = broker.run("kafka_run.sh")
    assert result.returncode == 1
    assert "my-cluster-kafka-0.key" in result.stderr


def test_a_restarted_broker_is_not_ready_from_before(broker: Pod) -> None:
    (broker.folder / "ready").mkdir()
    (broker.folder / "ready/kafka-ready").write_text("")
    broker.run("kafka_run.sh")
    assert not (broker.folder / "ready/kafka-ready").exists()


def test_a_broker_without_a_process_is_not_alive(broker: Pod) -> None:
    assert broker.run("kafka_liveness.sh").returncode == 1


def test_a_zookeeper_node_knows_itself_and_its_peers(zookeeper: Pod) -> None:
    result = zookeeper.run("zookeeper_run.sh")
    assert result.returncode == 0, result.stderr
    lines = zookeeper.made("zookeeper.properties").splitlines()
    domain = "my-cluster-zookeeper-nodes.kafka.svc.cluster.local"
    assert lines[-3:] == [
        f"server.1=my-cluster-zookeeper-0.{domain}:2888:3888:participant;127.0.0.1:12181",
        f"server.2=my-cluster-zookeeper-1.{domain}:2888:3888:participant;127.0.0.1:12181",
        f"server.3=my-cluster-zookeeper-2.{domain}:2888:3888:participant;127.0.0.1:12181",
    ]
    assert (zookeeper.folder / "zookeeper/data/myid").read_text() == "2\n"


def test_zookeepers_settings_are_mutual_tls_with_pem_and_the_users_values(zookeeper: Pod) -> None:
    zookeeper.run("zookeeper_run.sh")
    settings = dict(line.split("=", 1) for line in zookeeper.made("zookeeper.properties").splitlines())
    assert settings["ssl.quorum.keyStore.type"] == settings["ssl.trustStore.type"] == "PEM"
    assert settings["ssl.clientAuth"] == settings["ssl.quorum.clientAuth"] == "need"
    assert settings["sslQuorum"] == "true"
    assert (settings["secureClientPort"], settings["tickTime"], settings["initLimit"]) == ("2181", "2000", "5")
    assert "clientPort" not in settings
    assert zookeeper.made("zookeeper/node.keystore.pem") == "KEY\nCERTIFICATE\n"


def test_a_lone_zookeeper_binds_its_own_name(zookeeper: Pod) -> None:
    zookeeper.hostname = "my-cluster-zookeeper-1"
    zookeeper.write("custom-config/zookeeper.node-count", "2")
    zookeeper.run("zookeeper_run.sh")
    assert "server.2=my-cluster-zookeeper-1." in zookeeper.made("zookeeper.properties")


@pytest.mark.parametrize("count", ["", "three", "3; touch EVIL"])
def test_a_node_count_that_is_no_number_is_refused(zookeeper: Pod, count: str) -> None:
    zookeeper.write("custom-config/zookeeper.node-count", count)
    result = zookeeper.run("zookeeper_run.sh")
    assert result.returncode == 1
    assert "not a number" in result.stderr
