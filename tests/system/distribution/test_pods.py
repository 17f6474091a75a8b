"""ZooKeeper and a broker with mutual TLS, started by the pods' scripts in a root made of the image's binds.

The class archive was made in the store and is used at /opt/kafka: `-Xshare:on` ends a JVM that cannot map it, and the
main classes are seen to come out of it.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.builders.private_root import run_in_root

from klamm.certificates.issue import Authority, Subject, authority_subject, issue_authority, issue_leaf
from klamm.certificates.keys import key_to_pem, new_key
from klamm.distribution.images import Images, PythonRuntime
from klamm.distribution.provide import Provided
from klamm.distribution.store import Store

NOW = datetime.now(UTC)  # noqa: TID251 (real servers compare certificates with the real clock)
DOMAIN = "c-zookeeper-nodes.test.svc.cluster.local"

LOGGING = """\
log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
"""


def stores(prefix: str) -> str:
    return "".join(
        f"{prefix}ssl.{kind}.location=/tmp/kafka/cluster.{kind}.pem\n{prefix}ssl.{kind}.type=PEM\n"
        for kind in ("keystore", "truststore")
    )


SERVER = f"""\
broker.id=0
log.dirs=/var/lib/kafka/data-0/kafka-log0
listeners=REPLICATION-9091://0.0.0.0:9091,PLAIN-9092://0.0.0.0:9092
advertised.listeners=REPLICATION-9091://localhost:9091,PLAIN-9092://${{STRIMZI_NODEPORT_DEFAULT_ADDRESS}}:9092
listener.security.protocol.map=REPLICATION-9091:SSL,PLAIN-9092:PLAINTEXT
listener.name.replication-9091.ssl.client.auth=required
inter.broker.listener.name=REPLICATION-9091
offsets.topic.replication.factor=1
zookeeper.connect=localhost:2181
zookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty
zookeeper.ssl.client.enable=true
{stores("zookeeper.")}{stores("listener.name.replication-9091.")}"""

SCRIPT = """
until_ok() {
  what=$1; shift
  tries=0
  until "$@" > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 1200 ]; then echo "$what: not in time"; cat /tmp/*.log; exit 1; fi
    sleep 0.1
  done
  echo "$what"
}
mkdir -p /var/opt/kafka /var/lib/kafka /var/lib/zookeeper
/opt/kafka/kafka_readiness.sh && echo "ready too early"
/opt/kafka/kafka_liveness.sh > /dev/null && echo "alive too early"
HOSTNAME=c-zookeeper-0 /opt/kafka/zookeeper_run.sh > /tmp/zookeeper.log 2>&1 &
until_ok "zookeeper healthy" /opt/kafka/zookeeper_healthcheck.sh
HOSTNAME=c-kafka-0 /opt/kafka/kafka_run.sh > /tmp/broker.log 2>&1 &
broker=$!
until_ok "broker ready" /opt/kafka/kafka_readiness.sh
until_ok "broker alive" /opt/kafka/kafka_liveness.sh
unset KAFKA_OPTS
grep -q "kafka.server.KafkaServer source: shared objects file" /tmp/*.classes && echo "broker from the archive"
grep -q "quorum.QuorumPeerMain source: shared objects file" /tmp/*.classes && echo "zookeeper from the archive"
kafka-topics.sh --bootstrap-server localhost:9092 --create --topic words
echo one | kafka-console-producer.sh --bootstrap-server localhost:9092 --topic words
kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic words --from-beginning --max-messages 1
zookeeper-server-stop.sh && until_ok "zookeeper stopped" sh -c '! /opt/kafka/zookeeper_healthcheck.sh'
zookeeper-server-stop.sh
kill -9 $broker
wait $broker
/opt/kafka/kafka_liveness.sh || echo "dead is not alive"
"""


def secrets() -> dict[str, str]:
    key = new_key()
    authority = Authority(issue_authority(authority_subject("cluster-ca", 0), key, now=NOW, days=1), key_to_pem(key))
    files = {"/opt/kafka/cluster-ca-certs/ca.crt": authority.certificate.decode()}
    for pod, folder in (("c-zookeeper-0", "zookeeper-node-certs"), ("c-kafka-0", "broker-certs")):
        key = new_key()
        names = frozenset({"localhost", "127.0.0.1", f"{pod}.{DOMAIN}"})
        leaf = issue_leaf(authority, Subject(pod), key, now=NOW, days=1, alternative_names=names)
        files[f"/opt/kafka/{folder}/{pod}.key"] = key_to_pem(key).decode()
        files[f"/opt/kafka/{folder}/{pod}.crt"] = leaf.decode()
    return files


def test_a_broker_and_zookeeper_serve_over_mutual_tls_from_the_archive(
    store: Store, provided: Provided, tmp_path: Path
) -> None:
    python = PythonRuntime("/usr/bin/python3", "/usr", "/usr", "/usr/lib/klamm")
    image = Images(store, provided.java, python, "test").find("klamm/kafka:test-kafka-3.6.0")
    assert image is not None
    files = {
        **secrets(),
        "/etc/hosts": f"127.0.0.1 localhost\n127.0.0.1 c-zookeeper-0.{DOMAIN} c-zookeeper-0\n",
        "/opt/kafka/custom-config/zookeeper.node-count": "1",
        "/opt/kafka/custom-config/log4j.properties": LOGGING,
        "/opt/kafka/custom-config/server.config": SERVER,
        "/opt/kafka/init/external.address": "export STRIMZI_NODEPORT_DEFAULT_ADDRESS=localhost\n",
    }
    environment = {
        **image.environment,
        "KAFKA_OPTS": "-Xshare:on -Xlog:class+load:file=/tmp/%p.classes",
        "ZOOKEEPER_CONFIGURATION": "tickTime=2000\ninitLimit=5\nsyncLimit=2\nadmin.enableServer=false",
    }
    done = run_in_root(tmp_path, image.binds, files, environment, SCRIPT, timeout=600)
    said = [line for line in done.stdout.splitlines() if "nothing listens" not in line]
    assert said == [
        "zookeeper healthy",
        "broker ready",
        "broker alive",
        "broker from the archive",
        "zookeeper from the archive",
        "Created topic words.",
        "one",
        "zookeeper stopped",
        "No zookeeper server to stop",
        "no java process",
        "dead is not alive",
    ], done.stdout + done.stderr


@pytest.mark.parametrize("image_name", ["bitnami/kafka:3.6", "busybox"])
def test_a_client_image_has_its_tools_on_the_path(
    store: Store, provided: Provided, tmp_path: Path, image_name: str
) -> None:
    python = PythonRuntime("/usr/bin/python3", "/usr", "/usr", "/usr/lib/klamm")
    image = Images(store, provided.java, python, "test").find(image_name)
    assert image is not None
    script = "ls / && cat /etc/passwd | head -n 1 && date +%Y > /dev/null"
    if image.kafka:
        script = "ls /opt/bitnami/kafka/bin/kafka-topics.sh && KAFKA_OPTS=-Xshare:on kafka-topics.sh --version"
    done = run_in_root(tmp_path, image.binds, {}, image.environment, script, timeout=300)
    assert done.returncode == 0, done.stderr
    expected = "/opt/bitnami/kafka/bin/kafka-topics.sh\n3.6.0" if image.kafka else "bin\n"
    assert done.stdout.startswith(expected)
