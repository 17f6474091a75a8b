"""Wrong Kafka resources, each answered with path, rule and mend; and the remarks on unwise ones."""

from typing import Any

import pytest
from tests.builders.kafka import ABSENT, kafka

from klamm.planning.kafka_rules.cluster import SupportedVersions, problems, remarks

VERSIONS = SupportedVersions("3.6.0", ("3.5.0", "3.5.1", "3.6.0"), ("4.2.0",))
PLAIN = {"name": "plain", "port": 9092, "type": "internal", "tls": False}


def listener(**changes: Any) -> dict[str, Any]:
    """A second listener, valid but for the changes."""
    return {"name": "extra", "port": 9095, "type": "internal", "tls": False, **changes}


def spec(**changes: Any) -> dict[str, Any]:
    return {"spec": changes}


def brokers(**changes: Any) -> dict[str, Any]:
    return {"spec": {"kafka": changes}}


def with_listener(**changes: Any) -> dict[str, Any]:
    return brokers(listeners=[PLAIN, listener(**changes)])


def jbod(*volumes: dict[str, Any]) -> dict[str, Any]:
    return brokers(storage={"type": "jbod", "volumes": list(volumes)})


def only(**storage: Any) -> dict[str, Any]:
    """Storage of one volume; the default's volumes are taken away."""
    return brokers(storage={"volumes": ABSENT, **storage})


EPHEMERAL = {"type": "ephemeral"}
CLAIM = {"type": "persistent-claim", "size": "1Gi"}
EXTRA = "spec.kafka.listeners[1]"
CONFIGURATION = f"{EXTRA}.configuration"
HALF: dict[str, Any] = {"host": "h"}

