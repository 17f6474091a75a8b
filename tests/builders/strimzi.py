"""What Strimzi 0.38 has made for one Kafka resource: its objects, under their names, with RSA keys and its own images.

The cluster is `my-cluster` in `kafka`: three brokers and three ZooKeepers on persistent claims, listeners plain (9092)
and external (9094, node ports), topic and user operators with the stunnel that the bidirectional one needs, and the
exporter. Objects are short where nobody looks (pods have a container and its volumes), and whole where a successor has
to keep something: names, labels, owners, certificates, keys, generations, claims, ports.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from klamm.certificates.issue import Authority, Subject, authority_subject, issue_authority, issue_leaf
from klamm.certificates.pkcs12 import truststore
from klamm.localkube.objects import Object

MANAGER = "strimzi-cluster-operator"
"""Under which its writes stand in managedFields: its user agent's name. They are plain updates."""

CLUSTER, NAMESPACE = "my-cluster", "kafka"
KAFKA_IMAGE = "strimzi/kafka:0.38.0-kafka-3.6.0"
OPERATOR_IMAGE = "strimzi/operator:0.38.0"
NODE_PORTS = {"my-cluster-kafka-external-bootstrap": 31000, **{f"my-cluster-kafka-{n}": 31001 + n for n in range(3)}}
_SVC = f"{NAMESPACE}.svc"


