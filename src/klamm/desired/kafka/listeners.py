"""Names that follow from a listener: ports, Services, identifiers in server.config.

Three listeners keep the names that they had before names were free (Strimzi behaviour): `plain` on 9092, `tls` on 9093
(both internal), and `external` on 9094 of any type.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from klamm.resources.custom.listeners import Listener, ListenerBroker, ListenerConfiguration

CONTROL_PLANE = "CONTROLPLANE-9090"
CONTROL_PLANE_PORT = 9090
REPLICATION = "REPLICATION-9091"
REPLICATION_PORT = 9091
AGENT_PORT = 8443
METRICS_PORT = 9404
JMX_PORT = 9999

EXTERNAL_TYPES = ("nodeport", "loadbalancer", "route", "ingress", "cluster-ip", "tlsroute")
"""Types with a bootstrap Service and a Service per broker of their own."""

_NODE_PORT_KINDS = {
    "ExternalIP": "EXTERNALIP",
    "ExternalDNS": "EXTERNALDNS",
    "InternalIP": "INTERNALIP",
    "InternalDNS": "INTERNALDNS",
    "Hostname": "HOSTNAME",
}
_SUM = re.compile(r"^\s*(?:(\d+)\s*\+\s*\{nodeId\}|\{nodeId\}\s*\+\s*(\d+)|(\d+))\s*$")


@dataclass(frozen=True)
class Addresses:
    """What only the cluster knows of external listeners; both keyed by (listener identifier, node id).

    `node_ports`: assigned node ports. `hosts`: the load balancers' host names or addresses. Node id None stands for
    the bootstrap Service.
    """

    node_ports: Mapping[tuple[str, int | None], int] = field(default_factory=dict)
    hosts: Mapping[tuple[str, int | None], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a broker tells clients of itself. None: not known yet, so that the broker cannot be started."""

    host: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class ClusterListener:
    """One user listener of the cluster named `cluster`."""

    cluster: str
    listener: Listener

    @property
    def name(self) -> str:
        return self.listener.name or ""

    @property
    def port(self) -> int:
        return self.listener.port or 0

    @property
    def type(self) -> str:
        return self.listener.type or "internal"

    @property
    def tls(self) -> bool:
        return bool(self.listener.tls)

    @property
    def is_external(self) -> bool:
        return self.type in EXTERNAL_TYPES

    @property
    def configuration(self) -> ListenerConfiguration:
        return self.listener.configuration or ListenerConfiguration()

    @property
    def authentication(self) -> str | None:
        """The kind of authentication, None for none."""
        return self.listener.authentication.type if self.listener.authentication else None

    @property
    def identifier(self) -> str:
        """`plain-9092`: in file names, and lower-case in `listener.name.*` keys."""
        return f"{self.name}-{self.port}"

    @property
    def kafka_name(self) -> str:
        """`PLAIN-9092`: the listener's name in server.config."""
        return self.identifier.upper()

    @property
    def environment_name(self) -> str:
        """`PLAIN_9092`: in listeners.config and in names of environment variables."""
        return f"{self.name.upper()}_{self.port}"

    @property
    def protocol(self) -> str:
        secured = "SSL" if self.tls else "PLAINTEXT"
        return f"SASL_{secured}" if self.uses_sasl else secured

    @property
    def uses_sasl(self) -> bool:
        authentication = self.listener.authentication
        if authentication is None:
            return False
        return authentication.type in ("scram-sha-512", "oauth") or bool(
            authentication.type == "custom" and authentication.sasl
        )

    @property
    def _is_old_external(self) -> bool:
        return (self.name, self.port) == ("external", 9094)

    @property
    def port_name(self) -> str:
        """The name of the port in Services and containers."""
        if self.type == "internal" and (self.name, self.port) == ("plain", 9092):
            return "tcp-clients"
        if self.type == "internal" and (self.name, self.port) == ("tls", 9093):
            return "tcp-clientstls"
        return f"tcp-{self.name}"

    @property
    def bootstrap_service(self) -> str:
        """The Service where clients start; internal listeners share one."""
        if not self.is_external:
            return f"{self.cluster}-kafka-bootstrap"
        return f"{self.cluster}-kafka-{'external' if self._is_old_external else self.name}-bootstrap"

    def broker_service(self, node: int) -> str:
        """The Service of one broker, for external listeners."""
        middle = "" if self._is_old_external else f"{self.name}-"
        return f"{self.cluster}-kafka-{middle}{node}"

    def broker_override(self, node: int) -> ListenerBroker:
        """What the user wrote for one broker, or an empty one."""
        of_node = (broker for broker in self.configuration.brokers if broker.broker == node)
        return next(of_node, ListenerBroker(broker=node))

    def node_address_placeholder(self) -> str:
        """What the launch script replaces with an address of the node that the pod runs on."""
        preferred = self.configuration.preferred_node_port_address_type
        return f"${{STRIMZI_NODEPORT_{_NODE_PORT_KINDS.get(preferred or '', 'DEFAULT')}_ADDRESS}}"

    def service_host(self, service: str, namespace: str, dns_domain: str) -> str:
        """A Service's name as clients are told it; with the DNS domain only if the user wants that."""
        name = f"{service}.{namespace}.svc"
        return f"{name}.{dns_domain}" if self.configuration.use_service_dns_domain else name

    def advertised(self, node: int, pod_host: str, namespace: str, dns_domain: str, known: Addresses) -> Endpoint:
        """What broker `node` tells clients; `pod_host` is its name under the headless Service."""
        override, configuration = self.broker_override(node), self.configuration
        by_type = self._by_type(node, pod_host, namespace, dns_domain, known)
        template = configuration.advertised_host_template
        host = override.advertised_host or (template.replace("{nodeId}", str(node)) if template else by_type.host)
        port = override.advertised_port or _port_of(configuration.advertised_port_template, node) or by_type.port
        return Endpoint(host, port)

    def _by_type(self, node: int, pod_host: str, namespace: str, dns_domain: str, known: Addresses) -> Endpoint:
        key = (self.identifier, node)
        if self.type == "nodeport":
            return Endpoint(self.node_address_placeholder(), known.node_ports.get(key))
        if self.type == "loadbalancer":
            return Endpoint(known.hosts.get(key), self.port)
        if self.type in ("ingress", "route", "tlsroute"):
            return Endpoint(self.broker_host(node) or known.hosts.get(key), 443)
        if self.type == "cluster-ip":
            return Endpoint(self.service_host(self.broker_service(node), namespace, dns_domain), self.port)
        full = f"{pod_host}.{dns_domain}" if self.configuration.use_service_dns_domain else pod_host
        return Endpoint(full, self.port)

    def broker_host(self, node: int) -> str | None:
        """The host name that the user gave a broker's Ingress or Route."""
        template = self.configuration.host_template
        return self.broker_override(node).host or (template.replace("{nodeId}", str(node)) if template else None)


def _port_of(template: str | None, node: int) -> int | None:
    """`9000 + {nodeId}` -> 9001 for node 1; None when there is no (readable) template."""
    match = _SUM.match(template or "")
    if match is None:
        return None
    fixed = match[3]
    return int(fixed) if fixed else int(match[1] or match[2]) + node