# What is changed in a valid resource; the path of the one problem; words of its sentence.
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("no listeners", brokers(listeners=[]), "spec.kafka.listeners", "is empty; add a listener"),
    ("a listener without a name", with_listener(name=None), f"{EXTRA}.name", "1 to 11 lower-case letters"),
    ("capitals in a name", with_listener(name="Extra"), f"{EXTRA}.name", "1 to 11 lower-case letters"),
    ("a name that is too long", with_listener(name="abcdefghijkl"), f"{EXTRA}.name", "1 to 11"),
    ("a listener without a port", with_listener(port=None), f"{EXTRA}.port", "from 9092 to 65535"),
    ("a port of the brokers' own", with_listener(port=9091), f"{EXTRA}.port", "from 9092 to 65535"),
    ("a port that is none", with_listener(port=70000), f"{EXTRA}.port", "from 9092 to 65535"),
    ("the port of metrics", with_listener(port=9404), f"{EXTRA}.port", "is taken by metrics"),
    ("the port of JMX", with_listener(port=9999), f"{EXTRA}.port", "is taken by JMX"),
    ("two listeners of one name", with_listener(name="plain"), "spec.kafka.listeners[].name", "given twice"),
    ("two listeners on one port", with_listener(port=9092), "spec.kafka.listeners[].port", "given twice"),
    ("tls not said", with_listener(tls=None), f"{EXTRA}.tls", "write tls: true or tls: false"),
    ("a route", with_listener(type="route", tls=True), f"{EXTRA}.type", "OpenShift"),
    ("a tlsroute", with_listener(type="tlsroute", tls=True), f"{EXTRA}.type", "Gateway API"),
    ("an unknown type", with_listener(type="magic"), f"{EXTRA}.type", "choose one of internal"),
    (
        "an ingress without tls",
        with_listener(type="ingress", configuration={"bootstrap": HALF, "hostTemplate": "b{nodeId}.example"}),
        f"{EXTRA}.tls",
        "set tls: true",
    ),
    (
        "an ingress without a bootstrap host",
        with_listener(type="ingress", tls=True, configuration={"hostTemplate": "b{nodeId}.example"}),
        f"{CONFIGURATION}.bootstrap.host",
        "host name that clients start from",
    ),
    (
        "an ingress without a host for one broker",
        with_listener(
            type="ingress",
            tls=True,
            configuration={
                "bootstrap": HALF,
                "brokers": [{"broker": 0, "host": "a"}, {"broker": 2, "host": "c"}],
            },
        ),
        f"{CONFIGURATION}.brokers",
        "no host for broker 1",
    ),
    (
        "client certificates without tls",
        with_listener(authentication={"type": "tls"}),
        f"{EXTRA}.authentication.type",
        "set tls: true",
    ),
    (
        "oauth",
        with_listener(authentication={"type": "oauth"}),
        f"{EXTRA}.authentication.type",
        "use type: custom",
    ),
    (
        "an unknown authentication",
        with_listener(authentication={"type": "ldap"}),
        f"{EXTRA}.authentication.type",
        "choose tls, scram-sha-512 or custom",
    ),
    (
        "a certificate of one's own without tls",
        with_listener(configuration={"brokerCertChainAndKey": {"secretName": "s", "key": "k", "certificate": "c"}}),
        f"{CONFIGURATION}.brokerCertChainAndKey",
        "needs an encrypted listener",
    ),
    (
        "a load balancer's networks on an internal listener",
        with_listener(configuration={"loadBalancerSourceRanges": ["10.0.0.0/8"]}),
        f"{CONFIGURATION}.loadBalancerSourceRanges",
        "it is for loadbalancer",
    ),
    (
        "a network that is none",
        with_listener(type="loadbalancer", configuration={"loadBalancerSourceRanges": ["10.0.0/99"]}),
        f"{CONFIGURATION}.loadBalancerSourceRanges[0]",
        "is no network",
    ),
    (
        "a node address type on an internal listener",
        with_listener(configuration={"preferredNodePortAddressType": "InternalIP"}),
        f"{CONFIGURATION}.preferredNodePortAddressType",
        "it is for nodeport",
    ),
    (
        "a traffic policy on an internal listener",
        with_listener(configuration={"externalTrafficPolicy": "Local"}),
        f"{CONFIGURATION}.externalTrafficPolicy",
        "nodeport and loadbalancer",
    ),
    (
        "a DNS domain on a node port listener",
        with_listener(type="nodeport", configuration={"useServiceDnsDomain": True}),
        f"{CONFIGURATION}.useServiceDnsDomain",
        "internal and cluster-ip",
    ),
    (
        "no bootstrap Service on a node port listener",
        with_listener(type="nodeport", configuration={"createBootstrapService": False}),
        f"{CONFIGURATION}.createBootstrapService",
        "it is for loadbalancer",
    ),
    (
        "a class on an internal listener",
        with_listener(configuration={"class": "nginx"}),
        f"{CONFIGURATION}.class",
        "ingress and loadbalancer",
    ),
    (
        "an address of no broker",
        with_listener(type="nodeport", configuration={"brokers": [{"advertisedHost": "h"}]}),
        f"{CONFIGURATION}.brokers[0].broker",
        "write the id",
    ),
    (
        "one broker twice",
        with_listener(type="nodeport", configuration={"brokers": [{"broker": 1}, {"broker": 1}]}),
        f"{CONFIGURATION}.brokers[].broker",
        "given twice",
    ),
    (
        "an advertised port that is none",
        with_listener(type="nodeport", configuration={"brokers": [{"broker": 0, "advertisedPort": 0}]}),
        f"{CONFIGURATION}.brokers[0].advertisedPort",
        "is no port",
    ),
    (
        "a broker's node port on an internal listener",
        with_listener(configuration={"brokers": [{"broker": 0, "nodePort": 30001}]}),
        f"{CONFIGURATION}.brokers[0].nodePort",
        "use type: nodeport",
    ),
    (
        "a bootstrap node port on an internal listener",
        with_listener(configuration={"bootstrap": {"nodePort": 30001}}),
        f"{CONFIGURATION}.bootstrap.nodePort",
        "use type: nodeport",
    ),
    (
        "one node port twice",
        with_listener(
            type="nodeport",
            configuration={"bootstrap": {"nodePort": 30001}, "brokers": [{"broker": 0, "nodePort": 30001}]},
        ),
        "spec.kafka.listeners[].nodePort",
        "given twice",
    ),
    ("no replicas", brokers(replicas=ABSENT), "spec.kafka.replicas", "how many brokers"),
    ("no brokers", brokers(replicas=0), "spec.kafka.replicas", "write at least 1"),
    ("no storage", brokers(storage=ABSENT), "spec.kafka.storage", "where the data is kept"),
    ("storage of no type", only(type=ABSENT, size="1Gi"), "spec.kafka.storage.type", "is missing"),
    ("storage of another type", only(type="tape"), "spec.kafka.storage.type", "is no storage"),
    ("a claim without a size", only(type="persistent-claim"), "spec.kafka.storage.size", "is missing"),
    (
        "a claim of size nothing",
        only(type="persistent-claim", size="0"),
        "spec.kafka.storage.size",
        "greater than 0",
    ),
    (
        "a size that is none",
        only(type="persistent-claim", size="10 gigs"),
        "spec.kafka.storage.size",
        "is no size",
    ),
    ("a limit that is none", only(type="ephemeral", sizeLimit="x"), "spec.kafka.storage.sizeLimit", "no size"),
    ("a JBOD of nothing", jbod(), "spec.kafka.storage.volumes", "add a volume"),
    ("a JBOD volume without id", jbod(EPHEMERAL), "spec.kafka.storage.volumes[0].id", "own number"),
    (
        "one id twice",
        jbod({"id": 0, **CLAIM}, {"id": 0, **CLAIM}),
        "spec.kafka.storage.volumes[1].id",
        "given twice",
    ),
    (
        "a JBOD in a JBOD",
        jbod({"id": 0, "type": "jbod"}),
        "spec.kafka.storage.volumes[0].type",
        "cannot be inside",
    ),
    (
        "a JBOD volume without a size",
        jbod({"id": 0, "type": "persistent-claim"}),
        "spec.kafka.storage.volumes[0].size",
        "is missing",
    ),
    ("no ZooKeeper", spec(zookeeper=ABSENT), "spec.zookeeper", "KRaft mode; klamm does not do this yet"),
    (
        "KRaft by annotation",
        {"metadata": {"annotations": {"strimzi.io/kraft": "enabled"}}},
        "metadata.annotations[strimzi.io/kraft]",
        "remove the annotation",
    ),
    (
        "node pools by annotation",
        {"metadata": {"annotations": {"strimzi.io/node-pools": "enabled"}}},
        "metadata.annotations[strimzi.io/node-pools]",
        "remove the annotation",
    ),
    ("no ZooKeeper nodes", spec(zookeeper={"replicas": 0}), "spec.zookeeper.replicas", "at least 1"),
    ("ZooKeeper nodes not said", spec(zookeeper={"replicas": ABSENT}), "spec.zookeeper.replicas", "how many"),
    (
        "a JBOD for ZooKeeper",
        spec(zookeeper={"storage": {"type": "jbod"}}),
        "spec.zookeeper.storage.type",
        "for brokers only",
    ),
    (
        "no storage for ZooKeeper",
        spec(zookeeper={"storage": ABSENT}),
        "spec.zookeeper.storage.type",
        "is missing",
    ),
    ("a version that is not there", brokers(version="3.4.0"), "spec.kafka.version", "3.5.0, 3.5.1, 3.6.0"),
    ("a version without ZooKeeper", brokers(version="4.2.0"), "spec.kafka.version", "has no ZooKeeper"),
    (
        "more copies than brokers",
        brokers(config={"default.replication.factor": 4}),
        "spec.kafka.config.default.replication.factor",
        "more than the 3 brokers",
    ),
    (
        "more copies of offsets than brokers",
        brokers(replicas=1, config={"offsets.topic.replication.factor": "3"}),
        "spec.kafka.config.offsets.topic.replication.factor",
        "lower it to at most 1",
    ),
    (
        "more in-sync copies of transactions than brokers",
        brokers(replicas=1, config={"transaction.state.log.min.isr": 2}),
        "spec.kafka.config.transaction.state.log.min.isr",
        "more than the 1 brokers",
    ),
    (
        "copies that are no number",
        brokers(config={"default.replication.factor": "three"}),
        "spec.kafka.config.default.replication.factor",
        "is no number of copies",
    ),
    (
        "a protocol from the future",
        brokers(version="3.5.1", config={"inter.broker.protocol.version": "3.6"}),
        "spec.kafka.config.inter.broker.protocol.version",
        "higher than what Kafka 3.5.1 speaks",
    ),
    (
        "a number that is none",
        brokers(config={"num.io.threads": "many"}),
        "spec.kafka.config.num.io.threads",
        "must be an integer",
    ),
    ("a number too small", brokers(config={"num.io.threads": 0}), "spec.kafka.config.num.io.threads", "at least 1"),
    (
        "a choice that is none",
        brokers(config={"compression.type": "zip"}),
        "spec.kafka.config.compression.type",
        "must be one of",
    ),
    (
        "neither true nor false",
        brokers(config={"auto.create.topics.enable": "yes"}),
        "spec.kafka.config.auto.create.topics.enable",
        "must be true or false",
    ),
    (
        "a map as a setting",
        brokers(config={"message.max.bytes": {"a": 1}}),
        "spec.kafka.config.message.max.bytes",
        "is a map",
    ),
    (
        "a request above its limit",
        brokers(resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}),
        "spec.kafka.resources.requests.memory",
        "is more than the limit 1Gi",
    ),
    (
        "an amount that is none",
        spec(zookeeper={"resources": {"limits": {"cpu": "much"}}}),
        "spec.zookeeper.resources.limits.cpu",
        "is no amount",
    ),
    (
        "an amount of nothing",
        spec(entityOperator={"topicOperator": {"resources": {"requests": {"cpu": 0}}}}),
        "spec.entityOperator.topicOperator.resources.requests.cpu",
        "greater than 0",
    ),
    (
        "a heap that starts above its end",
        brokers(jvmOptions={"-Xms": "2g", "-Xmx": "1024m"}),
        "spec.kafka.jvmOptions.-Xms",
        "is more than -Xmx 1024m",
    ),
    (
        "external logging from nowhere",
        brokers(logging={"type": "external"}),
        "spec.kafka.logging.valueFrom",
        "name the ConfigMap and its key",
    ),
    (
        "metrics from nowhere",
        spec(zookeeper={"metricsConfig": {"type": "jmxPrometheusExporter"}}),
        "spec.zookeeper.metricsConfig.valueFrom",
        "name the ConfigMap and its key",
    ),
    (
        "a metrics reporter in ZooKeeper",
        {"spec": {"zookeeper": {"metricsConfig": {"type": "strimziMetricsReporter"}}}},
        "spec.zookeeper.metricsConfig.type",
        "use jmxPrometheusExporter",
    ),
    (
        "a pattern of groups that is none",
        spec(kafkaExporter={"groupRegex": "app-(.*"}),
        "spec.kafkaExporter.groupRegex",
        "is no regular expression (missing ), unterminated subpattern at position 4); correct it",
    ),
    (
        "a pattern of topics that are left out that is none",
        spec(kafkaExporter={"topicExcludeRegex": "*"}),
        "spec.kafkaExporter.topicExcludeRegex",
        "'.*' stands for all",
    ),
    (
        "a class that only Go knows",
        spec(kafkaExporter={"topicRegex": "[[:alpha:]]+"}),
        "spec.kafkaExporter.topicRegex",
        "has the class [:alpha:], which only Go knows; write its characters",
    ),
    (
        "a pattern that no environment takes",
        spec(kafkaExporter={"groupExcludeRegex": "a" * 65537}),
        "spec.kafkaExporter.groupExcludeRegex",
        "has more than 65536 characters",
    ),
    (
        "a pattern with a NUL",
        spec(kafkaExporter={"topicRegex": "a\0"}),
        "spec.kafkaExporter.topicRegex",
        "holds a control character",
    ),
    (
        "no memory for the exporter",
        spec(kafkaExporter={"resources": {"limits": {"memory": "0"}}}),
        "spec.kafkaExporter.resources.limits.memory",
        "greater than 0",
    ),
    (
        "a pattern of the metrics reporter that is none",
        brokers(metricsConfig={"type": "strimziMetricsReporter", "values": {"allowList": ["kafka_log.*", "kafka_("]}}),
        "spec.kafka.metricsConfig.values.allowList[1]",
        "is no regular expression",
    ),
    (
        "two patterns of the metrics reporter in one",
        brokers(metricsConfig={"type": "strimziMetricsReporter", "values": {"allowList": ["a,b"]}}),
        "spec.kafka.metricsConfig.values.allowList[0]",
        "write two patterns",
    ),
    (
        "authorization by opa",
        brokers(authorization={"type": "opa"}),
        "spec.kafka.authorization.type",
        "custom",
    ),
    (
        "authorization of no class",
        brokers(authorization={"type": "custom"}),
        "spec.kafka.authorization.authorizerClass",
        "is missing",
    ),
    ("racks without a label", brokers(rack={}), "spec.kafka.rack.topologyKey", "topology.kubernetes.io/zone"),
    (
        "racks from a variable",
        brokers(rack={"type": "environment-variable", "envVarName": "ZONE"}),
        "spec.kafka.rack.type",
        "use topologyKey",
    ),
    (
        "an authority that is always renewed",
        spec(clusterCa={"validityDays": 20}),
        "spec.clusterCa.renewalDays",
        "not less than validityDays 20",
    ),
    (
        "a window that is none",
        spec(maintenanceTimeWindows=["at night"]),
        "spec.maintenanceTimeWindows[0]",
        "has 2 fields",
    ),
    ("a name with a dot", {"metadata": {"name": "my.cluster"}}, "metadata.name", "begin with a letter"),
    ("a name that is too long", {"metadata": {"name": "a" * 43}}, "metadata.name", "use at most 42"),
    (
        "one of klamm's own labels",
        {"metadata": {"labels": {"strimzi.io/kind": "x"}}},
        "metadata.labels[strimzi.io/kind]",
        "remove it",
    ),
]