@dataclass(frozen=True)
class StrimziCluster:
    """`kafka_uid`: of the Kafka resource that owns everything. `now`: when the certificates were made."""

    kafka_uid: str
    now: datetime

    def objects(self) -> Iterator[Object]:
        """In the order in which they can be created; pods come last (their owner's uid: `pods`)."""
        yield from self._authorities()
        yield from self._leaves()
        yield from self._accounts()
        yield from self._zookeeper()
        yield from self._kafka()
        yield from self._entity_operator()
        yield from self._kafka_exporter()

    def pods(self, pod_set: Object) -> list[Object]:
        """As its pod set controller makes them."""
        reference = _owner(pod_set["apiVersion"], "StrimziPodSet", pod_set["metadata"], controller=True)
        return [
            {**pod, "metadata": {**pod["metadata"], "ownerReferences": [reference]}} for pod in pod_set["spec"]["pods"]
        ]

    # Certificates

    def _authorities(self) -> Iterator[Object]:
        for name in ("cluster-ca", "clients-ca"):
            authority = self.authority(name)
            store = truststore([("ca.crt", authority.certificate)], "store-password")
            files = {"ca.crt": authority.certificate, "ca.p12": store, "ca.password": b"store-password"}
            place = ("strimzi", "certificate-authority")
            yield self._secret(f"{CLUSTER}-{name}", place, {"ca.key": authority.key}, {"ca-key-generation": "0"})
            yield self._secret(f"{CLUSTER}-{name}-cert", place, files, {"ca-cert-generation": "0"})

    def authority(self, name: str) -> Authority:
        key = _key(name)
        certificate = issue_authority(authority_subject(name, 0), key, now=self.now, days=365, serial=len(name))
        # PKCS#8 as Strimzi writes it today; older releases wrote the traditional form, and such keys live on.
        form = PrivateFormat.PKCS8 if name == "cluster-ca" else PrivateFormat.TraditionalOpenSSL
        return Authority(certificate, key.private_bytes(Encoding.PEM, form, NoEncryption()))

    def _leaves(self) -> Iterator[Object]:
        generations = {"cluster-ca-cert-generation": "0"}
        brokers = {f"{CLUSTER}-kafka-{n}": self._leaf(f"{CLUSTER}-kafka", broker_names(n)) for n in range(3)}
        nodes = {f"{CLUSTER}-zookeeper-{n}": self._leaf(f"{CLUSTER}-zookeeper", zookeeper_names(n)) for n in range(3)}
        yield self._secret(
            f"{CLUSTER}-kafka-brokers",
            (f"{CLUSTER}-kafka", "kafka"),
            _files(brokers),
            {**generations, "clients-ca-cert-generation": "0"},
        )
        yield self._secret(
            f"{CLUSTER}-zookeeper-nodes", (f"{CLUSTER}-zookeeper", "zookeeper"), _files(nodes), generations
        )
        own = _files({"cluster-operator": self._leaf("cluster-operator")})
        yield self._secret(f"{CLUSTER}-cluster-operator-certs", ("strimzi", "strimzi"), own, generations)
        for part in ("topic", "user"):
            name = f"{CLUSTER}-entity-{part}-operator"
            files = _files({"entity-operator": self._leaf(name)})
            yield self._secret(f"{name}-certs", (name, f"entity-{part}-operator"), files, generations)
        exporter = _files({"kafka-exporter": self._leaf(_EXPORTER[0])})
        yield self._secret(f"{_EXPORTER[0]}-certs", _EXPORTER, exporter, generations)

    def _leaf(self, name: str, names: frozenset[str] = frozenset()) -> tuple[bytes, bytes]:
        key = _key("leaf")
        authority = self.authority("cluster-ca")
        made = issue_leaf(authority, Subject(name), key, now=self.now, days=365, alternative_names=names)
        return made, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def _secret(
        self, name: str, component: tuple[str, str], files: dict[str, bytes], generations: dict[str, str]
    ) -> Object:
        data = {key: base64.b64encode(content).decode() for key, content in files.items()}
        annotations = {f"strimzi.io/{key}": value for key, value in generations.items()}
        return self._object("v1", "Secret", name, component, annotations=annotations, type="Opaque", data=data)

    # Everything else

    def _accounts(self) -> Iterator[Object]:
        for component in (_KAFKA, _ZOOKEEPER, _ENTITY, _EXPORTER):
            yield self._object("v1", "ServiceAccount", component[0], component)
        binding = self._object(
            _RBAC,
            "ClusterRoleBinding",
            f"strimzi-{NAMESPACE}-{CLUSTER}-kafka-init",
            _KAFKA,
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "strimzi-kafka-broker"},
            subjects=[{"kind": "ServiceAccount", "name": f"{CLUSTER}-kafka", "namespace": NAMESPACE}],
        )
        yield {**binding, "metadata": {k: v for k, v in binding["metadata"].items() if k in ("name", "labels")}}
        rules = [{"apiGroups": ["kafka.strimzi.io"], "resources": ["kafkatopics"], "verbs": ["get", "list", "watch"]}]
        yield self._object(_RBAC, "Role", _ENTITY[0], _ENTITY, rules=rules)
        for part in ("topic", "user"):
            yield self._object(
                _RBAC,
                "RoleBinding",
                f"{CLUSTER}-entity-{part}-operator-role",
                _ENTITY,
                roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": _ENTITY[0]},
                subjects=[{"kind": "ServiceAccount", "name": _ENTITY[0], "namespace": NAMESPACE}],
            )

    def _zookeeper(self) -> Iterator[Object]:
        yield self._budget(_ZOOKEEPER)
        settings = {"zookeeper.node-count": "3", "log4j.properties": "log4j.rootLogger=INFO\n"}
        yield self._object("v1", "ConfigMap", f"{CLUSTER}-zookeeper-config", _ZOOKEEPER, data=settings)
        ports = {"tcp-clients": 2181, "tcp-clustering": 2888, "tcp-election": 3888}
        yield self._service(f"{CLUSTER}-zookeeper-client", _ZOOKEEPER, {"tcp-clients": 2181})
        yield self._service(f"{CLUSTER}-zookeeper-nodes", _ZOOKEEPER, ports, clusterIP="None")
        yield from (self._claim(f"data-{CLUSTER}-zookeeper-{n}", _ZOOKEEPER) for n in range(3))
        yield self._pod_set(_ZOOKEEPER, {})

    def _kafka(self) -> Iterator[Object]:
        yield self._budget(_KAFKA)
        for n in range(3):
            settings = {"server.config": f"broker.id={n}\n", "listeners.config": "PLAIN_9092 EXTERNAL_9094"}
            settings |= {"left-over": "an entry that a successor does not write"}
            yield self._object("v1", "ConfigMap", f"{CLUSTER}-kafka-{n}", _KAFKA, pool=True, data=settings)
        inside = {"tcp-replication": 9091, "tcp-clients": 9092}
        every = {"tcp-ctrlplane": 9090, "tcp-kafkaagent": 8443, **inside}
        yield self._service(f"{CLUSTER}-kafka-bootstrap", _KAFKA, inside)
        yield self._service(f"{CLUSTER}-kafka-brokers", _KAFKA, every, clusterIP="None")
        for name, port in NODE_PORTS.items():
            yield self._service(name, _KAFKA, {"tcp-external": 9094}, node_port=port, type="NodePort")
        yield from (self._claim(f"data-0-{CLUSTER}-kafka-{n}", _KAFKA, pool=True) for n in range(3))
        versions = {"strimzi.io/kafka-version": "3.6.0"}
        yield self._pod_set(_KAFKA, versions, pool=True)

    def _entity_operator(self) -> Iterator[Object]:
        for part in ("topic", "user"):
            component = (f"{CLUSTER}-entity-{part}-operator", f"entity-{part}-operator")
            name = f"{component[0]}-config"
            yield self._object("v1", "ConfigMap", name, component, data={"log4j2.properties": "rootLogger.level=INFO"})
        image, old = OPERATOR_IMAGE, {"name": "STRIMZI_ZOOKEEPER_CONNECT", "value": "localhost:2181"}
        containers = [
            {
                "name": "topic-operator",
                "image": image,
                "args": ["/opt/strimzi/bin/topic_operator_run.sh"],
                "env": [old],
            },
            {"name": "user-operator", "image": image, "args": ["/opt/strimzi/bin/user_operator_run.sh"]},
            {"name": "tls-sidecar", "image": KAFKA_IMAGE, "command": ["/opt/stunnel/entity_operator_stunnel_run.sh"]},
        ]
        template = {
            "metadata": {"labels": _labels(*_ENTITY)},
            "spec": {"serviceAccountName": _ENTITY[0], "containers": containers},
        }
        spec = {"replicas": 1, "selector": {"matchLabels": _selector(_ENTITY)}, "template": template}
        recreate = {"strategy": {"type": "Recreate"}}
        yield self._object("apps/v1", "Deployment", _ENTITY[0], _ENTITY, spec={**spec, **recreate})

    def _kafka_exporter(self) -> Iterator[Object]:
        spec = {
            "replicas": 1,
            "selector": {"matchLabels": _selector(_EXPORTER)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {
                    "labels": _labels(*_EXPORTER),
                    "annotations": {f"strimzi.io/cluster-ca-{what}-generation": "0" for what in ("cert", "key")},
                },
                "spec": {"serviceAccountName": _EXPORTER[0], "containers": [exporter_container()]},
            },
        }
        yield self._object("apps/v1", "Deployment", _EXPORTER[0], _EXPORTER, spec=spec)

    def _budget(self, component: tuple[str, str]) -> Object:
        spec = {"minAvailable": 2, "selector": {"matchLabels": _selector(component)}}
        return self._object("policy/v1", "PodDisruptionBudget", component[0], component, spec=spec)

    def _service(
        self, name: str, component: tuple[str, str], ports: dict[str, int], node_port: int | None = None, **spec: Any
    ) -> Object:
        port = {"nodePort": node_port} if node_port else {}
        listed = [{"name": n, "port": p, "targetPort": p, "protocol": "TCP", **port} for n, p in ports.items()]
        whole = {"selector": _selector(component), "ports": listed, **spec}
        return self._object("v1", "Service", name, component, spec=whole)

    def _claim(self, name: str, component: tuple[str, str], *, pool: bool = False) -> Object:
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
            "volumeMode": "Filesystem",
        }
        annotations = {"strimzi.io/delete-claim": "false"}
        made = self._object(
            "v1", "PersistentVolumeClaim", name, component, pool=pool, annotations=annotations, spec=spec
        )
        made["metadata"].pop("ownerReferences")  # deleteClaim is false
        return made

    def _pod_set(self, component: tuple[str, str], annotations: dict[str, str], *, pool: bool = False) -> Object:
        claim = {"type": "persistent-claim", "size": "10Gi", "deleteClaim": False}
        storage = {"type": "jbod", "volumes": [{"id": 0, **claim}]} if component is _KAFKA else claim
        noted = {"strimzi.io/storage": json.dumps(storage), **annotations}
        pods = [self._pod(component, n, annotations, pool) for n in range(3)]
        spec = {"selector": {"matchLabels": _selector(component)}, "pods": pods}
        return self._object(
            "core.strimzi.io/v1beta2",
            "StrimziPodSet",
            component[0],
            component,
            pool=pool,
            annotations=noted,
            spec=spec,
        )

    def _pod(self, component: tuple[str, str], number: int, annotations: dict[str, str], pool: bool) -> Object:
        name, kind = f"{component[0]}-{number}", component[1]
        claim = f"data-0-{name}" if component is _KAFKA else f"data-{name}"
        labels = {
            **_labels(*component, pool=pool),
            "strimzi.io/pod-name": name,
            "statefulset.kubernetes.io/pod-name": name,
            "strimzi.io/controller": "strimzipodset",
            "strimzi.io/controller-name": component[0],
        }
        generations = {"cluster-ca-cert-generation": "0", "cluster-ca-key-generation": "0"}
        generations |= {"revision": "8a4f3c1d", "server-cert-hash": "b5d1c0f4e7"}
        if component is _KAFKA:
            generations |= {"clients-ca-cert-generation": "0", "broker-configuration-hash": "0b8e3d4a"}
        noted = {**annotations, **{f"strimzi.io/{key}": value for key, value in generations.items()}}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels, "annotations": noted},
            "spec": {
                "hostname": name,
                "subdomain": f"{CLUSTER}-{'kafka-brokers' if component is _KAFKA else 'zookeeper-nodes'}",
                "serviceAccountName": component[0],
                "containers": [{"name": kind, "image": KAFKA_IMAGE, "command": [f"/opt/kafka/{kind}_run.sh"]}],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
            },
        }

    def _object(
        self,
        api_version: str,
        kind: str,
        name: str,
        component: tuple[str, str],
        *,
        pool: bool = False,
        annotations: dict[str, str] | None = None,
        **content: Any,
    ) -> Object:
        kafka = {"name": CLUSTER, "uid": self.kafka_uid}
        metadata = {
            "name": name,
            "namespace": NAMESPACE,
            "labels": _labels(*component, pool=pool),
            "ownerReferences": [_owner("kafka.strimzi.io/v1beta2", "Kafka", kafka, controller=False)],
            **({"annotations": annotations} if annotations else {}),
        }
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


