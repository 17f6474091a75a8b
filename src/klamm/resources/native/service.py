"""Services and the addresses behind them."""

import msgspec

from klamm.resources.native.metadata import Condition, ObjectMeta, ObjectReference
from klamm.resources.structure import Block, FreeForm, always


class ServicePort(Block):
    name: str | None = None
    app_protocol: str | None = None
    node_port: int | None = None
    port: int = 0
    protocol: str | None = None
    target_port: int | str | None = None


class ServiceSpec(Block):
    type: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    cluster_ip: str | None = msgspec.field(name="clusterIP", default=None)
    cluster_ips: list[str] = msgspec.field(name="clusterIPs", default_factory=list)
    external_ips: list[str] = msgspec.field(name="externalIPs", default_factory=list)
    external_name: str | None = None
    external_traffic_policy: str | None = None
    health_check_node_port: int | None = None
    internal_traffic_policy: str | None = None
    ip_families: list[str] = []
    ip_family_policy: str | None = None
    load_balancer_class: str | None = None
    load_balancer_ip: str | None = msgspec.field(name="loadBalancerIP", default=None)
    load_balancer_source_ranges: list[str] = []
    ports: list[ServicePort] = []
    publish_not_ready_addresses: bool | None = None
    selector: dict[str, str] = {}
    session_affinity: str | None = None
    session_affinity_config: FreeForm | None = None
    traffic_distribution: str | None = None


class LoadBalancerIngress(Block):
    hostname: str | None = None
    ip: str | None = None


class LoadBalancerStatus(Block):
    ingress: list[LoadBalancerIngress] = []


class ServiceStatus(Block):
    load_balancer: LoadBalancerStatus | None = None
    conditions: list[Condition] = []


class Service(Block):
    api_version: str = always("v1")
    kind: str = always("Service")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: ServiceSpec = msgspec.field(default_factory=ServiceSpec)
    status: ServiceStatus | None = None


class EndpointAddress(Block):
    hostname: str | None = None
    ip: str = ""
    node_name: str | None = None
    target_ref: ObjectReference | None = None


class EndpointPort(Block):
    """A port of Endpoints and of EndpointSlices."""

    app_protocol: str | None = None
    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class EndpointSubset(Block):
    addresses: list[EndpointAddress] = []
    not_ready_addresses: list[EndpointAddress] = []
    ports: list[EndpointPort] = []


class Endpoints(Block):
    api_version: str = always("v1")
    kind: str = always("Endpoints")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    subsets: list[EndpointSubset] = []


class EndpointConditions(Block):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Endpoint(Block):
    addresses: list[str] = []
    conditions: EndpointConditions | None = None
    hostname: str | None = None
    node_name: str | None = None
    target_ref: ObjectReference | None = None
    zone: str | None = None


class EndpointSlice(Block):
    api_version: str = always("discovery.k8s.io/v1")
    kind: str = always("EndpointSlice")
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    address_type: str = always("IPv4")
    endpoints: list[Endpoint] = []
    ports: list[EndpointPort] = []