@pytest.mark.parametrize(("changes", "path", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong(changes: dict[str, Any], path: str, words: str) -> None:
    found = problems(kafka(changes), VERSIONS)
    assert [problem.path for problem in found] == [path]
    assert words in str(found[0])


RIGHT = [
    ("the default", {}),
    ("no version", brokers(version=ABSENT)),
    ("one ephemeral broker", {"spec": {"kafka": {"replicas": 1, "storage": {"type": "ephemeral"}}}}),
    ("a label of the cluster", {"metadata": {"labels": {"strimzi.io/cluster-tier": "gold", "team": "a"}}}),
    ("an older protocol", brokers(config={"inter.broker.protocol.version": "3.5"})),
    (
        "node ports by hand",
        with_listener(
            type="nodeport",
            configuration={"bootstrap": {"nodePort": 30000}, "brokers": [{"broker": 0, "nodePort": 30001}]},
        ),
    ),
    ("mutual TLS", with_listener(tls=True, authentication={"type": "tls"})),
    ("requests as much as limits", brokers(resources={"requests": {"cpu": 1}, "limits": {"cpu": "1000m"}})),
]


@pytest.mark.parametrize("changes", [row[1] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_right(changes: dict[str, Any]) -> None:
    assert problems(kafka(changes), VERSIONS) == []


def test_all_problems_are_told_at_once() -> None:
    wrong = kafka({"spec": {"kafka": {"replicas": ABSENT, "listeners": []}, "zookeeper": ABSENT}})
    assert [p.path for p in problems(wrong, VERSIONS)] == [
        "spec.zookeeper",
        "spec.kafka.replicas",
        "spec.kafka.listeners",
    ]


WISE = {"default.replication.factor": 3, "min.insync.replicas": 2}
REMARKS = [
    ("settings that klamm makes itself", brokers(config={**WISE, "LISTENERS": "x"}), "ForbiddenConfiguration"),
    ("a mixed-case prefix", brokers(config={**WISE, "zookeeper.clientcnxnsocket": "x"}), "ForbiddenConfiguration"),
    (
        "ZooKeeper's own",
        {"spec": {"kafka": {"config": WISE}, "zookeeper": {"config": {"dataDir": "/"}}}},
        "ForbiddenConfiguration",
    ),
    ("no replication factor", brokers(config={"min.insync.replicas": 2}), "KafkaDefaultReplicationFactor"),
    ("no min.insync.replicas", brokers(config={"default.replication.factor": 3}), "KafkaMinInsyncReplicas"),
    (
        "an old protocol",
        brokers(config={**WISE, "inter.broker.protocol.version": "3.5"}),
        "KafkaInterBrokerProtocolVersion",
    ),
    (
        "an old message format",
        brokers(config={**WISE, "log.message.format.version": "3.5"}),
        "KafkaLogMessageFormatVersion",
    ),
    ("two ZooKeepers", {"spec": {"kafka": {"config": WISE}, "zookeeper": {"replicas": 2}}}, "ZooKeeperReplicas"),
    ("four ZooKeepers", {"spec": {"kafka": {"config": WISE}, "zookeeper": {"replicas": 4}}}, "ZooKeeperReplicas"),
    ("one ephemeral broker", brokers(replicas=1, storage={"type": "ephemeral"}), "KafkaStorage"),
    (
        "one ephemeral ZooKeeper",
        {"spec": {"kafka": {"config": WISE}, "zookeeper": {"replicas": 1, "storage": {"type": "ephemeral"}}}},
        "ZooKeeperStorage",
    ),
    (
        "the exporter's level",
        {"spec": {"kafka": {"config": WISE}, "kafkaExporter": {"logging": "warn"}}},
        "KafkaExporterLogging",
    ),
    ("Cruise Control", {"spec": {"kafka": {"config": WISE}, "cruiseControl": {}}}, "NotSupportedYet"),
]


@pytest.mark.parametrize(("changes", "reason"), [row[1:] for row in REMARKS], ids=[row[0] for row in REMARKS])
def test_remark(changes: dict[str, Any], reason: str) -> None:
    assert [remark.reason for remark in remarks(kafka(changes), VERSIONS)] == [reason]


def test_a_wise_resource_gets_no_remarks() -> None:
    exporter = {"topicRegex": ".*", "groupExcludeRegex": "(?i)^test-[0-9]+$", "logging": "Debug"}
    assert remarks(kafka({"spec": {"kafka": {"config": WISE}, "kafkaExporter": exporter}}), VERSIONS) == []