_RBAC = "rbac.authorization.k8s.io/v1"
_KAFKA = (f"{CLUSTER}-kafka", "kafka")
_ZOOKEEPER = (f"{CLUSTER}-zookeeper", "zookeeper")
_ENTITY = (f"{CLUSTER}-entity-operator", "entity-operator")
_EXPORTER = (f"{CLUSTER}-kafka-exporter", "kafka-exporter")


def exporter_container() -> Object:
    """It runs a script of Strimzi's Kafka image."""
    settings = {
        "LOGGING": "0",
        "KAFKA_VERSION": "3.6.0",
        "GROUP_REGEX": ".*",
        "TOPIC_REGEX": ".*",
        "KAFKA_SERVER": f"{CLUSTER}-kafka-bootstrap:9091",
        "ENABLE_SARAMA": "false",
    }
    return {
        "name": _EXPORTER[0],
        "image": KAFKA_IMAGE,
        "args": ["/opt/kafka-exporter/kafka_exporter_run.sh"],
        "env": [{"name": f"KAFKA_EXPORTER_{name}", "value": value} for name, value in settings.items()]
        + [{"name": "STRIMZI_SHUTDOWN_SETTING", "value": "of a release before"}],
        "ports": [{"name": "tcp-prometheus", "containerPort": 9404, "protocol": "TCP"}],
    }


def _labels(name: str, kind: str, *, pool: bool = False) -> dict[str, str]:
    return {
        **_selector((name, kind)),
        "strimzi.io/component-type": kind,
        "app.kubernetes.io/name": kind,
        "app.kubernetes.io/instance": CLUSTER,
        "app.kubernetes.io/part-of": f"strimzi-{CLUSTER}",
        "app.kubernetes.io/managed-by": "strimzi-cluster-operator",
        **({"strimzi.io/pool-name": "kafka"} if pool else {}),
    }


def _selector(component: tuple[str, str]) -> dict[str, str]:
    return {"strimzi.io/cluster": CLUSTER, "strimzi.io/kind": "Kafka", "strimzi.io/name": component[0]}


def _owner(api_version: str, kind: str, metadata: Any, *, controller: bool) -> Object:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": controller,
        "blockOwnerDeletion": False,
    }


def _names(service: str) -> list[str]:
    return [service, f"{service}.{NAMESPACE}", f"{service}.{_SVC}", f"{service}.{_SVC}.cluster.local"]


def broker_names(number: int) -> frozenset[str]:
    pod = f"{CLUSTER}-kafka-{number}.{CLUSTER}-kafka-brokers.{_SVC}"
    services = [*_names(f"{CLUSTER}-kafka-bootstrap"), *_names(f"{CLUSTER}-kafka-brokers")]
    return frozenset([*services, pod, f"{pod}.cluster.local"])


def zookeeper_names(number: int) -> frozenset[str]:
    own, client = f"{CLUSTER}-zookeeper-nodes.{_SVC}", f"{CLUSTER}-zookeeper-client.{_SVC}"
    pod = f"{CLUSTER}-zookeeper-{number}"
    wildcards = [f"*.{service}{end}" for service in (own, client) for end in ("", ".cluster.local")]
    return frozenset(
        [*_names(f"{CLUSTER}-zookeeper-client"), pod, f"{pod}.{own}", f"{pod}.{own}.cluster.local", *wildcards]
    )


def _files(leaves: dict[str, tuple[bytes, bytes]]) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for name, (certificate, key) in leaves.items():
        made |= {f"{name}.crt": certificate, f"{name}.key": key, f"{name}.p12": b"a store", f"{name}.password": b"it"}
    return made


@cache
def _key(_of: str) -> rsa.RSAPrivateKey:
    """Strimzi's authorities have 4096 bits, its leaves 2048; what matters here is that they are RSA."""
    return rsa.generate_private_key(65537, 2048)


def names_of(objects: Sequence[Object]) -> set[tuple[str, str]]:
    return {(obj["kind"], obj["metadata"]["name"]) for obj in objects}
